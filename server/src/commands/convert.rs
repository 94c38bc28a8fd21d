//! `thicket convert`: a trainer's file to ONNX.

use std::fs;

use thicket_engine::offline;

use super::{about, file};
use crate::{arguments::Convert, configuration, error::Result};

/// Writes the artifact as an ONNX model.
pub(super) fn run(options: &Convert) -> Result<()> {
    let reading = configuration::reading_from_environment(&options.reading)?;
    let model =
        offline::to_onnx_with(&options.artifact, reading, options.opset.into()).map_err(about(&options.artifact))?;
    fs::write(&options.output, model).map_err(file(&options.output))
}
