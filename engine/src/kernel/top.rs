//! The first six levels of a tree whose ways are of one length, for half a group of rows at a time.

use bytemuck::cast_mut;

use super::{
    lanes::Splits,
    unit::{self, Narrow, Rows, Tree},
    walk::{Aligned, Grove, HALF, Half, HalfRanks, ROWS},
};
use crate::pack::format::Block;

/// They, made ready for any number of rows.
#[derive(Debug)]
pub(super) struct Top {
    pub(super) root: Splits,
    /// The blocks that the root's exits lead to; whatever was there before for those that lead to leaves.
    pub(super) below: [Splits; Block::SLOTS],
    /// How many of `below` are to be asked: 8, or where the root is padded 4 or 2, which the others are as.
    pub(super) distinct: usize,
    /// Where the exits lead: those of the eight blocks, of one block behind those of the other. Of a tree of one level of blocks
    /// the first eight.
    pub(super) exits: [u32; 64],
    /// Byte `i` of each in plane `i`, so that one instruction looks up a byte for many rows.
    pub(super) planes: [Aligned<[u8; 64]>; 4],
}

impl Default for Top {
    fn default() -> Self {
        Self {
            root: Splits::default(),
            below: [Splits::default(); Block::SLOTS],
            distinct: Block::SLOTS,
            exits: [0; 64],
            planes: [Aligned([0; 64]); 4],
        }
    }
}

impl Top {
    /// As [`Unit::set`](super::unit::Unit::set). Trees of any shape are walked row by row, and nothing is made ready.
    #[inline(always)]
    pub(super) fn set(&mut self, unit: impl Narrow, tree: Tree<'_>) {
        if tree.grove.levels == 0 {
            return;
        }
        let root = tree.grove.block(tree.root());
        self.root = unit.splits(root);
        if tree.grove.levels == 1 {
            self.exits[..Block::SLOTS].copy_from_slice(&root.exits);
        } else {
            self.set_below(unit, tree.grove, root);
        }
        if matches!(tree.grove.levels, 1 | 2) {
            unit.spread(self);
        }
    }

    #[inline(always)]
    fn set_below(&mut self, unit: impl Narrow, grove: Grove<'_>, root: &Block) {
        let exits = &root.exits;
        self.distinct = if exits[..4] != exits[4..] {
            8
        } else if exits[..2] != exits[2..4] {
            4
        } else {
            2
        };
        for (at, &exit) in exits.iter().enumerate() {
            let part = at * 8..at * 8 + 8;
            if at >= self.distinct {
                let before = part.start - self.distinct * 8;
                self.exits.copy_within(before..before + 8, part.start);
            } else {
                let block = grove.block(exit);
                self.below[at] = unit.splits(block);
                self.exits[part].copy_from_slice(&block.exits);
            }
        }
    }

    /// Makes the planes ready.
    #[inline(always)]
    pub(super) fn spread(&mut self) {
        for (plane, shift) in self.planes.iter_mut().zip([0, 8, 16, 24]) {
            for leaf in 0..64 {
                plane.0[leaf] = (self.exits[leaf] >> shift).to_le_bytes()[0];
            }
        }
    }

    /// As [`Unit::go_down`](super::unit::Unit::go_down).
    #[inline(always)]
    pub(super) fn go_down(&self, unit: impl Narrow, tree: Tree<'_>, rows: Rows<'_>) {
        match tree.grove.levels {
            0 => unit::walk(tree, rows),
            1 => each_half(tree.grove, rows, |ranks, sums| unit.add_leaves(self, &unit.exits(&self.root, ranks), sums)),
            2 => each_half(tree.grove, rows, |ranks, sums| unit.add_leaves(self, &unit.top_exits(self, ranks), sums)),
            _ => self.walk_on(unit, tree, rows),
        }
    }

    #[inline(always)]
    fn walk_on(&self, unit: impl Narrow, tree: Tree<'_>, rows: Rows<'_>) {
        let (grove, columns, mut next) = (tree.grove, tree.grove.columns(), tree.next());
        let share = next.len().div_ceil(rows.sums.len());
        for (group, sums) in rows.sums.iter_mut().enumerate() {
            let ranks = grove.ranks(&rows.bytes[group * columns..]);
            next.by_ref().take(share).for_each(|block| grove.ask_for(block));
            let count = (rows.count - group * ROWS).min(ROWS);
            let mut exits = [[0; HALF]; ROWS / HALF];
            for (half, exits) in exits.iter_mut().enumerate().take(count.div_ceil(HALF)) {
                *exits = unit.top_exits(self, ranks.half(half > 0));
            }
            unit::walk_on(grove, &self.exits, &exits.as_flattened()[..count], ranks, &mut sums.0[..count]);
        }
    }

    /// Which of `exits` each row takes.
    #[inline(always)]
    pub(super) fn exits(&self, ranks: HalfRanks<'_>) -> Half<u8> {
        let first = self.root.exits(ranks);
        let mut below = [[0; HALF]; 8];
        for at in 0..8 {
            below[at] = if at < self.distinct { self.below[at].exits(ranks) } else { below[at - self.distinct] };
        }
        select(&first, &below)
    }
}

/// Calls `each` with the ranks and the sums of every half of a group that has rows.
#[inline(always)]
fn each_half(grove: Grove<'_>, rows: Rows<'_>, mut each: impl FnMut(HalfRanks<'_>, &mut Half<f32>)) {
    let mut halves = rows.count.div_ceil(HALF);
    for (bytes, sums) in rows.bytes.chunks_exact(grove.columns()).zip(rows.sums) {
        let (ranks, [first, latter]) = (grove.ranks(bytes), cast_mut(&mut sums.0));
        each(ranks.half(false), first);
        if halves > 1 {
            each(ranks.half(true), latter);
        }
        halves = halves.saturating_sub(2);
    }
}

/// Which of the 64 exits of the eight blocks below a first one each row leaves through, of those that it leaves each of
/// the nine through.
#[inline(always)]
fn select(first: &Half<u8>, below: &[Half<u8>; 8]) -> Half<u8> {
    // Masks instead of conditions: these stay vector instructions.
    let select = |mask: u8, one: u8, other: u8| one ^ ((one ^ other) & mask);
    let [zero, one, two, three, four, five, six, seven] = below;
    let mut exits = [0; HALF];
    for row in 0..HALF {
        let mask = |bit: u8| 0_u8.wrapping_sub((first[row] >> bit) & 1);
        let (low, middle, high) = (mask(0), mask(1), mask(2));
        let left_left = select(low, zero[row], one[row]);
        let left_right = select(low, two[row], three[row]);
        let right_left = select(low, four[row], five[row]);
        let right_right = select(low, six[row], seven[row]);
        let exit = select(high, select(middle, left_left, left_right), select(middle, right_left, right_right));
        exits[row] = exit | first[row] << 3;
    }
    exits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation, reason = "small numbers")]

    use super::*;

    #[test]
    fn of_eight_blocks_each_row_has_one() {
        let first = std::array::from_fn(|row| row as u8 % 8);
        let below = std::array::from_fn(|block| std::array::from_fn(|row| (row / 8 + block) as u8 % 8));
        for (row, exit) in select(&first, &below).into_iter().enumerate() {
            let block = row % 8;
            assert_eq!(usize::from(exit), block * 8 + (row / 8 + block) % 8);
        }
    }
}
