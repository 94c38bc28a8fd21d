//! Trees of any shape in lanes: a split is a step, which chooses for each row between what was found out on its left and on its
//! right.
//!
//! Leaves have numbers, and what a step finds out is kept in a slot. Steps of lower splits come first, so the last one's is the
//! number of the leaf that a row reaches.

#![allow(clippy::cast_possible_truncation, reason = "slots and numbers of leaves are few")]

use super::{
    lanes::four,
    walk::{Aligned, Lanes, ROWS},
};
use crate::pack::format::Block;

/// The most leaves that a byte tells apart.
pub(super) const LEAVES_MAX: usize = 256;

/// For each row the number of an exit or a leaf.
pub(super) type Exits = Aligned<Lanes<u8>>;

/// The most blocks that a tree may have here: as many as there are where each has two splits.
const BLOCKS_MAX: usize = LEAVES_MAX / 2;
/// Slots that hold the number of each leaf come first, then those of what is found out within a block, then one for each block.
const WITHIN: usize = LEAVES_MAX;
const BLOCKS: usize = WITHIN + Block::SLOTS;
const SLOTS: usize = (BLOCKS + BLOCKS_MAX).next_power_of_two();

/// A split made ready.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// Eight times the column.
    pub(super) column: u32,
    /// [`four`] of the rank.
    pub(super) rank: u32,
    /// Where what is below on each side is kept, and where to keep what comes of it.
    pub(super) left: u16,
    pub(super) right: u16,
    pub(super) to: u16,
}

/// What is found out for 64 rows.
#[derive(Debug)]
pub(super) struct Slots(Box<[Exits; SLOTS]>);

/// The splits of a tree made ready, and room for what is found out.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) steps: Vec<Step>,
    pub(super) slots: Slots,
}

impl Slots {
    #[inline(always)]
    pub(super) fn get(&self, slot: u16) -> &Exits {
        &self.0[usize::from(slot) % SLOTS]
    }

    #[inline(always)]
    pub(super) fn get_mut(&mut self, slot: u16) -> &mut Exits {
        &mut self.0[usize::from(slot) % SLOTS]
    }
}

impl Default for Steps {
    fn default() -> Self {
        let slots = (0..SLOTS).map(|slot| Aligned([if slot < LEAVES_MAX { slot as u8 } else { 0 }; ROWS]));
        let slots: Vec<Exits> = slots.collect();
        Self { steps: Vec::with_capacity(LEAVES_MAX), slots: Slots(slots.try_into().expect("there are as many")) }
    }
}

impl Steps {
    /// What they take apart from themselves.
    pub(super) const BYTES: usize = SLOTS * size_of::<Exits>() + LEAVES_MAX * size_of::<Step>();

    /// Makes a tree ready whose blocks these are, of which the first is number `first`, and writes the bits of its leaves into
    /// `leaves`: how many these are. Nothing, where it has too many leaves or blocks.
    #[inline(always)]
    pub(super) fn set(&mut self, blocks: &[Block], first: u32, leaves: &mut [u32; LEAVES_MAX]) -> Option<usize> {
        if blocks.len() > BLOCKS_MAX {
            return None;
        }
        self.steps.clear();
        let mut count = 0;
        for (at, block) in blocks.iter().enumerate().rev() {
            let splits = block.ranks[1..].iter().take_while(|rank| **rank > 0).count();
            let to_leaves = block.high[0] & (u8::MAX >> (Block::SLOTS - 1 - splits));
            if count + to_leaves.count_ones() as usize > LEAVES_MAX {
                return None;
            }
            let mut slots = [0; Block::SLOTS];
            for exit in 0..=splits {
                let to = block.exits[exit];
                // Written in any case, so that there is no branch: which exits lead to leaves cannot be foreseen.
                if let Some(bits) = leaves.get_mut(count) {
                    *bits = to;
                }
                let slot_of_block = (BLOCKS as u32).wrapping_add(to.wrapping_sub(first)) as u16;
                slots[exit] = if block.is_leaf(exit) { count as u16 } else { slot_of_block };
                count += usize::from(block.is_leaf(exit));
            }
            let own = (BLOCKS + at) as u16;
            for slot in (1..=splits).rev() {
                // It has on its left what it rules out.
                let ruled_out = block.ruled_out[slot] & (u8::MAX >> 1);
                let left = ruled_out.trailing_zeros() as usize % Block::SLOTS;
                let right = (u8::BITS - ruled_out.leading_zeros()) as usize % Block::SLOTS;
                let to = if slot == 1 { own } else { (WITHIN + left) as u16 };
                let column = (u32::from(block.columns[slot]) | u32::from(block.high[slot]) << 8) * 8;
                let rank = four(block.ranks[slot]);
                self.steps.push(Step { column, rank, left: slots[left], right: slots[right], to });
                slots[left] = to;
            }
            if splits == 0 {
                // A tree that is one leaf: whichever way.
                self.steps.push(Step { column: 0, rank: 0, left: slots[0], right: slots[0], to: own });
            }
        }
        Some(count)
    }

    /// The numbers of the leaves that rows reach, once all steps were taken.
    #[inline(always)]
    pub(super) fn numbers(&self) -> &Exits {
        self.slots.get(BLOCKS as u16)
    }
}
