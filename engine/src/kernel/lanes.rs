//! Many rows in vector lanes: all splits of a block are compared, and each row selects its way.
//!
//! Plain loops over arrays of [`ROWS`] bytes, written so that each operation becomes one vector instruction: comparing
//! 7 splits costs less there than walking past 3. Nothing here depends on the processor.

use super::walk::{Aligned, HALF, Lanes, ROWS, Ranks};
use crate::pack::format::Block;

/// The most leaves that a byte tells apart.
pub(super) const LEAVES_MAX: usize = 256;

/// For each row the number of an exit or a leaf.
pub(super) type Exits = Aligned<Lanes<u8>>;

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

/// The numbers of a block's exits, each four times.
pub(super) type Numbers = [u32; Block::EXITS];

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

    /// What rows have in the column of a split, and its rank.
    #[inline(always)]
    fn split<'a>(&self, slot: usize, ranks: Ranks<'a>) -> (&'a Lanes<i8>, i8) {
        (ranks.column(self.columns[slot]), self.ranks[slot].to_le_bytes()[0].cast_signed())
    }

    /// As [`Unit::exits`](super::unit::Unit::exits), of one group, where numbers follow each other from a multiple of eight on.
    #[inline(always)]
    pub(super) fn exits(&self, numbers: &Numbers, ranks: Ranks<'_>) -> Exits {
        let split = |slot| self.split(slot, ranks);
        let (one, two, three) = (split(1), split(2), split(3));
        let (four, five, six, seven) = (split(4), split(5), split(6), split(7));
        let first = numbers[0].to_le_bytes()[0];
        let mut exits = [0; ROWS];
        for half in 0..2 {
            if half >= ranks.halves {
                break;
            }
            for row in half * HALF..(half + 1) * HALF {
                let right = |(ranks, rank): (&Lanes<i8>, i8)| ranks[row] >= rank;
                let left_left = u8::from(right(four));
                let left_right = if right(five) { 3 } else { 2 };
                let right_left = if right(six) { 5 } else { 4 };
                let right_right = if right(seven) { 7 } else { 6 };
                let left = if right(two) { left_right } else { left_left };
                let both = if right(three) { right_right } else { right_left };
                exits[row] = first | if right(one) { both } else { left };
            }
        }
        Aligned(exits)
    }

    /// As [`Unit::join`](super::unit::Unit::join), of one group.
    #[inline(always)]
    pub(super) fn join(&self, ranks: Ranks<'_>, below: [&Lanes<u8>; Block::EXITS]) -> Exits {
        let split = |slot| self.split(slot, ranks);
        let (one, two, three) = (split(1), split(2), split(3));
        let (four, five, six, seven) = (split(4), split(5), split(6), split(7));
        let [b0, b1, b2, b3, b4, b5, b6, b7] = below;
        let mut exits = [0; ROWS];
        for half in 0..2 {
            if half >= ranks.halves {
                break;
            }
            for row in half * HALF..(half + 1) * HALF {
                // Masks instead of conditions: these stay vector instructions.
                let select = |(ranks, rank): (&Lanes<i8>, i8), left: u8, right: u8| {
                    let mask = 0_u8.wrapping_sub(u8::from(ranks[row] >= rank));
                    left ^ ((left ^ right) & mask)
                };
                let left = select(two, select(four, b0[row], b1[row]), select(five, b2[row], b3[row]));
                let right = select(three, select(six, b4[row], b5[row]), select(seven, b6[row], b7[row]));
                exits[row] = select(one, left, right);
            }
        }
        Aligned(exits)
    }
}

/// What the leaves of a tree add.
#[derive(Debug)]
pub(super) struct Leaves {
    /// The bits of each.
    pub(super) bits: [u32; LEAVES_MAX],
    /// How many there are.
    pub(super) count: usize,
    /// Byte `i` of each in plane `i`, so that one instruction looks up a byte for many rows.
    pub(super) planes: [[Aligned<[u8; 64]>; LEAVES_MAX / 64]; 4],
}

impl Default for Leaves {
    fn default() -> Self {
        Self { bits: [0; LEAVES_MAX], count: 0, planes: [[Aligned([0; 64]); LEAVES_MAX / 64]; 4] }
    }
}

impl Leaves {
    /// Makes the planes of the first `count` leaves ready, a multiple of 64.
    #[inline(always)]
    pub(super) fn spread(&mut self, count: usize) {
        for (at, bits) in self.bits.as_chunks::<64>().0.iter().enumerate().take(count / 64) {
            for (plane, shift) in self.planes.iter_mut().zip([0, 8, 16, 24]) {
                for leaf in 0..64 {
                    plane[at].0[leaf] = (bits[leaf] >> shift).to_le_bytes()[0];
                }
            }
        }
    }

    /// Adds to each row's sum the leaf that has its number.
    #[inline(always)]
    pub(super) fn add(&self, exits: &Exits, sums: &mut Lanes<f32>) {
        for row in 0..ROWS {
            sums[row] += f32::from_bits(self.bits[usize::from(exits.0[row])]);
        }
    }
}
