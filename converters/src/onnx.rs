//! ONNX: its file format, and boosters written in it.
//!
//! [`lower`] writes a booster as a graph from `input` (`float[N, features]`, missing values as NaN) to `margin`
//! (`float[N, targets]`) and `value` (`float[N, columns]`). What the graph cannot say stands in the model's metadata,
//! under the names in [`metadata`].

mod check;
mod lower;
pub mod metadata;
mod proto;

use prost::Message;

use crate::error::{Error, Result};

pub use lower::{INPUT, MARGIN, Operators, VALUE, around_ensemble, columns, linear, lower, lower_with, treeless};
pub use proto::{
    AttributeProto, AttributeType, DataType, Dimension, DimensionValue, GraphProto, MapType, ModelProto, NodeProto,
    OperatorSetIdProto, SequenceType, StringStringEntryProto, TensorProto, TensorShapeProto, TensorType, TypeProto,
    TypeValue, ValueInfoProto,
};

/// Reads an ONNX file. Fields that the types here do not have are skipped.
///
/// # Errors
///
/// Malformed where the bytes are no protocol buffer of an ONNX model, or one of so many tiny parts that it would take
/// far more memory than it has bytes.
pub fn decode(bytes: &[u8]) -> Result<ModelProto> {
    check::memory(bytes)?;
    ModelProto::decode(bytes)
        .map_err(|cause| Error::malformed("onnx", "expected the protocol buffer of a model").caused_by(cause))
}

/// Writes an ONNX file.
#[must_use]
pub fn encode(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}
