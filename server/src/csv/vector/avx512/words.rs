//! Eight words of eight characters, the first of each lowest, and the digits in them.
//!
//! A character is held as what it is apart from "0": so digits are their own numbers, and what lies beside a cell can be
//! cleared to leading zeros.

use std::arch::x86_64::{
    __m512i, __mmask8, __mmask64, _mm512_add_epi64, _mm512_cmpeq_epi8_mask, _mm512_lzcnt_epi64, _mm512_madd_epi16,
    _mm512_maddubs_epi16, _mm512_movm_epi8, _mm512_mul_epu32, _mm512_set1_epi8, _mm512_set1_epi16, _mm512_set1_epi32,
    _mm512_set1_epi64, _mm512_srli_epi64, _mm512_srlv_epi64, _mm512_subs_epu8, _mm512_ternarylogic_epi64,
    _mm512_test_epi64_mask, _mm512_testn_epi64_mask,
};

/// What characters are held apart from.
pub(super) const ZERO: u8 = b'0';

/// For each byte of a vector its place from `first` on, divided, and the bits of that in `mask`.
#[expect(clippy::cast_possible_truncation, reason = "places in a window are less than 128")]
pub(super) const fn bytes(first: usize, divisor: usize, mask: u8) -> [u8; 64] {
    let mut bytes = [0; 64];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = ((first + at) / divisor) as u8 & mask;
        at += 1;
    }
    bytes
}

/// One number for each word.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn all(number: i64) -> __m512i {
    _mm512_set1_epi64(number)
}

/// Of `one` the bits where `mask` has them, of `other` those where it has none.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn select(mask: __m512i, one: __m512i, other: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0xca>(mask, one, other)
}

/// The characters that are `wanted`.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(super) fn are(characters: __m512i, wanted: u8) -> __mmask64 {
    _mm512_cmpeq_epi8_mask(characters, _mm512_set1_epi8((wanted ^ ZERO).cast_signed()))
}

/// The words with any of those characters.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(super) fn with(characters: __mmask64) -> __mmask8 {
    let bytes = _mm512_movm_epi8(characters);
    _mm512_test_epi64_mask(bytes, bytes)
}

/// How many bits of each word follow the last of those characters; 64 where there is none.
#[target_feature(enable = "avx512f,avx512bw,avx512cd")]
#[inline]
pub(super) fn bits_after(characters: __mmask64) -> __m512i {
    _mm512_lzcnt_epi64(_mm512_movm_epi8(characters))
}

/// The bits of each word but so many at the end.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn but_last(bits: __m512i) -> __m512i {
    _mm512_srlv_epi64(all(-1), bits)
}

/// The words of nothing but digits.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(super) fn of_digits(characters: __m512i) -> __mmask8 {
    let beyond = _mm512_subs_epu8(characters, _mm512_set1_epi8(9));
    _mm512_testn_epi64_mask(beyond, beyond)
}

/// The number that eight digits are.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(super) fn value(digits: __m512i) -> __m512i {
    let pairs = _mm512_maddubs_epi16(digits, _mm512_set1_epi16((1 << 8) + 10));
    let fours = _mm512_madd_epi16(pairs, _mm512_set1_epi32((1 << 16) + 100));
    _mm512_add_epi64(_mm512_mul_epu32(fours, all(10_000)), _mm512_srli_epi64::<32>(fours))
}
