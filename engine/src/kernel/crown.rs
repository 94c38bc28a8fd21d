//! What of a tree whose ways are of one length is done in lanes, made ready once for all rows of a batch: the whole of it, or its
//! top.
//!
//! A block is a step. It finds out for each row where it ends below the block, out of what was found out below the block's
//! exits; leaves have numbers. So later blocks come first, and what comes of the first block is the answer. A step costs as
//! much as the block has splits, rounded up to whole levels.

#![allow(clippy::cast_possible_truncation, reason = "slots and numbers of leaves are few")]

use super::{
    avx2::Avx2,
    lanes::Splits,
    leaves::Leaves,
    steps::{Exits, LEAVES_MAX},
    walk::{Grove, Ranks},
    wide::Long,
};
use crate::pack::format::Block;

/// Slots for what is found out of each block: at least as many as a tree may have, whose last ones have eight leaves each.
pub(super) const BLOCKS_MAX: usize = (1 + Block::SLOTS + LEAVES_MAX / Block::SLOTS).next_power_of_two();

/// Kinds of steps: blocks that lead to others, and by their levels of splits those that lead to leaves alone.
const KINDS: usize = 1 + Block::DEPTH;

/// The numbers of a block's exits, each four times.
pub(super) type Numbers = [u32; Block::SLOTS];

/// A block made ready.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Step {
    splits: Splits,
    /// Where to keep what is found out.
    slot: u32,
}

/// How many steps of each kind there are: sixteen bits each, which stay in a register.
#[derive(Clone, Copy, Debug, Default)]
struct Counts(u64);

impl Counts {
    #[inline(always)]
    fn get(self, kind: usize) -> usize {
        (self.0 >> (16 * kind)) as usize % (BLOCKS_MAX + 1).next_power_of_two()
    }

