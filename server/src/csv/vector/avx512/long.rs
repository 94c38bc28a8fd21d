//! Eight cells of up to sixteen characters each, in two words: an integer of their digits, divided by a power of ten or
//! multiplied by one.
//!
//! Integers up to 2⁵³ and powers up to 10²² are exact doubles, so the one operation rounds as a correct parser does; and no
//! product of the two is more than a float holds.

use std::arch::x86_64::{
    __m512d, __m512i, __mmask8, _mm512_abs_epi64, _mm512_add_epi64, _mm512_and_si512, _mm512_cmple_epi64_mask,
    _mm512_cvtepi64_pd, _mm512_cvtpd_ps, _mm512_div_pd, _mm512_mask_div_pd, _mm512_mask_mul_pd, _mm512_maskz_mov_epi64,
    _mm512_movepi64_mask, _mm512_mul_epu32, _mm512_mul_pd, _mm512_permutex2var_pd, _mm512_set1_pd,
    _mm512_setzero_si512, _mm512_shldi_epi64, _mm512_slli_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
    _mm512_test_epi64_mask,
};

use bytemuck::cast;

use super::{
    cells::{Cells, Text},
    exponent::{self, Exponent},
    lanes::Lanes,
    words::{self, all, select},
};

/// Up to here every integer is a double.
const INTEGER_MAX: i64 = 1 << 53;

/// The largest power of ten that a double holds exactly.
const POWER_MAX: i64 = 22;

/// The first powers of ten.
const POWERS: [[f64; 8]; 2] =
    [[1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7], [1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]];

/// Decimals without exponents, in pieces.
struct Decimals {
    integer: __m512d,
    /// How many digits follow the point, in the last four bits.
    fraction_digits: __m512i,
    plain: __mmask8,
}

/// Reads cells; those of too many characters are not plain.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")]
#[inline]
pub(super) fn read(cells: &Cells) -> Lanes {
    let text = cells.text_before(_mm512_setzero_si512());
    let letters = exponent::letters(text.back);
    if letters == 0 {
        let Decimals { integer, fraction_digits, plain } = decimals(&text);
        let numbers = _mm512_cvtpd_ps(_mm512_div_pd(integer, power(fraction_digits)));
        return cells.signed(numbers, plain & cells.fit());
    }
    let exponent = Exponent::of(text.back, letters);
    let Decimals { integer, fraction_digits, plain } = decimals(&cells.text_before(exponent.characters));
    let scale = _mm512_sub_epi64(exponent.power, _mm512_and_si512(fraction_digits, all(15)));
    let size = _mm512_abs_epi64(scale);
    let power = power(size);
    let power = _mm512_mask_mul_pd(power, _mm512_test_epi64_mask(size, all(16)), power, _mm512_set1_pd(1e16));
    let product = _mm512_mul_pd(integer, power);
    let numbers = _mm512_cvtpd_ps(_mm512_mask_div_pd(product, _mm512_movepi64_mask(scale), integer, power));
    let is_exact = _mm512_cmple_epi64_mask(size, all(POWER_MAX));
    cells.signed(numbers, plain & exponent.plain & is_exact & cells.fit())
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")]
#[inline]
fn decimals(text: &Text) -> Decimals {
    let (in_front, in_back) = (words::are(text.front, b'.'), words::are(text.back, b'.'));
    let after_back = words::bits_after(in_back);
    // All of the front stands before a point that is in the back.
    let after_front = _mm512_maskz_mov_epi64(!words::with(in_back), words::bits_after(in_front));
    let moved_back = _mm512_shldi_epi64::<8>(text.back, text.front);
    let back = select(words::but_last(after_back), moved_back, text.back);
    let front = select(words::but_last(after_front), _mm512_slli_epi64::<8>(text.front), text.front);
    let integer = _mm512_add_epi64(_mm512_mul_epu32(words::value(front), all(100_000_000)), words::value(back));
    let has_digits = words::with(text.in_front & !in_front) | words::with(text.in_back & !in_back);
    let are_digits = words::of_digits(front) & words::of_digits(back);
    Decimals {
        integer: _mm512_cvtepi64_pd(integer),
        // Sixteen where there is no point, whose last four bits are as good as none.
        fraction_digits: _mm512_srli_epi64::<3>(_mm512_add_epi64(after_front, after_back)),
        plain: has_digits & are_digits & _mm512_cmple_epi64_mask(integer, all(INTEGER_MAX)),
    }
}

/// Ten to the power of the last four bits of each of `exponents`.
#[target_feature(enable = "avx512f")]
#[inline]
fn power(exponents: __m512i) -> __m512d {
    _mm512_permutex2var_pd(cast(POWERS[0]), exponents, cast(POWERS[1]))
}
