//! What batches ask of a processor, for x86-64 processors with AVX-512 that selects bytes (VBMI).
//!
//! A split is one comparison and one choice for 64 rows. What is compared comes from memory by the way.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_cmple_epi8_mask, _mm512_cmple_epi32_mask, _mm512_mask_blend_epi8, _mm512_set1_epi32,
    _mm512_setzero_si512,
};

use bytemuck::cast;

use super::{
    avx2::Avx2,
    crown::{BLOCKS_MAX, Crown, Numbers},
    lanes::Splits,
    leaves::{self, Leaves},
    steps::{self, Exits, PAIR, Slots},
    unit::{Rows, Tree, Unit},
    walk::{Aligned, Lanes, ROWS, Ranks},
    wide::{ABREAST_MAX, Long, Wide},
};
use crate::pack::format::Block;

/// Having it is the proof that the processor has AVX-512 F, BW, VL and VBMI, and what AVX2 here stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512(Avx2);

impl Avx512 {
    /// It, if the processor has it.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi");
        Avx2::detect().filter(|_| has_all).map(Self)
    }
}

impl Long for Avx512 {
    const ABREAST: usize = ABREAST_MAX;

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
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { exits::<LEVELS, GROUPS>(splits, numbers, ranks) }
    }

    #[inline(always)]
    fn join<const GROUPS: usize>(
        self,
        splits: &Splits,
        ranks: &[Ranks<'_>; GROUPS],
        below: [&[Exits; GROUPS]; Block::SLOTS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { join(splits, ranks, below) }
    }

    #[inline(always)]
    fn numbers<const GROUPS: usize>(
        self,
        crown: &Crown,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]; BLOCKS_MAX],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { numbers(self, crown, ranks, slots) }
    }

    #[inline(always)]
    fn spread(self, leaves: &mut Leaves) {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { leaves::spread(leaves) }
    }

    #[inline(always)]
    fn add_leaves(self, leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>) {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { leaves::add_leaves(leaves, exits, sums) }
    }

    #[inline(always)]
    fn take<const GROUPS: usize>(self, splits: &steps::Splits, ranks: &[Ranks<'_>; GROUPS], slots: &mut Slots) {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { take(splits, ranks, slots) }
    }
}

impl Unit for Avx512 {
    type Ready = Wide;

    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { not_above(marks, value) }
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

#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn not_above(marks: &[i32; 16], value: i32) -> usize {
    _mm512_cmple_epi32_mask(cast(*marks), _mm512_set1_epi32(value)).count_ones() as usize
}

/// A function of its own has enough registers.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn numbers<const GROUPS: usize>(
    unit: Avx512,
    crown: &Crown,
    ranks: &[Ranks<'_>; GROUPS],
    slots: &mut [[Exits; GROUPS]; BLOCKS_MAX],
) -> [Exits; GROUPS] {
    crown.numbers(unit, ranks, slots)
}

/// A function of its own has enough registers.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn take<const GROUPS: usize>(splits: &steps::Splits, ranks: &[Ranks<'_>; GROUPS], slots: &mut Slots) {
    for step in splits.steps() {
        let rank = _mm512_set1_epi32(step.rank.cast_signed());
        for group in 0..GROUPS.min(PAIR) {
            let rights = _mm512_cmple_epi8_mask(rank, cast(*ranks[group].column(step.column)));
            let [left, right] = [step.left, step.right].map(|place| cast::<_, __m512i>(slots[place.line(group)].0));
            slots[step.to.line(group)].0 = cast(_mm512_mask_blend_epi8(rights, left, right));
        }
    }
}

type Vectors<const GROUPS: usize> = [__m512i; GROUPS];

/// For each row `left` or `right`, as it goes at a split.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn select<const GROUPS: usize>(
    splits: &Splits,
    slot: usize,
    ranks: &[Ranks<'_>; GROUPS],
    left: Vectors<GROUPS>,
    right: Vectors<GROUPS>,
) -> Vectors<GROUPS> {
    let rank = _mm512_set1_epi32(splits.ranks[slot].cast_signed());
    let mut selected = left;
    for group in 0..GROUPS {
        let rights = _mm512_cmple_epi8_mask(rank, cast(*ranks[group].column(splits.columns[slot])));
        selected[group] = _mm512_mask_blend_epi8(rights, left[group], right[group]);
    }
    selected
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn exits<const LEVELS: usize, const GROUPS: usize>(
    splits: &Splits,
    numbers: &Numbers,
    ranks: &[Ranks<'_>; GROUPS],
) -> [Exits; GROUPS] {
    leave::<LEVELS, GROUPS>(splits, ranks, numbers.map(|number| [_mm512_set1_epi32(number.cast_signed()); GROUPS]))
}

/// What each row has in `exits`, by the exit through which it leaves a block with so many levels of splits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn leave<const LEVELS: usize, const GROUPS: usize>(
    splits: &Splits,
    ranks: &[Ranks<'_>; GROUPS],
    [zero, one, two, three, four, five, six, seven]: [Vectors<GROUPS>; Block::SLOTS],
) -> [Exits; GROUPS] {
    if LEVELS == 1 {
        return kept(select(splits, 1, ranks, zero, four));
    }
    let (left, right) = if LEVELS == 2 {
        (select(splits, 2, ranks, zero, two), select(splits, 3, ranks, four, six))
    } else {
        let (left_left, left_right) = (select(splits, 4, ranks, zero, one), select(splits, 5, ranks, two, three));
        let left = select(splits, 2, ranks, left_left, left_right);
        let (right_left, right_right) = (select(splits, 6, ranks, four, five), select(splits, 7, ranks, six, seven));
        (left, select(splits, 3, ranks, right_left, right_right))
    };
    kept(select(splits, 1, ranks, left, right))
}

/// Vectors as they are kept.
#[inline]
#[target_feature(enable = "avx512f")]
fn kept<const GROUPS: usize>(vectors: Vectors<GROUPS>) -> [Exits; GROUPS] {
    let mut exits = [Aligned([0; ROWS]); GROUPS];
    for group in 0..GROUPS {
        exits[group].0 = cast(vectors[group]);
    }
    exits
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn join<const GROUPS: usize>(
    splits: &Splits,
    ranks: &[Ranks<'_>; GROUPS],
    below: [&[Exits; GROUPS]; Block::SLOTS],
) -> [Exits; GROUPS] {
    let mut exits = [[_mm512_setzero_si512(); GROUPS]; Block::SLOTS];
    for exit in 0..Block::SLOTS {
        for group in 0..GROUPS {
            exits[exit][group] = cast(below[exit][group].0);
        }
    }
    leave::<{ Block::DEPTH }, GROUPS>(splits, ranks, exits)
}
