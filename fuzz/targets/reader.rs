//! Every target: the reader that the program is named after.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use thicket_fuzz::readers::{READERS, Reader};

static READER: LazyLock<Reader> = LazyLock::new(|| {
    let named = READERS.iter().find(|(name, _)| *name == env!("CARGO_BIN_NAME"));
    named.expect("every program is named after a reader").1
});

fuzz_target!(|bytes: &[u8]| {
    READER(bytes);
});
