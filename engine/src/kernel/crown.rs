//! What of a tree is done in lanes, made ready once for all rows of a batch: the whole of it, or its top.
//!
//! A block is a step. It finds out for each row where it ends below the block, out of what was found out below the block's
//! exits; leaves have numbers. So later blocks come first, and what comes of the first block is the answer. A step costs as
//! much as the block has splits, rounded up to whole levels.

#![allow(clippy::cast_possible_truncation, reason = "slots and numbers of leaves are few")]

use super::{
    avx512::Avx512,
    lanes::Splits,
    leaves::{Exits, LEAVES_MAX, Leaves},
    walk::{Grove, Ranks, is_leaf},
};
use crate::pack::format::Block;

/// The most blocks that a tree may have.
pub(super) const BLOCKS_MAX: usize = 128;
/// The most that it may have where its ways are of one length: those at the bottom have eight leaves each.
const EVEN_BLOCKS_MAX: usize = 1 + Block::EXITS + LEAVES_MAX / Block::EXITS;

/// Kinds of steps: blocks that lead to others, and by their levels of splits those that lead to leaves alone.
const KINDS: usize = 1 + Block::DEPTH;

/// Slots for what is found out: of each block, and behind these for each leaf its number.
pub(super) const SLOTS: usize = (BLOCKS_MAX + LEAVES_MAX).next_power_of_two();
/// Slots where ways are of one length.
pub(super) const EVEN_SLOTS: usize = EVEN_BLOCKS_MAX.next_power_of_two();

/// The numbers of a block's exits, each four times.
pub(super) type Numbers = [u32; Block::EXITS];

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
    /// What is below each block, where ways differ in length: the numbers of leaves, four times, if the block leads to these
    /// alone, and the slots of what is there if it does not.
    below: [[u32; Block::EXITS]; BLOCKS_MAX],
    /// Whether those that lead to leaves alone have eight each, in their order, and which is the first of them.
    is_even: bool,
    first_end: usize,
    /// What the numbers that rows get stand for.
    pub(super) leaves: Leaves,
}

