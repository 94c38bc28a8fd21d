//! The attributes of an ensemble by name, and their numbers, which have to be `f32` to the last bit.

use std::borrow::Cow;

use thicket_converters::onnx::{AttributeProto, DataType, NodeProto, TensorProto};

use super::Precision;
use crate::compile::{self, Reason};

/// What a node says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a>(&'a [AttributeProto]);

impl<'a> Attributes<'a> {
    pub(super) fn of(node: &'a NodeProto) -> Self {
        Self(&node.attribute)
    }

    fn find(self, name: &str) -> Option<&'a AttributeProto> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn integers(self, name: &str) -> &'a [i64] {
        self.find(name).map_or(&[], |attribute| &attribute.ints)
    }

    pub(super) fn integer(self, name: &str, default: i64) -> i64 {
        self.find(name).map_or(default, |attribute| attribute.i)
    }

    pub(super) fn texts(self, name: &str) -> &'a [Vec<u8>] {
        self.find(name).map_or(&[], |attribute| &attribute.strings)
    }

    pub(super) fn text(self, name: &str, default: &'static str) -> &'a [u8] {
        self.find(name).map_or(default.as_bytes(), |attribute| &attribute.s)
    }

    /// The floats `name`, or the tensor `name_as_tensor` in the graph's precision.
    pub(super) fn floats(self, name: &str, precision: Precision) -> Result<Cow<'a, [f32]>, Reason> {
        let floats = self.find(name).map_or(&[][..], |attribute| &attribute.floats);
        let as_tensor = format!("{name}_as_tensor");
        match (floats, self.find(&as_tensor)) {
            (floats, None) => Ok(Cow::Borrowed(floats)),
            ([], Some(_)) => self.tensor(&as_tensor, precision).map(Cow::Owned),
            _ => Err(Reason::new(format!("the ensemble has both {name} and {as_tensor}"))),
        }
    }

    /// The numbers of the tensor `name`; none where there is no such attribute.
    pub(super) fn tensor(self, name: &str, precision: Precision) -> Result<Vec<f32>, Reason> {
        let Some(attribute) = self.find(name) else { return Ok(Vec::new()) };
        let expected = match precision {
            Precision::Single => DataType::Float,
            Precision::Double => DataType::Double,
        };
        let tensor = attribute.t.as_deref().filter(|tensor| tensor.data_type() == expected);
        let numbers = tensor.and_then(numbers);
        let numbers =
            numbers.ok_or_else(|| Reason::new(format!("the ensemble's {name} is no tensor of its numbers")))?;
        numbers.into_iter().map(|number| single(name, number)).collect()
    }

    /// The small numbers of the tensor `name`.
    pub(super) fn bytes(self, name: &str) -> Option<Cow<'a, [u8]>> {
        compile::bytes(self.find(name)?.t.as_deref()?)
    }
}

/// `number` as `f32`, where it is one.
fn single(name: &str, number: f64) -> Result<f32, Reason> {
    #[expect(clippy::cast_possible_truncation, reason = "what is not the same afterwards is refused")]
    let single = number as f32;
    if f64::from(single).to_bits() == number.to_bits() || number.is_nan() {
        return Ok(single);
    }
    Err(Reason::new(format!("the ensemble's {name} holds {number}, which no f32 is")))
}

/// The numbers of a tensor of floats or doubles.
pub(super) fn numbers(tensor: &TensorProto) -> Option<Vec<f64>> {
    if tensor.data_type() != DataType::Double {
        return Some(compile::floats(tensor)?.into_iter().map(f64::from).collect());
    }
    let (raw, rest) = tensor.raw_data.as_chunks::<8>();
    match (tensor.double_data.is_empty(), rest) {
        _ if !tensor.external_data.is_empty() => None,
        (true, []) => Some(raw.iter().copied().map(f64::from_le_bytes).collect()),
        (false, []) if raw.is_empty() => Some(tensor.double_data.clone()),
        _ => None,
    }
}
