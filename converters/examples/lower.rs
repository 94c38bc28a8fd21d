//! Writes a model file of XGBoost as ONNX: `lower convert MODEL -o OUT.onnx`.

use std::env::args;
use std::error::Error;
use std::fs;

use thicket_converters::{onnx, read_booster};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = args().skip(1).collect();
    let [command, model, option, out] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        return Err("usage: lower convert MODEL -o OUT.onnx".into());
    };
    if (command, option) != ("convert", "-o") {
        return Err("usage: lower convert MODEL -o OUT.onnx".into());
    }
    let booster = read_booster(&fs::read(model)?)?;
    fs::write(out, onnx::encode(&onnx::lower(&booster)?))?;
    Ok(())
}