impl Default for Crown {
    fn default() -> Self {
        Self {
            kinds: vec![[Step::default(); BLOCKS_MAX]; KINDS].try_into().expect("there are as many"),
            counts: Counts::default(),
            below: [[0; Block::EXITS]; BLOCKS_MAX],
            is_even: false,
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
    fn add_ends(&mut self, counts: &mut Counts, unit: Avx512, blocks: &[Block], first_end: usize) {
        let bits = self.leaves.bits.as_chunks_mut::<{ Block::EXITS }>().0;
        for (block, bits) in blocks.iter().zip(bits) {
            bits.copy_from_slice(&block.0[Block::EXITS..]);
        }
        for (block, slot) in blocks.iter().zip(first_end..) {
            self.add(counts, unit.levels(block), unit.splits(block), slot);
        }
        (self.is_even, self.first_end) = (true, first_end);
        self.leaves.count = blocks.len() * Block::EXITS;
    }

    /// Makes the whole of a tree ready whose root is the first of `blocks`, which are its own, and of which it is number
    /// `first`. False where they are too many or have too many leaves, or do not lie level by level.
    #[inline(always)]
    pub(super) fn set(&mut self, unit: Avx512, grove: Grove<'_>, blocks: &[Block], first: u32) -> bool {
        let counts = &mut Counts::default();
        let is_whole = match grove.levels {
            0 => self.set_uneven(counts, unit, grove, blocks, first),
            block_levels => self.set_even(counts, unit, block_levels, blocks, first),
        };
        self.counts = *counts;
        is_whole
    }

    #[inline(always)]
    fn set_even(&mut self, counts: &mut Counts, unit: Avx512, block_levels: u32, blocks: &[Block], first: u32) -> bool {
        let ends = match (block_levels, blocks) {
            (1, _) => 0,
            (2, _) => 1,
            (_, [root, ..]) => 1 + exits(root, first).into_iter().fold(0, u32::max) as usize,
            _ => return false,
        };
        if ends >= blocks.len().min(1 + 1 + Block::EXITS) || blocks.len() - ends > LEAVES_MAX / Block::EXITS {
            return false;
        }
        self.add_ends(counts, unit, &blocks[ends..], ends);
        let mut is_sound = true;
        for (at, block) in blocks[..ends].iter().enumerate().rev() {
            self.below[at] = exits(block, first);
            is_sound &= self.below[at].iter().fold(true, |all, exit| all & ((*exit as usize) < blocks.len()));
            self.add(counts, 0, unit.splits(block), at);
        }
        is_sound
    }

    #[inline(always)]
    fn set_uneven(
        &mut self,
        counts: &mut Counts,
        unit: Avx512,
        grove: Grove<'_>,
        blocks: &[Block],
        first: u32,
    ) -> bool {
        if blocks.len() > BLOCKS_MAX {
            return false;
        }
        let (mut first_leaf, mut last_leaf) = ([u32::MAX; Block::EXITS], [0; Block::EXITS]);
        for block in blocks {
            for exit in 0..Block::EXITS {
                let to = block.0[Block::EXITS + exit];
                first_leaf[exit] = first_leaf[exit].min(to ^ Block::LEAF);
                last_leaf[exit] = last_leaf[exit].max(to);
            }
        }
        let first_leaf = first_leaf.into_iter().fold(u32::MAX, u32::min);
        let count = (last_leaf.into_iter().fold(0, u32::max) & !Block::LEAF).wrapping_sub(first_leaf) as usize + 1;
        let values = grove.leaf_values(first_leaf as usize, count.min(LEAVES_MAX + 1));
        if values.is_empty() || values.len() > LEAVES_MAX {
            return false;
        }
        for (bits, value) in self.leaves.bits.iter_mut().zip(values) {
            *bits = value.to_bits();
        }
        (self.is_even, self.first_end) = (false, 0);
        self.leaves.count = values.len();
        let mut is_sound = true;
        for (at, block) in blocks.iter().enumerate().rev() {
            let to = exits(block, 0);
            let number = to.map(|to| (to & !Block::LEAF).wrapping_sub(first_leaf));
            let is_end = is_leaf(to.into_iter().fold(Block::LEAF, |all, to| all & to));
            let below = &mut self.below[at];
            for exit in 0..Block::EXITS {
                let slot =
                    if is_leaf(to[exit]) { number[exit] + BLOCKS_MAX as u32 } else { to[exit].wrapping_sub(first) };
                below[exit] = if is_end { number[exit].wrapping_mul(0x0101_0101) } else { slot };
                is_sound &= is_leaf(to[exit]) | ((to[exit].wrapping_sub(first) as usize) < blocks.len());
            }
            self.add(counts, usize::from(is_end) * unit.levels(block), unit.splits(block), at);
        }
        is_sound
    }

    /// Makes the first two levels of blocks ready of a tree that goes on below; the number of an exit is what it leads to.
    #[inline(always)]
    pub(super) fn set_top(&mut self, unit: Avx512, grove: Grove<'_>, root: &Block) {
        let counts = &mut Counts::default();
        let below = exits(root, 0).map(|to| {
            if grove.levels > 0 || !is_leaf(to) {
                return *grove.block(to);
            }
            // Rows come through one of its exits, whichever.
            let mut block = *root;
            block.0[Block::EXITS..].fill(to);
            block
        });
        self.add_ends(counts, unit, &below, 1);
        self.below[0] = [1, 2, 3, 4, 5, 6, 7, 8];
        self.add(counts, 0, unit.splits(root), 0);
        self.counts = *counts;
    }

    /// The numbers that rows get. What is found out below blocks is kept in `slots`.
    #[inline(always)]
    pub(super) fn numbers<const GROUPS: usize>(
        &self,
        unit: Avx512,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]],
    ) -> [Exits; GROUPS] {
        if GROUPS == 1 {
            self.take_steps::<GROUPS, SLOTS>(unit, ranks, slots.first_chunk_mut().expect("there are as many"))
        } else {
            self.take_steps::<GROUPS, EVEN_SLOTS>(unit, ranks, slots.first_chunk_mut().expect("there are as many"))
        }
    }

    #[inline(always)]
    fn take_steps<const GROUPS: usize, const SLOTS: usize>(
        &self,
        unit: Avx512,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]; SLOTS],
    ) -> [Exits; GROUPS] {
        let [joins, one, two, three] =
            std::array::from_fn(|kind| &self.kinds[kind][..self.counts.get(kind).min(BLOCKS_MAX)]);
        let numbers = if self.is_even { &NUMBERS } else { &self.below };
        let numbers = |slot: u32| &numbers[(slot as usize).wrapping_sub(self.first_end) % BLOCKS_MAX];
        for step in one {
            slots[step.slot as usize % SLOTS] = unit.exits::<1, GROUPS>(&step.splits, numbers(step.slot), ranks);
        }
        for step in two {
            slots[step.slot as usize % SLOTS] = unit.exits::<2, GROUPS>(&step.splits, numbers(step.slot), ranks);
        }
        for step in three {
            slots[step.slot as usize % SLOTS] = unit.exits::<3, GROUPS>(&step.splits, numbers(step.slot), ranks);
        }
        for step in joins {
            let below = self.below[step.slot as usize % BLOCKS_MAX].map(|slot| &slots[slot as usize % SLOTS]);
            slots[step.slot as usize % SLOTS] = unit.join(&step.splits, ranks, below);
        }
        slots[0]
    }
}

/// The numbers of eight leaves for each block.
static NUMBERS: [Numbers; BLOCKS_MAX] = {
    let mut numbers = [[0; Block::EXITS]; BLOCKS_MAX];
    let mut at = 0;
    while at < LEAVES_MAX {
        numbers[at / Block::EXITS][at % Block::EXITS] = at as u32 * 0x0101_0101;
        at += 1;
    }
    numbers
};

/// What the exits of `block` are beyond `first`.
#[inline(always)]
fn exits(block: &Block, first: u32) -> [u32; Block::EXITS] {
    std::array::from_fn(|exit| block.0[Block::EXITS + exit].wrapping_sub(first))
}
