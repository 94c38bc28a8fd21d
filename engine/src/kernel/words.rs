//! One row where its ranks are words: eight trees in flight, which is as many walks as a processor can overlap.
//!
//! The way through a block is three splits that ask three keys, without a branch. Having a [`Grove`] is the proof that every
//! index on the way is good: the pack was checked, and the keys are as many as its columns.

#![allow(unsafe_code)]

use std::hint::select_unpredictable;

use super::{add_values, keys};
use crate::pack::{
    Sections,
    format::{Block, WordBlock},
};

/// Trees that are walked side by side.
const WALKS: usize = 8;

/// The blocks of a checked pack.
#[derive(Clone, Copy)]
struct Grove<'a> {
    blocks: &'a [WordBlock],
    leaf_values: &'a [f32],
    /// One key for each column, or more.
    keys: &'a [u32],
}

/// Adds the leaf that `row` reaches in each tree to its target's margin, in the order of the trees. `keys` is room for the
/// row's keys.
pub(super) fn add_leaves(forest: &Sections<'_>, row: &[f32], keys: &mut Vec<u32>, margins: &mut [f32]) {
    keys.resize(forest.columns.len(), 0);
    keys::each_rank(super::unit::Portable, forest, row, |column, rank| keys[column] = key(rank));
    let grove = Grove::of(forest, keys);
    match forest.forest.block_levels {
        1 => add::<1>(forest, grove, margins),
        2 => add::<2>(forest, grove, margins),
        3 => add::<3>(forest, grove, margins),
        _ => add::<0>(forest, grove, margins),
    }
}

/// The key of a rank: greater than the splits of that rank and of those below.
fn key(rank: u32) -> u32 {
    rank << 16 | 0xffff
}

/// `LEVELS` is 0 where ways differ in length.
#[inline(always)]
fn add<const LEVELS: usize>(forest: &Sections<'_>, grove: Grove<'_>, margins: &mut [f32]) {
    let (roots, rest) = forest.roots.as_chunks::<WALKS>();
    let (trees, trees_left) = forest.trees.as_chunks::<WALKS>();
    for (roots, trees) in roots.iter().zip(trees) {
        add_values(margins, trees, &grove.down::<LEVELS>(*roots));
    }
    if let Some(&last) = rest.last() {
        // The last trees are filled up with one of them, whose value is not added again.
        let mut roots = [last; WALKS];
        roots[..rest.len()].copy_from_slice(rest);
        add_values(margins, trees_left, &grove.down::<LEVELS>(roots));
    }
}

impl<'a> Grove<'a> {
    fn of(forest: &Sections<'a>, keys: &'a [u32]) -> Self {
        assert!(keys.len() >= forest.columns.len(), "{} keys for {} columns", keys.len(), forest.columns.len());
        Self { blocks: forest.word_blocks, leaf_values: forest.leaf_values, keys }
    }

    /// The block that an exit or a root of this pack leads to.
    #[inline(always)]
    fn block(self, index: u32) -> &'a WordBlock {
        debug_assert!((index as usize) < self.blocks.len());
        // SAFETY: indices come from the roots and the exits of this pack, which lead to blocks of it (`check_even`,
        // `check_uneven_words`), and leaves are told apart before. Of a file that was cut short some are 0, and a pack that has
        // roots has a block.
        unsafe { self.blocks.get_unchecked(index as usize) }
    }

    /// The key that `split` asks for.
    #[inline(always)]
    fn key(self, split: u32) -> u32 {
        let index = (split & 0xffff) as usize / 8;
        debug_assert!(index < self.keys.len());
        // SAFETY: the columns of splits are below `columns` (`check_splits_of_words`), and `Grove::of` asked for as many keys.
        unsafe { *self.keys.get_unchecked(index) }
    }

    /// What the leaf adds that an exit leads to where ways differ in length.
    #[inline(always)]
    fn leaf_value(self, exit: u32) -> f32 {
        if !is_leaf(exit) {
            // Only in what is left of a file that was cut short: no way has more blocks than there are.
            return f32::NAN;
        }
        debug_assert!(((exit & !WordBlock::LEAF) as usize) < self.leaf_values.len());
        // SAFETY: exits that are marked as leaves lead to leaf values of this pack (`check_uneven_words`).
        unsafe { *self.leaf_values.get_unchecked((exit & !WordBlock::LEAF) as usize) }
    }

    /// What the leaves add that walks end at which are at `at`, `LEVELS` levels of blocks above the leaves, or at exits from
    /// where ways differ, where that is 0.
    #[inline(always)]
    fn down<const LEVELS: usize>(self, mut at: [u32; WALKS]) -> [f32; WALKS] {
        if LEVELS == 0 {
            return self.down_uneven(at);
        }
        for _ in 0..LEVELS {
            at = self.through(at.map(|index| self.block(index)));
        }
        at.map(f32::from_bits)
    }

    /// Where walks that are at `at` end, where some are longer than others. Each block leads to later ones; a file that is cut
    /// short reads as zeros, which lead in circles, and walks end there too.
    #[inline(always)]
    fn down_uneven(self, mut at: [u32; WALKS]) -> [f32; WALKS] {
        for _ in 0..self.blocks.len() {
            if is_leaf(at.iter().fold(WordBlock::LEAF, |all, exit| all & exit)) {
                break;
            }
            // Walks that have ended go through the first block again and again, and nobody asks where to. Which walk has
            // ended is nothing that a processor could foresee, so these are no branches.
            let blocks = at.map(|exit| self.block(select_unpredictable(is_leaf(exit), 0, exit)));
            let next = self.through(blocks);
            at = std::array::from_fn(|walk| select_unpredictable(is_leaf(at[walk]), at[walk], next[walk]));
        }
        at.map(|exit| self.leaf_value(exit))
    }

    /// Where the row leaves the blocks at `at`.
    #[inline(always)]
    fn through(self, at: [&WordBlock; WALKS]) -> [u32; WALKS] {
        let mut slots = [1; WALKS];
        for _ in 0..Block::DEPTH {
            for walk in 0..WALKS {
                let split = at[walk].0[slots[walk]];
                slots[walk] = 2 * slots[walk] + usize::from(split < self.key(split));
            }
        }
        std::array::from_fn(|walk| at[walk].0[slots[walk]])
    }
}

/// Whether an exit leads to a leaf, where ways differ in length.
#[inline(always)]
fn is_leaf(exit: u32) -> bool {
    exit & WordBlock::LEAF != 0
}
