//! Eight cells of up to eight characters each: an integer of their digits, divided by a power of ten.
//!
//! Up to seven digits beside a point are below 2²⁴, and so exact floats, as the powers are. A quotient of floats that is
//! rounded to a double and then narrowed is the one that is rounded once, because a double has more than twice a float's
//! bits and two (Figueroa 1995). Eight digits alone are rounded once where they become a float.

use std::arch::x86_64::{
    __m128i, __m256i, _mm256_add_epi64, _mm256_and_si256, _mm256_castpd_ps, _mm256_castps_pd, _mm256_castps_si256,
    _mm256_castsi256_ps, _mm256_cmpeq_epi64, _mm256_cmpgt_epi64, _mm256_cvtepi32_ps, _mm256_div_ps, _mm256_or_ps,
    _mm256_or_si256, _mm256_permute4x64_pd, _mm256_permutevar8x32_ps, _mm256_set_epi64x, _mm256_setr_ps,
    _mm256_setzero_si256, _mm256_shuffle_ps, _mm256_slli_epi64, _mm256_sllv_epi64, _mm256_sub_epi64,
};

use bytemuck::cast;

use super::{
    lanes::{GROUP, Lanes},
    window::Window,
    words::{self, Point, all},
};

/// The longest cell.
pub(super) const CHARACTERS_MAX: i16 = 8;

/// Reads the cells that end at the last eight of `ends`.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn read(window: &Window, ends: &[u16; 1 + GROUP], lengths: __m128i) -> Lanes {
    let text = |at: usize| window.back(ends[at]);
    let first = four(_mm256_set_epi64x(text(4), text(3), text(2), text(1)), words::first_four(lengths));
    let last = four(_mm256_set_epi64x(text(8), text(7), text(6), text(5)), words::last_four(lengths));
    let integers = _mm256_cvtepi32_ps(low_halves(first.integer, last.integer));
    let powers = _mm256_setr_ps(1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7);
    let powers = _mm256_permutevar8x32_ps(powers, low_halves(first.fraction_digits, last.fraction_digits));
    let marks = _mm256_castsi256_ps(low_halves(first.marks, last.marks));
    let numbers = _mm256_castps_pd(_mm256_or_ps(_mm256_div_ps(integers, powers), marks));
    // Pairs came from both fours by turns.
    let in_order = _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(numbers));
    Lanes { numbers: cast(in_order), plain: first.plain | last.plain << 4 }
}

/// The low halves of words, a pair of `a` and a pair of `b` by turns.
#[target_feature(enable = "avx2")]
#[inline]
fn low_halves(a: __m256i, b: __m256i) -> __m256i {
    _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b)))
}

/// Four cells, in pieces.
struct Four {
    integer: __m256i,
    fraction_digits: __m256i,
    /// The bits of a float that are set besides: the sign, or those of NaN for a cell without characters.
    marks: __m256i,
    /// A bit for each cell that is plain.
    plain: u32,
}

#[target_feature(enable = "avx2")]
#[inline]
fn four(text: __m256i, length: __m256i) -> Four {
    let unused = _mm256_sub_epi64(all(words::BITS), _mm256_slli_epi64::<3>(length));
    let (characters, negative) = words::unsigned(text, unused, all(0));
    let returns = words::ends_in_return(characters);
    let characters = _mm256_sllv_epi64(characters, words::one_character(returns));
    let point = Point::of(characters);
    let digits = point.close(characters, words::one_character(point.is_there));
    // What is there counts -1.
    let others = _mm256_add_epi64(_mm256_add_epi64(negative, returns), point.is_there);
    let has_digits = _mm256_cmpgt_epi64(_mm256_add_epi64(length, others), _mm256_setzero_si256());
    let is_empty = _mm256_cmpeq_epi64(length, _mm256_setzero_si256());
    let is_number = _mm256_and_si256(has_digits, words::are_digits(digits));
    Four {
        integer: words::value(digits),
        fraction_digits: point.characters_after(),
        marks: _mm256_or_si256(
            _mm256_and_si256(negative, all(i64::from((-0.0_f32).to_bits()))),
            _mm256_and_si256(is_empty, all(i64::from(f32::NAN.to_bits()))),
        ),
        plain: words::bits(_mm256_or_si256(is_empty, is_number)),
    }
}
