//! The sums of a booster without trees: zeros, as many as there are rows and targets.

use super::{DataType, INPUT, NodeProto, SUMS, TensorProto, integer_attribute, operator, signed, tensor};

const FIRST: &str = "first";
const INPUT_SHAPE: &str = "input_shape";
const ROWS: &str = "rows";
const SUMS_SHAPE: &str = "sums_shape";
const TARGETS: &str = "targets";

/// The nodes that make [`SUMS`] of [`INPUT`], and the constants they need.
pub(super) fn zeros(targets: usize) -> (Vec<NodeProto>, [TensorProto; 2]) {
    let axis = integer_attribute("axis", 0);
    let nodes = vec![
        operator("Shape", &[INPUT], INPUT_SHAPE, Vec::new()),
        operator("Gather", &[INPUT_SHAPE, FIRST], ROWS, vec![axis.clone()]),
        operator("Concat", &[ROWS, TARGETS], SUMS_SHAPE, vec![axis]),
        operator("ConstantOfShape", &[SUMS_SHAPE], SUMS, Vec::new()),
    ];
    let integer = |name, value: i64| tensor(name, DataType::Int64, 1, value.to_le_bytes().to_vec());
    (nodes, [integer(FIRST, 0), integer(TARGETS, signed(targets))])
}
