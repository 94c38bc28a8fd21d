//! Trees of any shape in lanes: a split is a step, which chooses for each row between what was found out on its left and on its
//! right.
//!
//! Leaves have numbers, and what a step finds out is kept in a slot. Steps of lower splits come first, so the last one's is the
//! number of the leaf that a row reaches.

#![allow(clippy::cast_possible_truncation, reason = "slots and numbers of leaves are few")]

use super::{
    avx2::Avx2,
    walk::{Aligned, Lanes, ROWS},
};
use crate::pack::format::Block;

/// The most leaves that a byte tells apart.
pub(super) const LEAVES_MAX: usize = 256;

/// Groups whose steps are taken side by side, where there are as many.
pub(super) const PAIR: usize = 2;

/// Lines that hold the number of each leaf come first, then a pair of them for each slot: those of what is found out within a
/// block, and one for each block.
const LINES: usize = 512;
/// The most blocks that a tree may have here.
const BLOCKS_MAX: usize = (LINES - LEAVES_MAX) / PAIR - Block::SLOTS;

/// For each row the number of an exit or a leaf.
pub(super) type Exits = Aligned<Lanes<u8>>;

/// Where something is kept of each group of a pair: where lines begin, in bytes, sixteen bits each. In one number, since what
/// is written in parts and read as a whole makes a processor wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(u32);

impl Place {
    /// How far the number of a leaf is shifted: its line is the same of all groups.
    pub(super) const LEAF_BITS: i32 = size_of::<Exits>().ilog2().cast_signed();
    /// How far the number of a slot is shifted; then this is added, where it is one of those within blocks, or a block's own.
    pub(super) const SLOT_BITS: i32 = Self::LEAF_BITS + PAIR.ilog2().cast_signed();
    pub(super) const FIRST_SLOT: u32 = Self::slot(0);
    pub(super) const FIRST_BLOCK: u32 = Self::slot(Block::SLOTS);

    const fn slot(number: usize) -> u32 {
        let line = LEAVES_MAX + number * PAIR;
        ((line | (line + 1) << 16) * size_of::<Exits>()) as u32
    }

    /// The line of one of the groups.
    #[inline(always)]
    pub(super) fn line(self, group: usize) -> usize {
        (self.0 >> (16 * group)) as usize / size_of::<Exits>() % LINES
    }
}

/// A split made ready.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Eight times the column.
    pub(super) column: u32,
    /// [`four`](super::lanes::four) of the rank.
    pub(super) rank: u32,
    /// Where what is below on each side is kept, and where to keep what comes of it.
    pub(super) left: Place,
    pub(super) right: Place,
    pub(super) to: Place,
}

/// Something of each step or leaf, and room for what is behind them.
pub(super) type Each = [u32; LEAVES_MAX + Block::SLOTS];

/// The splits of a tree made ready, each behind those above it.
#[derive(Debug)]
pub(super) struct Splits {
    columns: Each,
    ranks: Each,
    left: Each,
    right: Each,
    to: Each,
    count: usize,
}

/// The splits of a block made ready, as many as it has; those behind them are none.
pub(super) struct OfBlock {
    pub(super) columns: [u32; Block::SLOTS],
    pub(super) ranks: [u32; Block::SLOTS],
    pub(super) left: [u32; Block::SLOTS],
    pub(super) right: [u32; Block::SLOTS],
    pub(super) to: [u32; Block::SLOTS],
    /// The bits of its leaves, as many as it has.
    pub(super) leaves: [u32; Block::SLOTS],
}

/// What stands before a block.
#[derive(Clone, Copy)]
pub(super) struct Before {
    /// Leaves that have numbers.
    pub(super) leaves: u32,
    /// Blocks of the tree.
    pub(super) blocks: u32,
    /// Blocks of other trees.
    pub(super) first: u32,
}

impl Splits {
    /// As steps, in their order.
    #[inline(always)]
    pub(super) fn steps(&self) -> impl Iterator<Item = Step> {
        (0..self.count.min(LEAVES_MAX)).rev().map(|at| Step {
            column: self.columns[at],
            rank: self.ranks[at],
            left: Place(self.left[at]),
            right: Place(self.right[at]),
            to: Place(self.to[at]),
        })
    }
}

/// What is found out for a pair of groups.
pub(super) type Slots = [Exits; LINES];

/// The splits of a tree made ready, and room for what is found out.
#[derive(Debug)]
pub(super) struct Steps {
    splits: Box<Splits>,
    slots: Box<Slots>,
}

impl Default for Steps {
    fn default() -> Self {
        let lines = (0..LINES).map(|line| Aligned([if line < LEAVES_MAX { line as u8 } else { 0 }; ROWS]));
        let lines: Vec<Exits> = lines.collect();
        let none = [0; LEAVES_MAX + Block::SLOTS];
        Self {
            splits: Box::new(Splits { columns: none, ranks: none, left: none, right: none, to: none, count: 0 }),
            slots: lines.try_into().expect("there are as many"),
        }
    }
}

impl Steps {
    /// What they take apart from themselves.
    pub(super) const BYTES: usize = LINES * size_of::<Exits>() + size_of::<Splits>();

    /// Makes a tree ready whose blocks these are, of which the first is number `first`, and writes the bits of its leaves into
    /// `leaves`: how many these are. Nothing, where it has too many leaves or blocks.
    #[inline(always)]
    pub(super) fn set(&mut self, avx2: Avx2, blocks: &[Block], first: u32, leaves: &mut Each) -> Option<usize> {
        if blocks.len() > BLOCKS_MAX {
            return None;
        }
        let (mut count, mut steps, splits) = (0, 0, &mut *self.splits);
        for (at, block) in (0..).zip(blocks) {
            // Slots with splits follow one another.
            let ranks = u64::from_le_bytes(block.ranks);
            let own = (Block::SLOTS - ranks.leading_zeros() as usize / 8).saturating_sub(1);
            let to_leaves = block.high[0] & (u8::MAX >> (Block::SLOTS - 1 - own));
            let ready = avx2.steps(block, to_leaves, Before { leaves: count as u32, blocks: at, first });
            *leaves[count..].first_chunk_mut()? = ready.leaves;
            *splits.columns[steps..].first_chunk_mut()? = ready.columns;
            *splits.ranks[steps..].first_chunk_mut()? = ready.ranks;
            *splits.left[steps..].first_chunk_mut()? = ready.left;
            *splits.right[steps..].first_chunk_mut()? = ready.right;
            *splits.to[steps..].first_chunk_mut()? = ready.to;
            count += to_leaves.count_ones() as usize;
            // A tree that is one leaf has a step too: whichever way.
            steps += own.max(1);
            if count > LEAVES_MAX || steps > LEAVES_MAX {
                return None;
            }
        }
        splits.count = steps;
        Some(count)
    }

    /// The splits and what their steps keep.
    #[inline(always)]
    pub(super) fn parts(&mut self) -> (&Splits, &mut Slots) {
        (&self.splits, &mut self.slots)
    }

    /// The numbers of the leaves that rows reach, of each group of a pair, once all steps were taken.
    #[inline(always)]
    pub(super) fn numbers(&self) -> [&Exits; PAIR] {
        std::array::from_fn(|group| &self.slots[Place(Place::FIRST_BLOCK).line(group)])
    }
}
