//! What of a tree is done in lanes, made ready once for all rows of a batch: the whole of it, or its top.

use super::{
    lanes::{ENDS_MAX, Exits, Leaves, NUMBERS, Splits},
    unit::Unit,
    walk::{Aligned, Grove, ROWS, Ranks, is_leaf},
};
use crate::pack::format::Block;

/// Groups that go down a tree side by side, where there are as many.
pub(super) const ABREAST: usize = 4;

/// The most blocks whose exits lead to other blocks too.
const JOINS_MAX: usize = 128;

/// The most that is kept of a tree whose ways are all of one length, and of any.
const EVEN_SLOTS: usize = 64;
const SLOTS: usize = 512;

/// Where what is found out of blocks is kept, for one group and for many side by side.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) one: Vec<[Exits; 1]>,
    pub(super) many: Vec<[Exits; ABREAST]>,
}

impl Default for Slots {
    fn default() -> Self {
        Self { one: vec![[NONE]; SLOTS], many: vec![[NONE; ABREAST]; EVEN_SLOTS] }
    }
}

const NONE: Exits = Aligned([0; ROWS]);

/// A block whose exits lead to other blocks: the slots of what is found out of these.
#[derive(Clone, Copy, Debug, Default)]
struct Join {
    splits: Splits,
    below: [u16; Block::EXITS],
}

/// See the module.
#[derive(Debug)]
pub(super) struct Crown {
    ends: [Splits; ENDS_MAX],
    ends_count: usize,
    /// Each behind those that it leads to; the last one is the root.
    joins: [Join; JOINS_MAX],
    joins_count: usize,
    /// What the numbers that rows get stand for.
    pub(super) leaves: Leaves,
}

impl Default for Crown {
    fn default() -> Self {
        Self {
            ends: [Splits::default(); ENDS_MAX],
            ends_count: 0,
            joins: [Join::default(); JOINS_MAX],
            joins_count: 0,
            leaves: Leaves::default(),
        }
    }
}

impl Crown {
    /// Makes the whole of a tree ready whose root is the first of `blocks`, which are its own, level by level, and of which
    /// it is number `first`. False where they are too many, or do not lie so.
    #[inline(always)]
    pub(super) fn set(&mut self, grove: Grove<'_>, blocks: &[Block], first: u32) -> bool {
        let Some((root, below)) = blocks.split_first() else { return false };
        let (middle, bottom) = match grove.levels {
            1 => (&[][..], std::slice::from_ref(root)),
            2 => (&[][..], below),
            _ => {
                let of_root = exits(root, first + 1);
                let count = of_root.iter().fold(0, |greatest, exit| greatest.max(*exit)).saturating_add(1);
                match below.split_at_checked(count as usize) {
                    Some(parts) if count as usize <= Block::EXITS => parts,
                    _ => return false,
                }
            }
        };
        if bottom.len() > ENDS_MAX {
            return false;
        }
        let bits = self.leaves.bits.as_chunks_mut().0;
        for ((block, splits), bits) in bottom.iter().zip(&mut self.ends).zip(bits) {
            *splits = Splits::of(block);
            *bits = exits(block, 0);
        }
        self.ends_count = bottom.len();
        self.leaves.count = bottom.len() * Block::EXITS;
        self.joins_count = 0;
        let first_middle = first + 1;
        let first_bottom = first_middle + middle.len() as u32;
        middle.iter().all(|block| self.add_join(block, first_bottom, 0, bottom.len()))
            && match grove.levels {
                1 => true,
                2 => self.add_join(root, first_bottom, 0, bottom.len()),
                _ => self.add_join(root, first_middle, bottom.len(), middle.len()),
            }
    }

    /// Adds a block whose exits lead to `count` blocks from number `first` on, the first of which has slot `first_slot`. False
    /// where they lead elsewhere.
    #[inline(always)]
    fn add_join(&mut self, block: &Block, first: u32, first_slot: usize, count: usize) -> bool {
        let exits = exits(block, first);
        let below = exits.map(|exit| slot(first_slot + exit as usize));
        self.joins[self.joins_count] = Join { splits: Splits::of(block), below };
        self.joins_count += 1;
        exits.iter().fold(true, |all, exit| all & ((*exit as usize) < count))
    }

    /// Makes the first two levels of blocks ready of a tree that goes on below; the number of an exit is what it leads to.
    #[inline(always)]
    pub(super) fn set_top(&mut self, grove: Grove<'_>, root: &Block) {
        let bits = self.leaves.bits.as_chunks_mut().0;
        for ((exit, splits), bits) in exits(root, 0).into_iter().zip(&mut self.ends).zip(bits) {
            if grove.levels == 0 && is_leaf(exit) {
                // Rows come through one of its exits, whichever.
                (*splits, *bits) = (Splits::of(root), [exit; Block::EXITS]);
            } else {
                let block = grove.block(exit);
                (*splits, *bits) = (Splits::of(block), exits(block, 0));
            }
        }
        self.ends_count = Block::EXITS;
        self.leaves.count = Block::EXITS * Block::EXITS;
        self.joins[0] = Join { splits: Splits::of(root), below: std::array::from_fn(slot) };
        self.joins_count = 1;
    }

    /// The numbers that rows get. Exits of blocks are kept in `slots`.
    #[inline(always)]
    pub(super) fn numbers<const GROUPS: usize>(
        &self,
        unit: impl Unit,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]],
    ) -> [Exits; GROUPS] {
        let slots: &mut [_; EVEN_SLOTS] = slots.first_chunk_mut().expect("there are as many");
        let (ends, joins) = (&self.ends[..self.ends_count], &self.joins[..self.joins_count]);
        for ((splits, numbers), to) in ends.iter().zip(&NUMBERS).zip(slots.iter_mut()) {
            *to = unit.exits(splits, numbers, ranks);
        }
        for (join, at) in joins.iter().zip(ends.len()..) {
            let below = join.below.map(|slot| &slots[usize::from(slot) % EVEN_SLOTS]);
            slots[at % EVEN_SLOTS] = unit.join(&join.splits, ranks, below);
        }
        slots[(ends.len() + joins.len() - 1) % EVEN_SLOTS]
    }
}

/// What the exits of `block` are beyond `first`.
#[inline(always)]
fn exits(block: &Block, first: u32) -> [u32; Block::EXITS] {
    std::array::from_fn(|exit| block.0[Block::EXITS + exit].wrapping_sub(first))
}

/// The slot of what is found out of a block that comes so many behind the first.
#[inline(always)]
fn slot(block: usize) -> u16 {
    block as u16
}
