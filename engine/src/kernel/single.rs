//! One row: by its [ranks](super::tables) where these are bytes, else by its [keys](super::words).

use super::{processor::Processor, tables, words};
use crate::pack::Sections;

/// Room for what is found out of a row, and what finds it out.
#[derive(Debug)]
pub(super) struct Room {
    keys: Vec<u32>,
    ranks: Vec<u8>,
    processor: Processor,
}

impl Default for Room {
    fn default() -> Self {
        Self { keys: Vec::new(), ranks: Vec::new(), processor: Processor::best() }
    }
}

impl Room {
    /// What it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<u32>() * self.keys.capacity() + self.ranks.capacity()
    }
}

/// Adds the leaf that `row` reaches in each tree to its target's margin, in the order of the trees.
pub(super) fn add_leaves(forest: &Sections<'_>, row: &[f32], room: &mut Room, margins: &mut [f32]) {
    if forest.is_in_bytes() {
        tables::add_leaves(room.processor, forest, row, &mut room.ranks, margins);
    } else {
        words::add_leaves(forest, row, &mut room.keys, margins);
    }
}
