//! What batches ask of a processor, for x86-64 processors with AVX-512 that selects bytes (VBMI).
//!
//! Vectors are as long as with AVX2, so that batches lie in memory as there: what is gained is one instruction for what are several
//! there, a choice between two vectors and a look into a table of 64 bytes above all.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_andnot_si256, _mm256_cmpgt_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_slli_epi16, _mm256_ternarylogic_epi32, _mm512_castsi256_si512, _mm512_castsi512_si256,
    _mm512_cmple_epi32_mask, _mm512_permutexvar_epi8, _mm512_set1_epi32,
};

use bytemuck::cast;

use super::{
    avx2::{Avx2, add_planes, in_turns},
    lanes::{Splits, Top},
    unit::{self, Leaves, Unit, WALKS},
    walk::{Grove, Lanes, Ranks, sixteen},
};

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
    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { not_above(marks, value) }
    }

    #[inline(always)]
    fn exits(self, splits: &Splits, ranks: Ranks<'_>) -> Lanes<u8> {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        cast(unsafe { exits(splits, ranks) })
    }

    #[inline(always)]
    fn top_exits(self, top: &Top, ranks: Ranks<'_>) -> Lanes<u8> {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        cast(unsafe { top_exits(top, ranks) })
    }

    #[inline(always)]
    fn add_leaves(self, leaves: &Leaves, exits: &Lanes<u8>, sums: &mut Lanes<f32>) {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { add_leaves(leaves, exits, sums) }
    }

    #[inline(always)]
    fn walk_on(self, grove: Grove<'_>, top: &Top, exits: &[u8], keys: &[[u32; WALKS]], sums: &mut [f32]) {
        if !sixteen::reaches(grove) {
            return unit::walk_on(grove, top, exits, keys, sums);
        }
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { sixteen::walk_on(grove, &top.exits, exits, keys, sums) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn not_above(marks: &[i32; 16], value: i32) -> usize {
    _mm512_cmple_epi32_mask(cast(*marks), _mm512_set1_epi32(value)).count_ones() as usize
}

/// Of `one` the bits where `mask` has them, of `other` those where it has none.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn select(mask: __m256i, one: __m256i, other: __m256i) -> __m256i {
    _mm256_ternarylogic_epi32::<0xca>(mask, one, other)
}

/// `number`, and the bit `value` where `mask` has none.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn or_without(number: __m256i, mask: __m256i, value: i8) -> __m256i {
    _mm256_ternarylogic_epi32::<0xf4>(number, _mm256_set1_epi8(value), mask)
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn exits(splits: &Splits, ranks: Ranks<'_>) -> __m256i {
    // All bits of the rows that go left.
    let left = |slot: usize| {
        _mm256_cmpgt_epi8(
            _mm256_set1_epi32(splits.ranks[slot].cast_signed()),
            cast(*ranks.column(splits.columns[slot])),
        )
    };
    let first = left(1);
    let second = select(first, left(2), left(3));
    let third = select(first, select(left(2), left(4), left(5)), select(left(3), left(6), left(7)));
    let exits = _mm256_andnot_si256(first, _mm256_set1_epi8(4));
    or_without(or_without(exits, second, 2), third, 1)
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn top_exits(top: &Top, ranks: Ranks<'_>) -> __m256i {
    let first = exits(&top.root, ranks);
    // All bits of a byte for one of its bits.
    let zero = _mm256_setzero_si256();
    let low = _mm256_cmpgt_epi8(zero, _mm256_slli_epi16(first, 7));
    let middle = _mm256_cmpgt_epi8(zero, _mm256_slli_epi16(first, 6));
    let high = _mm256_cmpgt_epi8(zero, _mm256_slli_epi16(first, 5));
    let mut below = [first; 8];
    for (exit, splits) in below.iter_mut().zip(&top.below).take(top.distinct) {
        *exit = exits(splits, ranks);
    }
    let two = |at: usize| select(low, below[at + 1], below[at]);
    let four = |at: usize| select(middle, two(at + 2), two(at));
    let exit = match top.distinct {
        2 => two(0),
        4 => four(0),
        _ => select(high, four(4), four(0)),
    };
    _mm256_or_si256(exit, _mm256_slli_epi16(first, 3))
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn add_leaves(leaves: &Leaves, exits: &Lanes<u8>, sums: &mut Lanes<f32>) {
    let exits = _mm512_castsi256_si512(in_turns(exits));
    let planes = leaves.0.map(|plane| {
        let plane: __m512i = cast(plane);
        _mm512_castsi512_si256(_mm512_permutexvar_epi8(exits, plane))
    });
    add_planes(planes, sums);
}
