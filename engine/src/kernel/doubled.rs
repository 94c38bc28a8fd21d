//! Whole groups of rows with AVX2: two vectors have one.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi8, _mm256_and_si256, _mm256_blendv_epi8, _mm256_cmpgt_epi8, _mm256_set1_epi8,
    _mm256_set1_epi32,
};

use bytemuck::cast;

use super::{
    avx2::{self, Avx2},
    crown::{BLOCKS_MAX, Crown, Numbers},
    lanes::Splits,
    leaves::Leaves,
    steps::{Exits, PAIR, Slots, Step},
    unit::{Rows, Tree, Unit},
    walk::{Aligned, HALF, Half, HalfRanks, Lanes, ROWS, Ranks},
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
    const IS_LONGEST: bool = false;

    #[inline(always)]
    fn splits(self, block: &Block) -> Splits {
        self.0.splits(block)
    }

    #[inline(always)]
    fn exits<const LEVELS: usize, const GROUPS: usize>(
        self,
        splits: &Splits,
        numbers: &Numbers,
        ranks: &[Ranks<'_>; GROUPS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        in_halves(ranks, |_, _, ranks| cast(unsafe { exits::<LEVELS>(splits, numbers, ranks) }))
    }

    #[inline(always)]
    fn join<const GROUPS: usize>(
        self,
        splits: &Splits,
        ranks: &[Ranks<'_>; GROUPS],
        below: [&[Exits; GROUPS]; Block::SLOTS],
    ) -> [Exits; GROUPS] {
        in_halves(ranks, |group, half, ranks| {
            let below = below.map(|below| cast::<_, [__m256i; HALVES]>(below[group].0)[half]);
            // SAFETY: having `self` is the proof that the processor has AVX2.
            cast(unsafe { join(splits, ranks, below) })
        })
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
        for (exit, sum) in exits.0.iter().zip(sums) {
            *sum += f32::from_bits(leaves.bits[usize::from(*exit)]);
        }
    }

    #[inline(always)]
    fn take<const GROUPS: usize>(self, steps: &[Step], ranks: &[Ranks<'_>; GROUPS], slots: &mut Slots) {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { take(steps, ranks, slots) }
    }
}

/// A function of its own has enough registers.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn take<const GROUPS: usize>(steps: &[Step], ranks: &[Ranks<'_>; GROUPS], slots: &mut Slots) {
    for step in steps {
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

/// What `each` finds for each half of each group.
#[inline(always)]
fn in_halves<const GROUPS: usize>(
    ranks: &[Ranks<'_>; GROUPS],
    each: impl Fn(usize, usize, HalfRanks<'_>) -> Half<u8>,
) -> [Exits; GROUPS] {
    let mut found = [Aligned([0; ROWS]); GROUPS];
    for group in 0..GROUPS {
        for half in 0..HALVES {
            let own = each(group, half, ranks[group].half(half > 0));
            found[group].0[half * HALF..][..HALF].copy_from_slice(&own);
        }
    }
    found
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

/// All bits of the rows that go left at a split.
#[inline]
#[target_feature(enable = "avx2")]
fn left(splits: &Splits, slot: usize, ranks: HalfRanks<'_>) -> __m256i {
    _mm256_cmpgt_epi8(_mm256_set1_epi32(splits.ranks[slot].cast_signed()), cast(*ranks.column(splits.columns[slot])))
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn exits<const LEVELS: usize>(splits: &Splits, numbers: &Numbers, ranks: HalfRanks<'_>) -> __m256i {
    // The numbers of a block's exits follow one another.
    let first = _mm256_set1_epi32(numbers[0].cast_signed());
    // So much less is the number for the rows that go left.
    let less = |slot: usize, by: i8| _mm256_and_si256(left(splits, slot, ranks), _mm256_set1_epi8(-by));
    let own = match LEVELS {
        1 => _mm256_add_epi8(_mm256_set1_epi8(4), less(1, 4)),
        2 => {
            let lower = _mm256_blendv_epi8(less(3, 2), less(2, 2), left(splits, 1, ranks));
            _mm256_add_epi8(_mm256_add_epi8(_mm256_set1_epi8(6), less(1, 4)), lower)
        }
        _ => cast(avx2::exits(splits, ranks)),
    };
    _mm256_add_epi8(first, own)
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn join(splits: &Splits, ranks: HalfRanks<'_>, below: [__m256i; Block::SLOTS]) -> __m256i {
    let [zero, one, two, three, four, five, six, seven] = below;
    let select = |slot: usize, on_left, on_right| _mm256_blendv_epi8(on_right, on_left, left(splits, slot, ranks));
    let on_left = select(2, select(4, zero, one), select(5, two, three));
    let on_right = select(3, select(6, four, five), select(7, six, seven));
    select(1, on_left, on_right)
}
