//! Many rows in vector lanes: all splits of a block are compared, and each row selects its way.
//!
//! Plain loops over arrays of [`HALF`] bytes, written so that each operation becomes one vector instruction: comparing
//! 7 splits costs less there than walking past 3. Nothing here depends on the processor.

use super::walk::{HALF, Half, HalfRanks};
use crate::pack::format::Block;

/// What splits compare in lanes: ranks as signed bytes, which every vector unit compares.
#[inline(always)]
pub(super) fn byte(rank: u32) -> i8 {
    (rank.to_le_bytes()[0] ^ 0x80).cast_signed()
}

/// The rank that a [`byte`] is of.
#[inline(always)]
pub(super) fn rank(byte: i8) -> u8 {
    byte.cast_unsigned() ^ 0x80
}

/// The [`byte`] of a rank, four times, because that is easier to spread over a vector.
#[inline(always)]
pub(super) fn four(rank: u8) -> u32 {
    u32::from(rank ^ 0x80) * 0x0101_0101
}

/// The splits of a block of a checked pack, made ready for lanes; slot 0 is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Splits {
    /// Eight times the column.
    pub(super) columns: [u32; Block::SLOTS],
    /// [`four`] of the rank.
    pub(super) ranks: [u32; Block::SLOTS],
}

impl Splits {
    /// Those of `block`, which has whole levels.
    #[inline(always)]
    pub(super) fn of(block: &Block) -> Self {
        let mut splits = Self::default();
        for slot in 0..Block::SLOTS {
            splits.columns[slot] = (u32::from(block.columns[slot]) | u32::from(block.high[slot]) << 8) * 8;
        }
        for slot in 0..Block::SLOTS {
            splits.ranks[slot] = four(block.ranks[slot]);
        }
        // Its high byte is none.
        splits.columns[0] = 0;
        splits
    }

    /// Which of the block's eight exits each row leaves it through.
    #[inline(always)]
    pub(super) fn exits(&self, ranks: HalfRanks<'_>) -> Half<u8> {
        let split = |slot: usize| (ranks.column(self.columns[slot]), self.ranks[slot].to_le_bytes()[0].cast_signed());
        let (one, two, three) = (split(1), split(2), split(3));
        let (four, five, six, seven) = (split(4), split(5), split(6), split(7));
        let mut exits = [0; HALF];
        for row in 0..HALF {
            let right = |(ranks, rank): (&Half<i8>, i8)| ranks[row] >= rank;
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
