//! Writes the pack that an artifact is compiled to; docs/pack.md describes it.
//!
//! `cargo run --release -p thicket-engine --example pack -- ARTIFACT PACK`

use std::{error::Error, path::Path};

use thicket_engine::offline;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [artifact, pack] = &arguments[..] else { return Err("usage: pack ARTIFACT PACK".into()) };
    std::fs::write(pack, offline::to_pack(Path::new(artifact))?)?;
    Ok(())
}
