//! The exponents of eight cells, each an "e" and what follows it among the last seven characters.

use std::arch::x86_64::{
    __m512i, __mmask8, __mmask64, _mm512_and_si512, _mm512_andnot_si512, _mm512_cmpeq_epi8_mask,
    _mm512_cmpeq_epi64_mask, _mm512_mask_sub_epi64, _mm512_maskz_add_epi64, _mm512_maskz_mov_epi64, _mm512_or_si512,
    _mm512_set1_epi8, _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_srli_epi64, _mm512_srlv_epi64,
    _mm512_sub_epi64, _mm512_test_epi64_mask,
};

use bytemuck::cast;

use super::words::{self, ZERO, all};

/// What tells small letters from capitals.
const SMALL: u8 = 0x20;

const E: u8 = b'e' ^ ZERO | SMALL;

/// All characters of words but their first.
const LATER: u64 = 0xfefe_fefe_fefe_fefe;

/// The first byte of each byte's word, among sixteen.
const FIRST: [u8; 64] = words::bytes(0, 1, 8);

/// What eight cells have for an exponent.
pub(super) struct Exponent {
    /// The power of ten, 0 where there is no "e", anything where what follows it is no number.
    pub(super) power: __m512i,
    /// Those that have no "e", or a number after it.
    pub(super) plain: __mmask8,
    /// How many characters it takes, with the "e", in each byte of the word.
    pub(super) characters: __m512i,
}

/// Every "e" that could begin an exponent, of either size, among the last eight characters of cells.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(super) fn letters(back: __m512i) -> __mmask64 {
    let small = _mm512_or_si512(back, _mm512_set1_epi8(SMALL.cast_signed()));
    _mm512_cmpeq_epi8_mask(small, _mm512_set1_epi8(E.cast_signed())) & LATER
}

impl Exponent {
    /// Of cells that end with these characters, among them those `letters`.
    #[target_feature(enable = "avx512f,avx512bw,avx512cd")]
    #[inline]
    pub(super) fn of(back: __m512i, letters: __mmask64) -> Self {
        let has_one = words::with(letters);
        let after = words::bits_after(letters);
        let first = _mm512_and_si512(_mm512_srlv_epi64(back, _mm512_sub_epi64(all(64), after)), all(0xff));
        let is = |character: u8| _mm512_cmpeq_epi64_mask(first, all(i64::from(character ^ ZERO)));
        let minus = is(b'-');
        let digits_after = _mm512_mask_sub_epi64(after, minus | is(b'+'), after, all(8));
        let digits = _mm512_andnot_si512(words::but_last(digits_after), back);
        let value = _mm512_maskz_mov_epi64(has_one, words::value(digits));
        let are_digits = words::of_digits(digits) & _mm512_test_epi64_mask(digits_after, digits_after);
        let characters = _mm512_maskz_add_epi64(has_one, _mm512_srli_epi64::<3>(after), all(1));
        Self {
            power: _mm512_mask_sub_epi64(value, minus, _mm512_setzero_si512(), value),
            plain: !has_one | are_digits,
            characters: _mm512_shuffle_epi8(characters, cast(FIRST)),
        }
    }
}
