//! Trees of any shape in lanes: a split is a step, which chooses for each row between what was found out on its left and on its
//! right.
//!
//! Leaves have numbers, and what a step finds out is kept in a slot. Steps of lower splits come first, so the last one's is the
//! number of the leaf that a row reaches.

#![allow(clippy::cast_possible_truncation, reason = "slots and numbers of leaves are few")]

use super::{
    lanes::Splits,
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
const BLOCKS: u32 = Block::SLOTS as u32;
/// The most blocks that a tree may have here.
const BLOCKS_MAX: usize = (LINES - LEAVES_MAX) / PAIR - BLOCKS as usize;

/// For each row the number of an exit or a leaf.
pub(super) type Exits = Aligned<Lanes<u8>>;

/// Where something is kept of each group of a pair: indices of lines, sixteen bits each. In one number, since what is
/// written in parts and read as a whole makes a processor wait.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place(u32);

impl Place {
    /// The number of a leaf, which is the same of all groups.
    #[inline(always)]
    fn of_leaf(number: usize) -> Self {
        Self(number as u32 * 0x1_0001)
    }

    /// A slot.
    #[inline(always)]
    fn of_slot(number: u32) -> Self {
        let line = LEAVES_MAX as u32 + number * PAIR as u32;
        Self(line | (line + 1) << 16)
    }

    /// The line of one of the groups.
    #[inline(always)]
    pub(super) fn line(self, group: usize) -> usize {
        (self.0 >> (16 * group)) as usize % LINES
    }
}

/// A split made ready.
#[derive(Clone, Copy, Debug, Default)]
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

/// What is found out for a pair of groups.
pub(super) type Slots = [Exits; LINES];

/// The splits of a tree made ready, and room for what is found out.
#[derive(Debug)]
pub(super) struct Steps {
    taken: Box<[Step; LEAVES_MAX]>,
    count: usize,
    slots: Box<Slots>,
}

impl Default for Steps {
    fn default() -> Self {
        let lines = (0..LINES).map(|line| Aligned([if line < LEAVES_MAX { line as u8 } else { 0 }; ROWS]));
        let lines: Vec<Exits> = lines.collect();
        Self {
            taken: vec![Step::default(); LEAVES_MAX].try_into().expect("there are as many"),
            count: 0,
            slots: lines.try_into().expect("there are as many"),
        }
    }
}

impl Steps {
    /// What they take apart from themselves.
    pub(super) const BYTES: usize = LINES * size_of::<Exits>() + LEAVES_MAX * size_of::<Step>();

    /// Makes a tree ready whose blocks these are, of which the first is number `first`, and writes the bits of its leaves into
    /// `leaves`: how many these are. Nothing, where it has too many leaves or blocks. `splits` makes those of a block ready.
    #[inline(always)]
    pub(super) fn set(
        &mut self,
        blocks: &[Block],
        first: u32,
        leaves: &mut [u32; LEAVES_MAX],
        splits: impl Fn(&Block) -> Splits,
    ) -> Option<usize> {
        if blocks.len() > BLOCKS_MAX {
            return None;
        }
        let (mut count, mut steps) = (0, 0);
        for (at, block) in blocks.iter().enumerate().rev() {
            let ready = splits(block);
            // Slots with splits follow one another.
            let ranks = u64::from_le_bytes(block.ranks);
            let splits = (Block::SLOTS - ranks.leading_zeros() as usize / 8).saturating_sub(1);
            let to_leaves = u32::from(block.high[0] & (u8::MAX >> (Block::SLOTS - 1 - splits)));
            if count + to_leaves.count_ones() as usize > LEAVES_MAX {
                return None;
            }
            let mut places = [Place::default(); Block::SLOTS];
            for exit in 0..Block::SLOTS {
                let to = block.exits[exit];
                let number = count + (to_leaves & ((1 << exit) - 1)).count_ones() as usize;
                // Written in any case, so that there is no branch: which exits lead to leaves cannot be foreseen.
                if let Some(bits) = leaves.get_mut(number) {
                    *bits = to;
                }
                let of_block = Place::of_slot(BLOCKS + to.wrapping_sub(first) % LINES as u32);
                places[exit] = if to_leaves >> exit & 1 == 1 { Place::of_leaf(number) } else { of_block };
            }
            count += to_leaves.count_ones() as usize;
            let own = Place::of_slot(BLOCKS + at as u32);
            for at_split in (1..=splits).rev() {
                // It has on its left what it rules out.
                let ruled_out = u32::from(block.ruled_out[at_split]) | 1 << Block::SLOTS;
                let left = ruled_out.trailing_zeros() as usize % Block::SLOTS;
                let right = (left + ruled_out.count_ones() as usize - 1) % Block::SLOTS;
                let to = if at_split == 1 { own } else { Place::of_slot(left as u32) };
                let (column, rank) = (ready.columns[at_split], ready.ranks[at_split]);
                self.taken[steps % LEAVES_MAX] = Step { column, rank, left: places[left], right: places[right], to };
                places[left] = to;
                steps += 1;
            }
            if splits == 0 {
                // A tree that is one leaf: whichever way.
                self.taken[steps % LEAVES_MAX] =
                    Step { column: 0, rank: 0, left: places[0], right: places[0], to: own };
                steps += 1;
            }
        }
        self.count = steps.min(LEAVES_MAX);
        Some(count)
    }

    /// The steps and what they keep.
    #[inline(always)]
    pub(super) fn parts(&mut self) -> (&[Step], &mut Slots) {
        (&self.taken[..self.count], &mut self.slots)
    }

    /// The numbers of the leaves that rows reach, of each group of a pair, once all steps were taken.
    #[inline(always)]
    pub(super) fn numbers(&self) -> [&Exits; PAIR] {
        std::array::from_fn(|group| &self.slots[Place::of_slot(BLOCKS).line(group)])
    }
}
