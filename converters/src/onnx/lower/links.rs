//! The link from margins to values in ONNX's own operators.

use super::{DataType, MARGIN, NodeProto, TensorProto, VALUE, floats, integer_attribute, operator, signed, tensor};
use crate::link::Link;

const STEP: &str = "link_step";
const ZERO: &str = "zero";
const COUNT: &str = "count";

/// Adds the nodes that make [`VALUE`] of [`MARGIN`], and the constants they need.
pub(super) fn append(link: Link, targets: usize, nodes: &mut Vec<NodeProto>, constants: &mut Vec<TensorProto>) {
    let axis = || integer_attribute("axis", 1);
    let to_float =
        || operator("Cast", &[STEP], VALUE, vec![integer_attribute("to", i64::from(i32::from(DataType::Float)))]);
    match link {
        Link::Identity => nodes.push(operator("Identity", &[MARGIN], VALUE, Vec::new())),
        Link::Sigmoid | Link::SigmoidUnclamped => nodes.push(operator("Sigmoid", &[MARGIN], VALUE, Vec::new())),
        Link::Exp => nodes.push(operator("Exp", &[MARGIN], VALUE, Vec::new())),
        Link::Softmax => nodes.push(operator("Softmax", &[MARGIN], VALUE, vec![axis()])),
        Link::SoftmaxClass => {
            let keep = integer_attribute("keepdims", 1);
            nodes.extend([operator("ArgMax", &[MARGIN], STEP, vec![axis(), keep]), to_float()]);
        }
        Link::Hinge => {
            constants.push(floats(ZERO, &[0.0]));
            nodes.extend([operator("Greater", &[MARGIN, ZERO], STEP, Vec::new()), to_float()]);
        }
        Link::SortQuantiles => {
            constants.push(tensor(COUNT, DataType::Int64, 1, signed(targets).to_le_bytes().to_vec()));
            let mut sort = operator("TopK", &[MARGIN, COUNT], VALUE, vec![axis(), integer_attribute("largest", 0)]);
            sort.output.push(STEP.to_owned());
            nodes.push(sort);
        }
    }
}
