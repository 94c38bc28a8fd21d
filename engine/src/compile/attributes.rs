//! The attributes of a `TreeEnsemble` (`ai.onnx.ml`, version 5), borrowed from the model and of equal lengths.

use std::borrow::Cow;

use thicket_converters::onnx::{AttributeProto, DataType, NodeProto, TensorProto};

use super::Reason;

/// `aggregate_function`: the leaves are summed.
const SUM: i64 = 1;
/// `post_transform`: nothing.
const NONE: i64 = 0;

/// One array for each attribute; those of splits have one length, those of leaves another.
pub(super) struct Attributes<'a> {
    pub(super) roots: &'a [i64],
    pub(super) features: &'a [i64],
    pub(super) modes: Cow<'a, [u8]>,
    pub(super) splits: Vec<f32>,
    pub(super) true_ways: Ways<'a>,
    pub(super) false_ways: Ways<'a>,
    pub(super) missing_is_true: &'a [i64],
    pub(super) members: Vec<f32>,
    pub(super) leaf_targets: &'a [i64],
    pub(super) leaf_weights: Vec<f32>,
    /// One for each split, or nothing.
    pub(super) split_covers: Vec<f32>,
}

/// Where one way out of each split leads.
#[derive(Clone, Copy)]
pub(super) struct Ways<'a> {
    pub(super) numbers: &'a [i64],
    pub(super) are_leaves: &'a [i64],
}

impl<'a> Attributes<'a> {
    pub(super) fn read(node: &'a NodeProto) -> Result<Self, Reason> {
        let find = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name);
        let integers = |name: &str| find(name).map_or(&[][..], |attribute| &attribute.ints[..]);
        let numbers = |name: &str| tensor(find(name)).map_or(Some(Vec::new()), floats).ok_or_else(|| no_floats(name));
        let integer = |name: &str, default| find(name).map_or(default, |attribute| attribute.i);
        if integer("aggregate_function", SUM) != SUM || integer("post_transform", NONE) != NONE {
            return Err(Reason::new("the ensemble does more than sum its leaves"));
        }
        let attributes = Self {
            roots: integers("tree_roots"),
            features: integers("nodes_featureids"),
            modes: tensor(find("nodes_modes")).and_then(bytes).ok_or_else(|| no_floats("nodes_modes"))?,
            splits: numbers("nodes_splits")?,
            true_ways: Ways { numbers: integers("nodes_truenodeids"), are_leaves: integers("nodes_trueleafs") },
            false_ways: Ways { numbers: integers("nodes_falsenodeids"), are_leaves: integers("nodes_falseleafs") },
            missing_is_true: integers("nodes_missing_value_tracks_true"),
            members: numbers("membership_values")?,
            leaf_targets: integers("leaf_targetids"),
            leaf_weights: numbers("leaf_weights")?,
            split_covers: numbers("nodes_hitrates")?,
        };
        attributes.check_lengths()?;
        Ok(attributes)
    }

    fn check_lengths(&self) -> Result<(), Reason> {
        let splits = [
            self.modes.len(),
            self.splits.len(),
            self.true_ways.numbers.len(),
            self.true_ways.are_leaves.len(),
            self.false_ways.numbers.len(),
            self.false_ways.are_leaves.len(),
            self.missing_is_true.len(),
        ];
        let is_even = splits.iter().all(|&length| length == self.features.len());
        if !is_even || self.leaf_targets.len() != self.leaf_weights.len() {
            return Err(Reason::new("the ensemble's attributes have different lengths"));
        }
        Ok(())
    }
}

fn no_floats(name: &str) -> Reason {
    Reason::new(format!("the ensemble's {name} is no tensor of the expected numbers"))
}

fn tensor(attribute: Option<&AttributeProto>) -> Option<&TensorProto> {
    attribute?.t.as_deref()
}

/// The numbers of a tensor of `f32`.
pub(crate) fn floats(tensor: &TensorProto) -> Option<Vec<f32>> {
    if tensor.data_type() != DataType::Float || !tensor.external_data.is_empty() {
        return None;
    }
    let (raw, rest) = tensor.raw_data.as_chunks::<4>();
    let is_raw = tensor.float_data.is_empty();
    match (is_raw, rest) {
        (true, []) => Some(raw.iter().copied().map(f32::from_le_bytes).collect()),
        (false, []) if raw.is_empty() => Some(tensor.float_data.clone()),
        _ => None,
    }
}

/// The numbers of a tensor of `u8`.
pub(crate) fn bytes(tensor: &TensorProto) -> Option<Cow<'_, [u8]>> {
    if tensor.data_type() != DataType::Uint8 || !tensor.external_data.is_empty() {
        return None;
    }
    match (tensor.int32_data.is_empty(), tensor.raw_data.is_empty()) {
        (true, _) => Some(Cow::Borrowed(&tensor.raw_data)),
        (false, true) => tensor.int32_data.iter().map(|&number| u8::try_from(number).ok()).collect(),
        (false, false) => None,
    }
}
