//! ONNX files: recognised, decoded, compiled; and archives around them, which come in by the same door.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use thicket_engine::offline;

/// The one file that is written again and again.
static SCRATCH: LazyLock<std::path::PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("thicket-fuzz-{}", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    if std::fs::write(&*SCRATCH, bytes).is_ok()
        && let Ok(pack) = offline::to_pack(&SCRATCH)
    {
        offline::open_pack(&pack).expect("what was compiled is whole");
    }
});