    /// Counts one more; how many there were before.
    #[inline(always)]
    fn add(&mut self, kind: usize) -> usize {
        let before = self.get(kind);
        self.0 += 1 << (16 * kind);
        before
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Crown {
    /// Blocks that lead to others, each behind those; then those that lead to leaves alone, by how many levels of splits they
    /// have: one or none, two, three.
    kinds: Box<[[Step; BLOCKS_MAX]; KINDS]>,
    counts: Counts,
    /// The slots of what is below each block that leads to others.
    below: [[u32; Block::SLOTS]; BLOCKS_MAX],
    /// Which is the first of those that lead to leaves alone: these have eight each, in their order.
    first_end: usize,
    /// What the numbers that rows get stand for.
    pub(super) leaves: Leaves,
}

impl Default for Crown {
    fn default() -> Self {
        Self {
            kinds: vec![[Step::default(); BLOCKS_MAX]; KINDS].try_into().expect("there are as many"),
            counts: Counts::default(),
            below: [[0; Block::SLOTS]; BLOCKS_MAX],
            first_end: 0,
            leaves: Leaves::default(),
        }
    }
}

impl Crown {
    /// What it takes apart from itself.
    pub(super) const BYTES: usize = size_of::<[[Step; BLOCKS_MAX]; KINDS]>();

    #[inline(always)]
    fn add(&mut self, counts: &mut Counts, kind: usize, splits: Splits, slot: usize) {
        // Which kind comes next is nothing that a processor could foresee, so there is no branch for each.
        let step = &mut self.kinds[kind % KINDS][counts.add(kind) % BLOCKS_MAX];
        *step = Step { splits, slot: slot as u32 };
    }

    /// Makes the blocks from `first_end` on ready, which lead to leaves alone and have eight each.
    #[inline(always)]
    fn add_ends(&mut self, counts: &mut Counts, avx2: Avx2, blocks: &[Block], first_end: usize) {
        let bits = self.leaves.bits.as_chunks_mut::<{ Block::SLOTS }>().0;
        for (block, bits) in blocks.iter().zip(bits) {
            bits.copy_from_slice(&block.exits);
        }
        for (block, slot) in blocks.iter().zip(first_end..) {
            self.add(counts, levels(block), avx2.splits(block), slot);
        }
        self.first_end = first_end;
        self.leaves.count = blocks.len() * Block::SLOTS;
    }

    /// Makes the whole of a tree ready whose root is the first of `blocks`, which are its own, on so many levels, and of which it
    /// is number `first`. False where they are too many or have too many leaves, or do not lie level by level.
    #[inline(always)]
    pub(super) fn set(&mut self, avx2: Avx2, block_levels: u32, blocks: &[Block], first: u32) -> bool {
        let counts = &mut Counts::default();
        let is_whole = self.set_levels(counts, avx2, block_levels, blocks, first);
        self.counts = *counts;
        is_whole
    }

    #[inline(always)]
    fn set_levels(&mut self, counts: &mut Counts, avx2: Avx2, block_levels: u32, blocks: &[Block], first: u32) -> bool {
        let ends = match (block_levels, blocks) {
            (1, _) => 0,
            (2, _) => 1,
            (_, [root, ..]) => 1 + exits(root, first).into_iter().fold(0, u32::max) as usize,
            _ => return false,
        };
        if ends >= blocks.len().min(1 + 1 + Block::SLOTS) || blocks.len() - ends > LEAVES_MAX / Block::SLOTS {
            return false;
        }
        self.add_ends(counts, avx2, &blocks[ends..], ends);
        let mut is_sound = true;
        for (at, block) in blocks[..ends].iter().enumerate().rev() {
            self.below[at] = exits(block, first);
            is_sound &= self.below[at].iter().fold(true, |all, exit| all & ((*exit as usize) < blocks.len()));
            self.add(counts, 0, avx2.splits(block), at);
        }
        is_sound
    }

    /// Makes the first two levels of blocks ready of a tree that goes on below; the number of an exit is what it leads to.
    #[inline(always)]
    pub(super) fn set_top(&mut self, avx2: Avx2, grove: Grove<'_>, root: &Block) {
        let counts = &mut Counts::default();
        let below = root.exits.map(|to| *grove.block(to));
        self.add_ends(counts, avx2, &below, 1);
        self.below[0] = [1, 2, 3, 4, 5, 6, 7, 8];
        self.add(counts, 0, avx2.splits(root), 0);
        self.counts = *counts;
    }

    /// The numbers that rows get. What is found out below blocks is kept in `slots`.
    #[inline(always)]
    pub(super) fn numbers<const GROUPS: usize>(
        &self,
        unit: impl Long,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]; BLOCKS_MAX],
    ) -> [Exits; GROUPS] {
        let [joins, one, two, three] =
            std::array::from_fn(|kind| &self.kinds[kind][..self.counts.get(kind).min(BLOCKS_MAX)]);
        let numbers = |slot: u32| &NUMBERS[(slot as usize).wrapping_sub(self.first_end) % BLOCKS_MAX];
        for step in one {
            slots[step.slot as usize % BLOCKS_MAX] = unit.exits::<1, GROUPS>(&step.splits, numbers(step.slot), ranks);
        }
        for step in two {
            slots[step.slot as usize % BLOCKS_MAX] = unit.exits::<2, GROUPS>(&step.splits, numbers(step.slot), ranks);
        }
        for step in three {
            slots[step.slot as usize % BLOCKS_MAX] = unit.exits::<3, GROUPS>(&step.splits, numbers(step.slot), ranks);
        }
        for step in joins {
            let below = self.below[step.slot as usize % BLOCKS_MAX].map(|slot| &slots[slot as usize % BLOCKS_MAX]);
            slots[step.slot as usize % BLOCKS_MAX] = unit.join(&step.splits, ranks, below);
        }
        slots[0]
    }
}

/// The numbers of eight leaves for each block.
static NUMBERS: [Numbers; BLOCKS_MAX] = {
    let mut numbers = [[0; Block::SLOTS]; BLOCKS_MAX];
    let mut at = 0;
    while at < LEAVES_MAX {
        numbers[at / Block::SLOTS][at % Block::SLOTS] = at as u32 * 0x0101_0101;
        at += 1;
    }
    numbers
};

/// How many levels of a block are asked: those that have splits, and at least one.
#[inline(always)]
fn levels(block: &Block) -> usize {
    // Slots 2 and 3 are the second level, those behind them the third.
    let ranks = u64::from_le_bytes(block.ranks);
    1 + usize::from(ranks >> 16 != 0) + usize::from(ranks >> 32 != 0)
}

/// What the exits of `block` are beyond `first`.
#[inline(always)]
fn exits(block: &Block, first: u32) -> [u32; Block::SLOTS] {
    std::array::from_fn(|exit| block.exits[exit].wrapping_sub(first))
}
