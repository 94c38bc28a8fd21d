//! The exponents of four cells, each an "e" and what follows it among the last eight characters.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_and_si256, _mm256_andnot_si256, _mm256_cmpeq_epi8, _mm256_cmpeq_epi64,
    _mm256_cmpgt_epi64, _mm256_or_si256, _mm256_sad_epu8, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_slli_epi64,
    _mm256_sllv_epi64, _mm256_srlv_epi64, _mm256_sub_epi64, _mm256_xor_si256,
};

use super::words::{self, all};

/// What tells small letters from capitals.
pub(super) const SMALL: i8 = 0x20;

const E: i8 = (b'e' ^ b'0').cast_signed() | SMALL;
const PLUS: i8 = (b'+' ^ b'0').cast_signed();
const MINUS: i8 = (b'-' ^ b'0').cast_signed();

/// What four cells have for an exponent.
pub(super) struct Exponent {
    /// The power of ten, 0 where there is no "e", anything where what follows it is no number.
    pub(super) power: __m256i,
    /// Whether there is no "e", or a number after it.
    pub(super) is_plain: __m256i,
    /// How many characters it takes, with the "e".
    pub(super) characters: __m256i,
}

impl Exponent {
    /// Of cells that end with these characters.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn of(back: __m256i) -> Self {
        let es = _mm256_cmpeq_epi8(_mm256_or_si256(back, _mm256_set1_epi8(SMALL)), _mm256_set1_epi8(E));
        let before = _mm256_andnot_si256(es, _mm256_add_epi64(es, all(-1)));
        let through = words::one_more(before);
        let text = _mm256_andnot_si256(through, back);
        let first = _mm256_andnot_si256(through, words::one_more(through));
        let minus = _mm256_and_si256(first, _mm256_cmpeq_epi8(text, _mm256_set1_epi8(MINUS)));
        let plus = _mm256_and_si256(first, _mm256_cmpeq_epi8(text, _mm256_set1_epi8(PLUS)));
        let sign = _mm256_or_si256(minus, plus);
        let digits = _mm256_andnot_si256(sign, text);

        let is_positive = _mm256_cmpeq_epi64(minus, _mm256_setzero_si256());
        let is_negative = _mm256_xor_si256(is_positive, all(-1));
        let value = words::value(digits);
        let characters = count(_mm256_xor_si256(before, all(-1)));
        let is_absent = _mm256_cmpeq_epi64(es, _mm256_setzero_si256());
        let has_digits = _mm256_cmpgt_epi64(_mm256_sub_epi64(characters, count(sign)), all(1));
        Self {
            power: _mm256_sub_epi64(_mm256_xor_si256(value, is_negative), is_negative),
            is_plain: _mm256_or_si256(is_absent, _mm256_and_si256(has_digits, words::are_digits(digits))),
            characters,
        }
    }

    /// Of cells that have none.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn none() -> Self {
        Self { power: all(0), is_plain: all(-1), characters: all(0) }
    }

    /// The characters of cells without it.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn cut(&self, front: __m256i, back: __m256i) -> (__m256i, __m256i) {
        let bits = _mm256_slli_epi64::<3>(self.characters);
        let carried = _mm256_srlv_epi64(front, _mm256_sub_epi64(all(words::BITS), bits));
        (_mm256_sllv_epi64(front, bits), _mm256_or_si256(_mm256_sllv_epi64(back, bits), carried))
    }
}

/// How many bytes of each word are in `mask`.
#[target_feature(enable = "avx2")]
#[inline]
fn count(mask: __m256i) -> __m256i {
    _mm256_sad_epu8(_mm256_and_si256(mask, _mm256_set1_epi8(1)), _mm256_setzero_si256())
}
