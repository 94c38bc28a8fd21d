//! Many rows at the top of a tree: all splits of three or six levels are compared, and each row selects its way.
//!
//! Plain loops over arrays of bytes, written so that they become vector instructions, of which each does 16 to 64 rows:
//! comparing 7 splits costs less there than walking past 3. Nothing here depends on the processor.

use crate::pack::format::Block;

/// What splits compare in lanes: ranks as signed bytes, which every vector unit compares.
#[inline(always)]
pub(super) fn byte(rank: u32) -> i8 {
    (rank.min(0xff) as u8 ^ 0x80).cast_signed()
}

/// Columns of ranks of so many rows.
pub(super) type Bytes<'a, const ROWS: usize> = &'a [[i8; ROWS]];

/// Which of its eight exits each row leaves `block` through.
#[inline(always)]
pub(super) fn exits<const ROWS: usize>(block: &Block, columns: Bytes<'_, ROWS>, exits: &mut [u8; ROWS]) {
    let split = |slot: usize| {
        let split = block.0[slot];
        (&columns[(split & 0xffff) as usize / 8], byte(split >> 16))
    };
    let (one, two, three) = (split(1), split(2), split(3));
    let (four, five, six, seven) = (split(4), split(5), split(6), split(7));
    for row in 0..ROWS {
        let right = |(ranks, rank): (&[i8; ROWS], i8)| ranks[row] >= rank;
        let left_left = u8::from(right(four));
        let left_right = if right(five) { 3 } else { 2 };
        let right_left = if right(six) { 5 } else { 4 };
        let right_right = if right(seven) { 7 } else { 6 };
        let left = if right(two) { left_right } else { left_left };
        let both = if right(three) { right_right } else { right_left };
        exits[row] = if right(one) { both } else { left };
    }
}

/// Which of the 64 exits of the eight blocks below a first one each row leaves through, of those that it leaves each of
/// the nine through.
#[inline(always)]
pub(super) fn select<const ROWS: usize>(first: &[u8; ROWS], below: &[[u8; ROWS]; 8], exits: &mut [u8; ROWS]) {
    // Masks instead of conditions: these stay vector instructions.
    let select = |mask: u8, one: u8, other: u8| one ^ ((one ^ other) & mask);
    let [zero, one, two, three, four, five, six, seven] = below;
    for row in 0..ROWS {
        let mask = |bit: u8| 0_u8.wrapping_sub((first[row] >> bit) & 1);
        let (low, middle, high) = (mask(0), mask(1), mask(2));
        let left_left = select(low, zero[row], one[row] | 8);
        let left_right = select(low, two[row] | 0x10, three[row] | 0x18);
        let right_left = select(low, four[row] | 0x20, five[row] | 0x28);
        let right_right = select(low, six[row] | 0x30, seven[row] | 0x38);
        exits[row] = select(high, select(middle, left_left, left_right), select(middle, right_left, right_right));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation, reason = "small numbers")]

    use super::*;

    #[test]
    fn a_row_selects_the_exit_that_a_walk_would_find() {
        let columns: Vec<[i8; 16]> =
            (0..4_u32).map(|column| std::array::from_fn(|row| byte((row as u32 * (column + 3)) % 9))).collect();
        for seed in 0..50_u32 {
            let block = Block(std::array::from_fn(|slot| {
                (((seed * 7 + slot as u32 * 5) % 9) << 16) | ((seed + slot as u32) % 4 * 8)
            }));
            let mut found = [0; 16];
            exits(&block, &columns, &mut found);
            for row in 0..16 {
                let mut slot = 1;
                while slot < Block::EXITS {
                    let split = block.0[slot];
                    let is_right = columns[(split & 0xffff) as usize / 8][row] >= byte(split >> 16);
                    slot = 2 * slot + usize::from(is_right);
                }
                assert_eq!(usize::from(found[row]), slot - Block::EXITS);
            }
        }
    }

    #[test]
    fn of_eight_blocks_each_row_has_one() {
        let first = std::array::from_fn(|row| (row % 8) as u8);
        let below = std::array::from_fn(|block| std::array::from_fn(|row| ((row / 8 + block) % 8) as u8));
        let mut found = [0_u8; 64];
        select(&first, &below, &mut found);
        for row in 0..64 {
            let block = row % 8;
            assert_eq!(usize::from(found[row]), block * 8 + (row / 8 + block) % 8);
        }
    }
}
