//! Many rows in vector lanes: all splits of a block are compared, and each row selects its way.
//!
//! Plain loops over arrays of [`HALF`] bytes, written so that each operation becomes one vector instruction: comparing
//! 7 splits costs less there than walking past 3. Nothing here depends on the processor.

use super::walk::{HALF, Half, HalfRanks};
use crate::pack::format::Block;

/// What splits compare in lanes: ranks as signed bytes, which every vector unit compares. Those that fit no byte are of
/// splits whose ways lead to the same.
#[inline(always)]
pub(super) fn byte(rank: u32) -> i8 {
    (rank.to_le_bytes()[0] ^ 0x80).cast_signed()
}

/// The rank that a [`byte`] is of.
#[inline(always)]
pub(super) fn rank(byte: i8) -> u32 {
    u32::from(byte.cast_unsigned() ^ 0x80)
}

/// The splits of a block of a checked pack, made ready for lanes; slot 0 is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Splits {
    /// Eight times the column, as in the block.
    pub(super) columns: [u32; Block::EXITS],
    /// The [`byte`] of the rank, four times, because that is easier to spread over a vector.
    pub(super) ranks: [u32; Block::EXITS],
}

impl Splits {
    /// Those of `block`.
    #[inline(always)]
    pub(super) fn of(block: &Block) -> Self {
        let mut splits = Self::default();
        for slot in 0..Block::EXITS {
            splits.columns[slot] = block.0[slot] & 0xffff;
        }
        for slot in 0..Block::EXITS {
            let rank = (block.0[slot] >> 16 ^ 0x80) & 0xff;
            let twice = rank | rank << 8;
            splits.ranks[slot] = twice | twice << 16;
        }
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
