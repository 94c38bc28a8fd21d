//! How long eight cells are.

use std::arch::x86_64::{
    __m128i, _mm_add_epi16, _mm_cmpgt_epi16, _mm_movemask_epi8, _mm_packs_epi16, _mm_set_epi16, _mm_set1_epi16,
    _mm_setzero_si128, _mm_xor_si128,
};

use super::lanes::GROUP;

/// The lengths of eight cells, by where the one before them ended and where each one does.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn of(ends: &[u16; 1 + GROUP]) -> __m128i {
    let [e0, e1, e2, e3, e4, e5, e6, e7, e8] = ends.map(u16::cast_signed);
    let ends = _mm_set_epi16(e8, e7, e6, e5, e4, e3, e2, e1);
    let before = _mm_set_epi16(e7, e6, e5, e4, e3, e2, e1, e0);
    // What ends a cell is none of it: ends - before - 1.
    _mm_add_epi16(ends, _mm_xor_si128(before, _mm_set1_epi16(-1)))
}

/// A bit for each of the lengths that is more than `most`.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn over(lengths: __m128i, most: i16) -> u32 {
    let is_over = _mm_cmpgt_epi16(lengths, _mm_set1_epi16(most));
    _mm_movemask_epi8(_mm_packs_epi16(is_over, _mm_setzero_si128())).cast_unsigned()
}
