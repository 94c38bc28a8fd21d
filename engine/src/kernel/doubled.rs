//! Whole groups of rows with AVX2: two vectors have one.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi8, _mm256_and_si256, _mm256_blendv_epi8, _mm256_cmpgt_epi8, _mm256_set1_epi8,
    _mm256_set1_epi32, _mm256_setzero_si256,
};

use bytemuck::cast;

use super::{
    avx2::{Avx2, left},
    crown::{BLOCKS_MAX, Crown, Numbers},
    lanes::Splits,
    leaves::Leaves,
    steps::{self, Exits, PAIR, Slots},
    unit::{Rows, Tree, Unit},
    walk::{Aligned, HALF, HalfRanks, Lanes, ROWS, Ranks},
    wide::{Long, Wide},
};
use crate::pack::format::Block;

const HALVES: usize = ROWS / HALF;

/// Having it is the proof that the processor has what [`Avx2`] stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubled(pub(super) Avx2);

impl Unit for Doubled {
    type Ready = Wide;

    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        self.0.not_above(marks, value)
    }

    #[inline(always)]
    fn set(self, wide: &mut Wide, tree: Tree<'_>) {
        wide.set(self, tree);
    }

    #[inline(always)]
    fn go_down(self, wide: &mut Wide, tree: Tree<'_>, rows: Rows<'_>) {
        wide.go_down(self, tree, rows);
    }
}

impl Long for Doubled {
    const ABREAST: usize = 2;

    #[inline(always)]
    fn avx2(self) -> Avx2 {
        self.0
    }

    #[inline(always)]
    fn exits<const LEVELS: usize, const GROUPS: usize>(
        self,
        splits: &Splits,
        numbers: &Numbers,
        ranks: &[Ranks<'_>; GROUPS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { exits::<LEVELS, GROUPS>(splits, numbers, ranks) }
    }

    #[inline(always)]
    fn join<const GROUPS: usize>(
        self,
        splits: &Splits,
        ranks: &[Ranks<'_>; GROUPS],
        below: [&[Exits; GROUPS]; Block::SLOTS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { join(splits, ranks, below) }
    }

    #[inline(always)]
    fn numbers<const GROUPS: usize>(
        self,
        crown: &Crown,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]; BLOCKS_MAX],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { numbers(self, crown, ranks, slots) }
    }

    #[inline(always)]
    fn spread(self, _: &mut Leaves) {}

    #[inline(always)]
    fn add_leaves(self, leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>) {
        for (exits, sums) in exits.0.as_chunks::<8>().0.iter().zip(sums.as_chunks_mut::<8>().0) {
            let exits = u64::from_le_bytes(*exits);
            // Read once: so many loads are what takes time.
            let exit = |at: usize| usize::from((exits >> (8 * at)).to_le_bytes()[0]);
            let values: [f32; 8] = std::array::from_fn(|at| f32::from_bits(leaves.bits[exit(at)]));
            for at in 0..8 {
                sums[at] += values[at];
            }
        }
    }

    #[inline(always)]
    fn take<const GROUPS: usize>(self, splits: &steps::Splits, ranks: &[Ranks<'_>; GROUPS], slots: &mut Slots) {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { take(splits, ranks, slots) }
    }
}

/// A function of its own has enough registers.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn take<const GROUPS: usize>(splits: &steps::Splits, ranks: &[Ranks<'_>; GROUPS], slots: &mut Slots) {
    for step in splits.steps() {
        let rank = _mm256_set1_epi32(step.rank.cast_signed());
        for group in 0..GROUPS.min(PAIR) {
            let own: [__m256i; HALVES] = cast(*ranks[group].column(step.column));
            let [mut to, right] =
                [step.left, step.right].map(|place| cast::<_, [__m256i; HALVES]>(slots[place.line(group)].0));
            for half in 0..HALVES {
                to[half] = _mm256_blendv_epi8(right[half], to[half], _mm256_cmpgt_epi8(rank, own[half]));
            }
            slots[step.to.line(group)].0 = cast(to);
        }
    }
}

/// A function of its own has enough registers.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn numbers<const GROUPS: usize>(
    unit: Doubled,
    crown: &Crown,
    ranks: &[Ranks<'_>; GROUPS],
    slots: &mut [[Exits; GROUPS]; BLOCKS_MAX],
) -> [Exits; GROUPS] {
    crown.numbers(unit, ranks, slots)
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn exits<const LEVELS: usize, const GROUPS: usize>(
    splits: &Splits,
    numbers: &Numbers,
    ranks: &[Ranks<'_>; GROUPS],
) -> [Exits; GROUPS] {
    let mut found = [Aligned([0; ROWS]); GROUPS];
    for group in 0..GROUPS {
        let mut halves = [_mm256_setzero_si256(); HALVES];
        for half in 0..HALVES {
            halves[half] = exits_of_half::<LEVELS>(splits, numbers, ranks[group].half(half > 0));
        }
        found[group].0 = cast(halves);
    }
    found
}

/// The numbers of a block's exits follow one another: they are so much less than the last one for the rows that go left.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn exits_of_half<const LEVELS: usize>(splits: &Splits, numbers: &Numbers, ranks: HalfRanks<'_>) -> __m256i {
    let left = |slot: usize| left(splits, slot, ranks);
    let add = |lefts: __m256i, by: i8| _mm256_add_epi8(lefts, _mm256_set1_epi8(by));
    let times = |lefts: __m256i, by: i8| _mm256_and_si256(lefts, _mm256_set1_epi8(-by));
    let (last, less) = match LEVELS {
        1 => (4, times(left(1), 4)),
        2 => (6, _mm256_add_epi8(times(left(1), 4), times(_mm256_blendv_epi8(left(3), left(2), left(1)), 2))),
        _ => {
            let left_side = _mm256_blendv_epi8(add(left(5), -4), add(left(4), -6), left(2));
            let right_side = _mm256_blendv_epi8(left(7), add(left(6), -2), left(3));
            (7, _mm256_blendv_epi8(right_side, left_side, left(1)))
        }
    };
    _mm256_add_epi8(_mm256_set1_epi32(numbers[last].cast_signed()), less)
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn join<const GROUPS: usize>(
    splits: &Splits,
    ranks: &[Ranks<'_>; GROUPS],
    below: [&[Exits; GROUPS]; Block::SLOTS],
) -> [Exits; GROUPS] {
    let mut found = [Aligned([0; ROWS]); GROUPS];
    for group in 0..GROUPS {
        let mut halves = [_mm256_setzero_si256(); HALVES];
        for half in 0..HALVES {
            let below = |exit: usize| cast::<_, [__m256i; HALVES]>(below[exit][group].0)[half];
            let left = |slot: usize| left(splits, slot, ranks[group].half(half > 0));
            let left_left = _mm256_blendv_epi8(below(1), below(0), left(4));
            let left_right = _mm256_blendv_epi8(below(3), below(2), left(5));
            let right_left = _mm256_blendv_epi8(below(5), below(4), left(6));
            let right_right = _mm256_blendv_epi8(below(7), below(6), left(7));
            let on_left = _mm256_blendv_epi8(left_right, left_left, left(2));
            let on_right = _mm256_blendv_epi8(right_right, right_left, left(3));
            halves[half] = _mm256_blendv_epi8(on_right, on_left, left(1));
        }
        found[group].0 = cast(halves);
    }
    found
}
