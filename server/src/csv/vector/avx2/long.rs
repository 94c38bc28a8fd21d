//! Eight cells of up to sixteen characters each, in two words: an integer of their digits, divided by a power of ten or
//! multiplied by one.
//!
//! Integers below 2⁵² and powers up to 10²² are exact doubles, so the one operation rounds as a correct parser does; and
//! no product of the two is more than a float holds.

use std::arch::x86_64::{
    __m128, __m128i, __m256d, __m256i, _mm256_add_epi64, _mm256_and_si256, _mm256_andnot_si256, _mm256_blendv_pd,
    _mm256_castps256_ps128, _mm256_castsi256_pd, _mm256_cmpeq_epi64, _mm256_cmpgt_epi64, _mm256_cvtpd_ps,
    _mm256_cvtps_pd, _mm256_div_pd, _mm256_mul_epu32, _mm256_mul_pd, _mm256_or_pd, _mm256_or_si256,
    _mm256_permutevar8x32_ps, _mm256_set_epi64x, _mm256_set_m128, _mm256_set1_pd, _mm256_setr_epi32, _mm256_setr_ps,
    _mm256_setzero_si256, _mm256_slli_epi64, _mm256_sllv_epi64, _mm256_sub_epi64, _mm256_sub_pd, _mm256_xor_si256,
};

use bytemuck::cast;

use super::{
    exponent::Exponent,
    lanes::{GROUP, Lanes},
    window::Window,
    words::{self, Point, all},
};

/// The longest cell.
pub(super) const CHARACTERS_MAX: i16 = 16;

/// Integers below this are the last bits of a double between it and twice it.
const INTEGER_END: i64 = 1 << 52;

/// The largest power of ten that a double holds exactly.
const POWER_MAX: i64 = 22;

/// Reads the cells that end at the last eight of `ends`; those with an exponent are plain where `EXPONENTS`.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn read<const EXPONENTS: bool>(window: &Window, ends: &[u16; 1 + GROUP], lengths: __m128i) -> Lanes {
    let (front, back) = (|at: usize| window.front(ends[at]), |at: usize| window.back(ends[at]));
    let first = four::<EXPONENTS>(
        _mm256_set_epi64x(front(4), front(3), front(2), front(1)),
        _mm256_set_epi64x(back(4), back(3), back(2), back(1)),
        words::first_four(lengths),
    );
    let last = four::<EXPONENTS>(
        _mm256_set_epi64x(front(8), front(7), front(6), front(5)),
        _mm256_set_epi64x(back(8), back(7), back(6), back(5)),
        words::last_four(lengths),
    );
    Lanes { numbers: cast(_mm256_set_m128(last.0, first.0)), plain: first.1 | last.1 << 4 }
}

/// The numbers of four cells, and a bit for each that is plain.
#[target_feature(enable = "avx2")]
#[inline]
fn four<const EXPONENTS: bool>(front: __m256i, back: __m256i, length: __m256i) -> (__m128, u32) {
    let (front, back, negative) = unsigned(front, back, length);
    let returns = words::ends_in_return(back);
    let (front, back) = moved(front, back, returns);
    let exponent = if EXPONENTS { Exponent::of(back) } else { Exponent::none() };
    let (front, back) = if EXPONENTS { exponent.cut(front, back) } else { (front, back) };
    let (in_front, in_back) = (Point::of(front), Point::of(back));
    let has_point = _mm256_or_si256(in_front.is_there, in_back.is_there);
    let carried = _mm256_and_si256(in_back.is_there, words::last(front));
    let back = _mm256_or_si256(in_back.close(back, words::one_character(in_back.is_there)), carried);
    let front = in_front.close(front, words::one_character(has_point));
    let integer = _mm256_add_epi64(_mm256_mul_epu32(words::value(front), all(100_000_000)), words::value(back));

    // What is there counts -1.
    let others = _mm256_add_epi64(_mm256_add_epi64(negative, returns), has_point);
    let has_digits = _mm256_cmpgt_epi64(_mm256_add_epi64(length, others), exponent.characters);
    let are_digits = _mm256_and_si256(words::are_digits(front), words::are_digits(back));
    let is_small = _mm256_cmpgt_epi64(all(INTEGER_END), integer);
    let is_number = _mm256_and_si256(_mm256_and_si256(has_digits, are_digits), is_small);
    let has_two_points = _mm256_and_si256(in_front.is_there, in_back.is_there);
    let is_decimal = _mm256_andnot_si256(has_two_points, is_number);

    let after = _mm256_add_epi64(in_front.characters_after(), words::one_character(in_front.is_there));
    let fraction_digits = _mm256_add_epi64(after, in_back.characters_after());
    let (magnitude, is_exact) = if EXPONENTS {
        scaled(integer, _mm256_sub_epi64(exponent.power, fraction_digits))
    } else {
        (_mm256_div_pd(double(integer), power(fraction_digits)), all(-1))
    };
    let is_plain = _mm256_and_si256(_mm256_and_si256(is_decimal, is_exact), exponent.is_plain);
    let is_empty = _mm256_cmpeq_epi64(length, _mm256_setzero_si256());
    let marks = _mm256_or_si256(
        _mm256_and_si256(negative, all((-0.0_f64).to_bits().cast_signed())),
        _mm256_and_si256(is_empty, all(f64::NAN.to_bits().cast_signed())),
    );
    let numbers = _mm256_cvtpd_ps(_mm256_or_pd(magnitude, _mm256_castsi256_pd(marks)));
    (numbers, words::bits(_mm256_or_si256(is_empty, is_plain)))
}

