//! Many rows at the top of a tree: all splits of three or six levels are compared, and each row selects its way.
//!
//! Plain loops over arrays of [`ROWS`] bytes, written so that each operation becomes one vector instruction: comparing
//! 7 splits costs less there than walking past 3. Nothing here depends on the processor.

use super::walk::{Grove, Lanes, ROWS, Ranks, is_leaf};
use crate::pack::format::Block;

/// What splits compare in lanes: ranks as signed bytes, which every vector unit compares. Those that fit no byte are of
/// splits whose ways lead to the same.
#[inline(always)]
pub(super) fn byte(rank: u32) -> i8 {
    (rank.to_le_bytes()[0] ^ 0x80).cast_signed()
}

/// The splits of a block of a checked pack, made ready for lanes; slot 0 is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Splits {
    /// Eight times the column, as in the block.
    pub(super) columns: [u32; Block::EXITS],
    /// The [`byte`] of the rank, four times, because that is easier to spread over a vector.
    pub(super) ranks: [u32; Block::EXITS],
}

/// The first six levels of a tree, made ready for any number of rows.
#[derive(Debug)]
pub(super) struct Top {
    pub(super) root: Splits,
    /// The blocks that the root's exits lead to; whatever was there before for those that lead to leaves.
    pub(super) below: [Splits; 8],
    /// How many of `below` are to be asked: 8, or where the root is padded 4 or 2, which the others are as.
    pub(super) distinct: usize,
    /// Where the exits lead: those of the eight blocks, of one block behind those of the other.
    pub(super) exits: [u32; 64],
}

impl Default for Top {
    fn default() -> Self {
        Self { root: Splits::default(), below: [Splits::default(); 8], distinct: 8, exits: [0; 64] }
    }
}

impl Splits {
    /// Those of `block`.
    #[inline(always)]
    fn of(block: &Block) -> Self {
        let mut splits = Self::default();
        for slot in 0..Block::EXITS {
            splits.columns[slot] = block.0[slot] & 0xffff;
            let rank = u32::from(byte(block.0[slot] >> 16).cast_unsigned());
            splits.ranks[slot] = rank | rank << 8 | rank << 16 | rank << 24;
        }
        splits
    }

    /// Which of the block's eight exits each row leaves it through.
    #[inline(always)]
    pub(super) fn exits(&self, ranks: Ranks<'_>) -> Lanes<u8> {
        let split = |slot: usize| (ranks.column(self.columns[slot]), self.ranks[slot].to_le_bytes()[0].cast_signed());
        let (one, two, three) = (split(1), split(2), split(3));
        let (four, five, six, seven) = (split(4), split(5), split(6), split(7));
        let mut exits = [0; ROWS];
        for row in 0..ROWS {
            let right = |(ranks, rank): (&Lanes<i8>, i8)| ranks[row] >= rank;
            let left_left = u8::from(right(four));
            let left_right = if right(five) { 3 } else { 2 };
            let right_left = if right(six) { 5 } else { 4 };
            let right_right = if right(seven) { 7 } else { 6 };
            let left = if right(two) { left_right } else { left_left };
            let both = if right(three) { right_right } else { right_left };
            exits[row] = if right(one) { both } else { left };
        }
        exits
    }
}

impl Top {
    /// Makes the tree ready whose root is `root`; of a tree of one level of blocks that block, whose exits are the first.
    #[inline(always)]
    pub(super) fn set(&mut self, grove: Grove<'_>, root: &Block) {
        self.root = Splits::of(root);
        let exits = &root.0[Block::EXITS..];
        if grove.levels == 1 {
            self.exits[..8].copy_from_slice(exits);
            return;
        }
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
            } else if grove.levels == 0 && is_leaf(exit) {
                self.exits[part].fill(exit);
            } else {
                let block = grove.block(exit);
                self.below[at] = Splits::of(block);
                self.exits[part].copy_from_slice(&block.0[Block::EXITS..]);
            }
        }
    }

    /// Which of `exits` each row takes.
    #[inline(always)]
    pub(super) fn exits(&self, ranks: Ranks<'_>) -> Lanes<u8> {
        let first = self.root.exits(ranks);
        let mut below = [[0; ROWS]; 8];
        for at in 0..8 {
            below[at] = if at < self.distinct { self.below[at].exits(ranks) } else { below[at - self.distinct] };
        }
        select(&first, &below)
    }
}

/// Which of the 64 exits of the eight blocks below a first one each row leaves through, of those that it leaves each of
/// the nine through.
#[inline(always)]
fn select(first: &Lanes<u8>, below: &[Lanes<u8>; 8]) -> Lanes<u8> {
    // Masks instead of conditions: these stay vector instructions.
    let select = |mask: u8, one: u8, other: u8| one ^ ((one ^ other) & mask);
    let [zero, one, two, three, four, five, six, seven] = below;
    let mut exits = [0; ROWS];
    for row in 0..ROWS {
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
