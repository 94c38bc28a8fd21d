//! What batches ask of a processor, for x86-64 processors with AVX-512 that selects bytes (VBMI).
//!
//! A split is one comparison and one choice for 64 rows. What is compared comes from memory by the way.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512, __m512i, _mm512_add_epi8, _mm512_add_ps, _mm512_cmple_epi8_mask, _mm512_cmple_epi32_mask,
    _mm512_mask_blend_epi8, _mm512_movepi8_mask, _mm512_permutex2var_epi8, _mm512_permutexvar_epi8,
    _mm512_permutexvar_epi32, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setzero_si512,
    _mm512_shuffle_i64x2, _mm512_test_epi8_mask, _mm512_unpackhi_epi8, _mm512_unpackhi_epi16, _mm512_unpacklo_epi8,
    _mm512_unpacklo_epi16,
};

use bytemuck::cast;

use super::{
    avx2::Avx2,
    crown::Crown,
    lanes::{Exits, Leaves, Numbers, Splits},
    unit::{self, Unit, WALKS},
    walk::{Aligned, Grove, Lanes, ROWS, Ranks, sixteen},
};
use crate::pack::format::Block;

/// Having it is the proof that the processor has AVX-512 F, BW, VL and VBMI, and what AVX2 here stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512(());

impl Avx512 {
    /// It, if the processor has it.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi");
        Avx2::detect().filter(|_| has_all).map(|_| Self(()))
    }
}

impl Unit for Avx512 {
    const IS_DEEP: bool = true;

    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { not_above(marks, value) }
    }

    #[inline(always)]
    fn exits<const GROUPS: usize>(
        self,
        splits: &Splits,
        numbers: &Numbers,
        ranks: &[Ranks<'_>; GROUPS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { exits(splits, numbers, ranks) }
    }

    #[inline(always)]
    fn join<const GROUPS: usize>(
        self,
        splits: &Splits,
        ranks: &[Ranks<'_>; GROUPS],
        below: [&[Exits; GROUPS]; Block::EXITS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { join(splits, ranks, below) }
    }

    #[inline(always)]
    fn numbers<const GROUPS: usize>(
        self,
        crown: &Crown,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { numbers(self, crown, ranks, slots) }
    }

    #[inline(always)]
    fn spread(self, leaves: &mut Leaves) {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { spread(leaves) }
    }

    #[inline(always)]
    fn add_leaves(self, leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>) {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { add_leaves(leaves, exits, sums) }
    }

    #[inline(always)]
    fn walk_on(self, grove: Grove<'_>, tops: &[u32; 64], exits: &[u8], keys: &[[u32; WALKS]], sums: &mut [f32]) {
        if !sixteen::reaches(grove) {
            return unit::walk_on(grove, tops, exits, keys, sums);
        }
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { sixteen::walk_on(grove, tops, exits, keys, sums) }
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
    slots: &mut [[Exits; GROUPS]],
) -> [Exits; GROUPS] {
    crown.numbers(unit, ranks, slots)
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
fn exits<const GROUPS: usize>(splits: &Splits, numbers: &Numbers, ranks: &[Ranks<'_>; GROUPS]) -> [Exits; GROUPS] {
    let exit = |slot: usize| {
        let all = |exit: usize| [_mm512_set1_epi32(numbers[exit - Block::EXITS].cast_signed()); GROUPS];
        select(splits, slot, ranks, all(2 * slot), all(2 * slot + 1))
    };
    let left_side = select(splits, 2, ranks, exit(4), exit(5));
    let right_side = select(splits, 3, ranks, exit(6), exit(7));
    kept(select(splits, 1, ranks, left_side, right_side))
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
    below: [&[Exits; GROUPS]; Block::EXITS],
) -> [Exits; GROUPS] {
    let below = |at: usize| {
        let mut vectors = [_mm512_setzero_si512(); GROUPS];
        for group in 0..GROUPS {
            vectors[group] = cast(below[at][group].0);
        }
        vectors
    };
    let two = |slot, at| select(splits, slot, ranks, below(at), below(at + 1));
    let left_side = select(splits, 2, ranks, two(4, 0), two(5, 2));
    let right_side = select(splits, 3, ranks, two(6, 4), two(7, 6));
    kept(select(splits, 1, ranks, left_side, right_side))
}

/// Byte `i` of each of 32 numbers, for `i` of 0 and 1.
const LOW_BYTES: [u8; 64] = {
    let mut bytes = [0; 64];
    let mut at = 0;
    while at < 64 {
        bytes[at] = (at % 32 * 4 + at / 32) as u8;
        at += 1;
    }
    bytes
};

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn spread(leaves: &mut Leaves) {
    let low: __m512i = cast(LOW_BYTES);
    let high = _mm512_add_epi8(low, _mm512_set1_epi8(2));
    for at in 0..leaves.count.div_ceil(64) {
        let sixteens: [__m512i; 4] = cast(leaves.bits.as_chunks::<64>().0[at]);
        let of_two = |at: usize, bytes| _mm512_permutex2var_epi8(sixteens[at], bytes, sixteens[at + 1]);
        for (first, bytes) in [(0, low), (2, high)] {
            let (one, other) = (of_two(0, bytes), of_two(2, bytes));
            leaves.planes[first][at].0 = cast(_mm512_shuffle_i64x2::<0x44>(one, other));
            leaves.planes[first + 1][at].0 = cast(_mm512_shuffle_i64x2::<0xee>(one, other));
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn add_leaves(leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>) {
    // Joining bytes goes on within the quarters of a vector and would leave rows 0 to 3 beside 16 to 19, 32 to 35 and 48 to 51.
    let exits = _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
        cast(exits.0),
    );
    let (second, fourth) = (_mm512_test_epi8_mask(exits, _mm512_set1_epi8(64)), _mm512_movepi8_mask(exits));
    let planes = leaves.planes.each_ref().map(|plane| {
        let look_up = |at: usize| _mm512_permutexvar_epi8(exits, cast(plane[at].0));
        let two = |at: usize| _mm512_mask_blend_epi8(second, look_up(at), look_up(at + 1));
        match leaves.count {
            ..=64 => look_up(0),
            65..=128 => two(0),
            _ => _mm512_mask_blend_epi8(fourth, two(0), two(2)),
        }
    });
    let [first, second, third, fourth] = planes;
    let [low, low_upper] = [_mm512_unpacklo_epi8(first, second), _mm512_unpacklo_epi8(third, fourth)];
    let [high, high_upper] = [_mm512_unpackhi_epi8(first, second), _mm512_unpackhi_epi8(third, fourth)];
    let values = [
        _mm512_unpacklo_epi16(low, low_upper),
        _mm512_unpackhi_epi16(low, low_upper),
        _mm512_unpacklo_epi16(high, high_upper),
        _mm512_unpackhi_epi16(high, high_upper),
    ];
    let before: [__m512; 4] = cast(*sums);
    let mut after = before;
    for sixteen in 0..4 {
        after[sixteen] = _mm512_add_ps(before[sixteen], cast(values[sixteen]));
    }
    *sums = cast(after);
}