/// The characters of cells without what is no part of them and without the minus that begins them, and whether one does.
#[target_feature(enable = "avx2")]
#[inline]
fn unsigned(front: __m256i, back: __m256i, length: __m256i) -> (__m256i, __m256i, __m256i) {
    let used = _mm256_slli_epi64::<3>(length);
    let is_long = _mm256_cmpgt_epi64(length, all(8));
    let back_unused = _mm256_andnot_si256(is_long, _mm256_sub_epi64(all(words::BITS), used));
    let (back, back_negative) = words::unsigned(back, back_unused, is_long);
    let (front, front_negative) = words::unsigned(front, _mm256_sub_epi64(all(2 * words::BITS), used), all(0));
    (front, back, _mm256_or_si256(front_negative, back_negative))
}

/// The characters without the last, where `mask` is all ones.
#[target_feature(enable = "avx2")]
#[inline]
fn moved(front: __m256i, back: __m256i, mask: __m256i) -> (__m256i, __m256i) {
    let bits = words::one_character(mask);
    let carried = _mm256_and_si256(mask, words::last(front));
    (_mm256_sllv_epi64(front, bits), _mm256_or_si256(_mm256_sllv_epi64(back, bits), carried))
}

/// `integer`, where it is below [`INTEGER_END`], times ten to the `exponent`, and whether that power is exact.
#[target_feature(enable = "avx2")]
#[inline]
fn scaled(integer: __m256i, exponent: __m256i) -> (__m256d, __m256i) {
    let is_negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), exponent);
    let size = _mm256_sub_epi64(_mm256_xor_si256(exponent, is_negative), is_negative);
    let has_sixteen = _mm256_castsi256_pd(_mm256_cmpgt_epi64(size, all(15)));
    let power = _mm256_mul_pd(power(size), _mm256_blendv_pd(_mm256_set1_pd(1e0), _mm256_set1_pd(1e16), has_sixteen));
    let (double, is_quotient) = (double(integer), _mm256_castsi256_pd(is_negative));
    let number = _mm256_blendv_pd(_mm256_mul_pd(double, power), _mm256_div_pd(double, power), is_quotient);
    (number, _mm256_cmpgt_epi64(all(POWER_MAX + 1), size))
}

/// `integer` as a double, where it is below [`INTEGER_END`].
#[target_feature(enable = "avx2")]
#[inline]
fn double(integer: __m256i) -> __m256d {
    let end = all((2.0_f64.powi(52)).to_bits().cast_signed());
    _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(integer, end)), _mm256_castsi256_pd(end))
}

/// Ten to the power of the last four bits of each of `exponents`.
#[target_feature(enable = "avx2")]
#[inline]
fn power(exponents: __m256i) -> __m256d {
    let powers = _mm256_setr_ps(1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7);
    let power = _mm256_permutevar8x32_ps(powers, _mm256_and_si256(exponents, all(7)));
    let power = _mm256_permutevar8x32_ps(power, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
    // The bit of 8 becomes the one that is looked at.
    let has_eight = _mm256_castsi256_pd(_mm256_slli_epi64::<60>(exponents));
    let rest = _mm256_blendv_pd(_mm256_set1_pd(1e0), _mm256_set1_pd(1e8), has_eight);
    _mm256_mul_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(power)), rest)
}
