//! What the leaves of a tree add, looked up for 64 rows at once.

#![allow(clippy::cast_possible_truncation, reason = "indices of bytes in a vector")]

use std::arch::x86_64::{
    __m512, __m512i, _mm512_add_epi8, _mm512_add_ps, _mm512_mask_blend_epi8, _mm512_movepi8_mask,
    _mm512_permutex2var_epi8, _mm512_permutexvar_epi8, _mm512_permutexvar_epi32, _mm512_set1_epi8, _mm512_setr_epi32,
    _mm512_shuffle_i64x2, _mm512_test_epi8_mask, _mm512_unpackhi_epi8, _mm512_unpackhi_epi16, _mm512_unpacklo_epi8,
    _mm512_unpacklo_epi16,
};

use bytemuck::cast;

use super::{
    steps::{Each, Exits, LEAVES_MAX},
    walk::{Aligned, Lanes},
};
use crate::pack::format::Block;

/// What the leaves of a tree add.
#[derive(Debug)]
pub(super) struct Leaves {
    /// The bits of each.
    pub(super) bits: Each,
    /// How many there are.
    pub(super) count: usize,
    /// Byte `i` of each in plane `i`, so that one instruction looks up a byte for many rows.
    planes: [[Aligned<[u8; 64]>; LEAVES_MAX / 64]; 4],
}

impl Default for Leaves {
    fn default() -> Self {
        Self { bits: [0; LEAVES_MAX + Block::SLOTS], count: 0, planes: [[Aligned([0; 64]); LEAVES_MAX / 64]; 4] }
    }
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

/// Makes the planes ready.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(super) fn spread(leaves: &mut Leaves) {
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

/// Adds to each row's sum the leaf that has its number.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
pub(super) fn add_leaves(leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>) {
    // Joining bytes goes on within the quarters of a vector and would leave rows 0 to 3 beside 16 to 19, 32 to 35 and 48 to 51.
    let exits = _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
        cast(exits.0),
    );
    let (second, fourth) = (_mm512_test_epi8_mask(exits, _mm512_set1_epi8(64)), _mm512_movepi8_mask(exits));
    let mut planes = [exits; 4];
    for (bytes, plane) in planes.iter_mut().zip(&leaves.planes) {
        *bytes = _mm512_permutexvar_epi8(exits, cast(plane[0].0));
        if leaves.count > 64 {
            let upper = _mm512_permutexvar_epi8(exits, cast(plane[1].0));
            *bytes = _mm512_mask_blend_epi8(second, *bytes, upper);
        }
        if leaves.count > 128 {
            let lower = _mm512_permutexvar_epi8(exits, cast(plane[2].0));
            let upper = _mm512_permutexvar_epi8(exits, cast(plane[3].0));
            *bytes = _mm512_mask_blend_epi8(fourth, *bytes, _mm512_mask_blend_epi8(second, lower, upper));
        }
    }
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
