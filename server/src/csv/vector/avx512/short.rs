//! Eight cells of up to eight characters each: an integer of their digits, times what is nearest to a power of ten.
//!
//! That is within 2⁻⁵² of the number x itself, and so becomes the same float, if no middle m of two floats is so near to x. Up
//! to seven digits beside a point are an integer n below 2²⁴, and x is n / 10ᵏ, k being seven at the most. m is an odd integer
//! M of 25 bits, times a power of two: above 2²⁴, where no x is, or M / 2ᵉ. Then x and m differ by |2ᵉ n - 10ᵏ M| / (2ᵉ 10ᵏ),
//! whose upper part is no 0, as M would divide n; the difference is 1 / (10ᵏ M) of m at least, which is more than 2⁻⁴⁹. Eight
//! digits alone are rounded once where they become a float.

use std::arch::x86_64::{
    _mm512_cvtepi64_pd, _mm512_cvtpd_ps, _mm512_mul_pd, _mm512_permutexvar_pd, _mm512_slli_epi64, _mm512_srli_epi64,
};

use bytemuck::cast;

use super::{
    cells::Cells,
    lanes::Lanes,
    words::{self, select},
};

/// The doubles nearest to powers of ten.
const INVERSE_POWERS: [f64; 8] = [1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];

/// Reads cells that are short.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")]
#[inline]
pub(super) fn read(cells: &Cells) -> Lanes {
    let (word, inside) = cells.word();
    let points = words::are(word, b'.');
    let after = words::bits_after(points);
    let digits = select(words::but_last(after), _mm512_slli_epi64::<8>(word), word);
    let integer = _mm512_cvtepi64_pd(words::value(digits));
    // 64 bits are those of eight characters, which are as good as none here.
    let inverse = _mm512_permutexvar_pd(_mm512_srli_epi64::<3>(after), cast(INVERSE_POWERS));
    let numbers = _mm512_cvtpd_ps(_mm512_mul_pd(integer, inverse));
    let plain = words::with(inside & !points) & words::of_digits(digits);
    cells.signed(numbers, plain)
}
