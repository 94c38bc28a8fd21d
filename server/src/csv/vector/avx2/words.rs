//! Four words of eight characters, the first of each lowest, and the decimals in them.
//!
//! A character is held as what it is apart from "0": so digits are their own numbers, and what lies beside a cell can be
//! cleared to leading zeros.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_unpackhi_epi64, _mm256_add_epi64, _mm256_and_si256, _mm256_andnot_si256, _mm256_castsi256_pd,
    _mm256_cmpeq_epi8, _mm256_cmpeq_epi64, _mm256_cvtepu16_epi64, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_movemask_pd, _mm256_mul_epu32, _mm256_or_si256, _mm256_sad_epu8, _mm256_set1_epi8, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_slli_epi64, _mm256_sllv_epi64,
    _mm256_srli_epi64, _mm256_srlv_epi64, _mm256_subs_epu8, _mm256_xor_si256,
};

/// The bits of a word.
pub(super) const BITS: i64 = 64;

const BYTE: i64 = 0xff;
const ZERO: i8 = b'0'.cast_signed();
const MINUS: i64 = (b'-' ^ b'0') as i64;
const POINT: i8 = (b'.' ^ b'0').cast_signed();
const RETURN: i64 = (b'\r' ^ b'0') as i64;

/// One number for each word.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn all(number: i64) -> __m256i {
    _mm256_set1_epi64x(number)
}

/// The high bit of each word, the first lowest.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn bits(words: __m256i) -> u32 {
    _mm256_movemask_pd(_mm256_castsi256_pd(words)).cast_unsigned()
}

/// How far a character moves where `mask` is all ones, and not at all where it is zero.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn one_character(mask: __m256i) -> __m256i {
    _mm256_and_si256(mask, all(8))
}

/// Text as characters, without the lowest `unused` bits of each word, and without the minus that begins it unless `inner`,
/// and whether there is one.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn unsigned(text: __m256i, unused: __m256i, inner: __m256i) -> (__m256i, __m256i) {
    let characters = _mm256_srlv_epi64(_mm256_xor_si256(text, _mm256_set1_epi8(ZERO)), unused);
    let is_minus = _mm256_cmpeq_epi64(_mm256_and_si256(characters, all(BYTE)), all(MINUS));
    let negative = _mm256_andnot_si256(inner, is_minus);
    let characters = _mm256_andnot_si256(_mm256_and_si256(negative, all(BYTE)), characters);
    (_mm256_sllv_epi64(characters, unused), negative)
}

/// The last character of each word, as its lowest.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn last(characters: __m256i) -> __m256i {
    _mm256_srli_epi64::<56>(characters)
}

/// Whether the last character is a carriage return.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn ends_in_return(characters: __m256i) -> __m256i {
    _mm256_cmpeq_epi64(last(characters), all(RETURN))
}

/// Whether all characters are digits.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn are_digits(characters: __m256i) -> __m256i {
    _mm256_cmpeq_epi64(_mm256_subs_epu8(characters, _mm256_set1_epi8(9)), _mm256_setzero_si256())
}

/// The number that eight digits are.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn value(digits: __m256i) -> __m256i {
    let pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16((1 << 8) + 10));
    let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32((1 << 16) + 100));
    _mm256_add_epi64(_mm256_mul_epu32(fours, all(10_000)), _mm256_srli_epi64::<32>(fours))
}

/// A mask of the first characters of each word, with one more of them.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn one_more(first: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_slli_epi64::<8>(first), all(BYTE))
}

/// The first point among the characters of each word.
pub(super) struct Point {
    /// Whether there is one.
    pub(super) is_there: __m256i,
    /// All bits of the characters before it; of all where there is none.
    before: __m256i,
    /// The same, and those of the point.
    through: __m256i,
}

impl Point {
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn of(characters: __m256i) -> Self {
        let points = _mm256_cmpeq_epi8(characters, _mm256_set1_epi8(POINT));
        let before = _mm256_andnot_si256(points, _mm256_add_epi64(points, all(-1)));
        let is_absent = _mm256_cmpeq_epi64(points, _mm256_setzero_si256());
        Self { is_there: _mm256_xor_si256(is_absent, all(-1)), before, through: one_more(before) }
    }

    /// How many characters follow.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn characters_after(&self) -> __m256i {
        _mm256_sad_epu8(_mm256_andnot_si256(self.through, _mm256_set1_epi8(1)), _mm256_setzero_si256())
    }

    /// The characters without the point, those before it moved on by so many `bits`.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn close(&self, characters: __m256i, bits: __m256i) -> __m256i {
        let before = _mm256_sllv_epi64(_mm256_and_si256(characters, self.before), bits);
        _mm256_or_si256(before, _mm256_andnot_si256(self.through, characters))
    }
}

/// Where `lengths` of cells are, as words: those of the first four.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn first_four(lengths: __m128i) -> __m256i {
    _mm256_cvtepu16_epi64(lengths)
}

/// Those of the last four.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn last_four(lengths: __m128i) -> __m256i {
    first_four(_mm_unpackhi_epi64(lengths, lengths))
}
