//! What a graph remembers of its training: how many rows reached each node, and the numbers of the leaves.

use thicket_converters::onnx::{ModelProto, metadata};

use super::{attributes::Attributes, property};

/// The memories; a graph may lack them, since no prediction depends on them.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// One for each split, or nothing.
    pub(super) split_covers: Vec<f32>,
    /// One for each leaf; nothing where there are none of splits.
    pub(super) leaf_covers: Vec<f32>,
    /// One for each leaf, or nothing.
    leaf_numbers: Vec<u32>,
    values_per_leaf: u32,
}

impl Origins {
    pub(super) fn read(model: &ModelProto, attributes: &Attributes<'_>) -> Self {
        let (splits, leaves) = (attributes.features.len(), attributes.leaf_weights.len());
        let words = |key| property(model, key).and_then(metadata::unpack).filter(|words| words.len() == leaves);
        let mut origins = Self::default();
        if let Some(covers) = words(metadata::LEAF_COVERS).filter(|_| attributes.split_covers.len() == splits) {
            origins.leaf_covers = covers.into_iter().map(f32::from_le_bytes).collect();
            origins.split_covers.clone_from(&attributes.split_covers);
        }
        let values_per_leaf = property(model, metadata::VALUES_PER_LEAF).and_then(|values| values.parse().ok());
        let values_per_leaf = values_per_leaf.filter(|&values: &u32| is_share(values, attributes.roots.len()));
        if let (Some(numbers), Some(values)) = (words(metadata::LEAF_NUMBERS), values_per_leaf) {
            origins.leaf_numbers = numbers.into_iter().map(u32::from_le_bytes).collect();
            origins.values_per_leaf = values;
        }
        origins
    }

    /// The number of a leaf in the trainer's file, 0 where that is not known.
    pub(super) fn leaf_number(&self, leaf: usize) -> u32 {
        self.leaf_numbers.get(leaf).copied().unwrap_or(0)
    }

    /// How many trees are one tree of the trainer's file, 0 where leaves have no numbers.
    pub(super) fn values_per_leaf(&self) -> u32 {
        self.values_per_leaf
    }
}

/// Whether so many trees fall into groups of `values`.
fn is_share(values: u32, trees: usize) -> bool {
    values > 0 && trees.is_multiple_of(values as usize)
}
