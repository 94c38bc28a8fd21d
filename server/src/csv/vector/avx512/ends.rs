//! Where the first eight cells of a window end.

use std::{
    arch::x86_64::{
        __m128i, __m512i, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_or_si128, _mm_sll_epi64, _mm512_castsi512_si128,
        _mm512_cmpeq_epi8_mask, _mm512_maskz_compress_epi8, _mm512_set1_epi8, _pdep_u64, _pext_u64,
    },
    ops::Range,
};

use bytemuck::cast;

use super::{lanes::GROUP, words};

/// How many bytes of the body are looked at together: what two vectors hold.
pub(super) const WINDOW: usize = 2 * BLOCK;

/// How many bytes a vector holds.
pub(super) const BLOCK: usize = 64;

/// The places of bytes in a window.
const PLACES: [[u8; BLOCK]; 2] = [words::bytes(0, 1, 255), words::bytes(BLOCK, 1, 255)];

/// Where cells end.
pub(super) struct Ends {
    /// The place of what ends each cell, a byte for each; 0 beyond those that there are.
    pub(super) places: __m128i,
    /// How many cells there are.
    pub(super) count: usize,
    /// A bit for each cell that ends a row.
    pub(super) rows: u64,
    /// How many bytes the cells take, each with what ends it.
    pub(super) bytes: usize,
    /// Whether there are eight that end in the first vector.
    pub(super) are_low: bool,
}

/// A bit for each byte of a vector that ends a cell, and for those that end rows.
#[derive(Clone, Copy)]
struct Found {
    ends: u64,
    feeds: u64,
}

impl Ends {
    /// Those in two vectors.
    #[target_feature(
        enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2"
    )]
    #[inline]
    pub(super) fn of(low: __m512i, high: __m512i, delimiter: u8) -> Self {
        let first = Found::of(low, delimiter);
        let low_count = first.ends.count_ones() as usize;
        if low_count >= GROUP {
            let rows = first.rows() & 0xff;
            return Self {
                places: first.places(cast(PLACES[0])),
                count: GROUP,
                rows,
                bytes: nth(first.ends, GROUP - 1) + 1,
                are_low: true,
            };
        }
        let second = Found::of(high, delimiter);
        let count = GROUP.min(low_count + second.ends.count_ones() as usize);
        let bytes = if count > low_count {
            BLOCK + nth(second.ends, count - low_count - 1) + 1
        } else {
            BLOCK - first.ends.leading_zeros() as usize
        };
        let bits_before = _mm_cvtsi64_si128(8 * low_count.cast_signed() as i64);
        let high_places = _mm_sll_epi64(second.places(cast(PLACES[1])), bits_before);
        Self {
            places: _mm_or_si128(first.places(cast(PLACES[0])), high_places),
            count,
            rows: (first.rows() | second.rows() << low_count) & 0xff,
            bytes,
            are_low: false,
        }
    }

    /// A bit for each cell.
    pub(super) fn all(&self) -> u64 {
        0xff >> (GROUP - self.count)
    }

    /// Where in the window the cell in a lane is.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn cell(&self, lane: usize) -> Option<Range<usize>> {
        let places = _mm_cvtsi128_si64(self.places).to_le_bytes();
        let start = lane.checked_sub(1).map_or(Some(0), |before| Some(usize::from(*places.get(before)?) + 1))?;
        Some(start..usize::from(*places.get(lane)?))
    }
}

impl Found {
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn of(block: __m512i, delimiter: u8) -> Self {
        let is = |byte: u8| _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(byte.cast_signed()));
        let feeds = is(b'\n');
        Self { ends: feeds | is(delimiter), feeds }
    }

    /// A bit for each cell that ends a row.
    #[target_feature(enable = "bmi2")]
    #[inline]
    fn rows(self) -> u64 {
        _pext_u64(self.feeds, self.ends)
    }

    /// The places of the first eight ends, of all `places`.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
    #[inline]
    fn places(self, places: __m512i) -> __m128i {
        _mm512_castsi512_si128(_mm512_maskz_compress_epi8(self.ends, places))
    }
}

/// The place of the bit with so many before it.
#[target_feature(enable = "bmi1,bmi2")]
#[inline]
fn nth(bits: u64, before: usize) -> usize {
    _pdep_u64(1 << before, bits).trailing_zeros() as usize
}
