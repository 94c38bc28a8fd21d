//! The first eight cells of a window, and their characters in words: each cell at the end of one or two of them.

use std::arch::x86_64::{
    __m256, __m512i, __mmask8, __mmask64, _mm_add_epi8, _mm_set1_epi8, _mm256_castps_si256, _mm256_castsi256_ps,
    _mm256_mask_mov_ps, _mm256_mask_or_epi32, _mm256_set1_epi32, _mm256_set1_ps, _mm512_add_epi8,
    _mm512_castsi128_si512, _mm512_cmpeq_epi64_mask, _mm512_cmpge_epi8_mask, _mm512_cmpgt_epi8_mask,
    _mm512_mask_add_epi64, _mm512_mask_sub_epi64, _mm512_maskz_permutex2var_epi8, _mm512_maskz_permutexvar_epi8,
    _mm512_permutex2var_epi8, _mm512_permutexvar_epi8, _mm512_set1_epi8, _mm512_sub_epi8, _mm512_xor_si512,
};

use bytemuck::cast;

use super::{
    ends::{BLOCK, Ends, WINDOW},
    lanes::Lanes,
    words::{self, ZERO, all},
};

/// One in each byte of a word.
const EACH: i64 = 0x0101_0101_0101_0101;

/// Where in its word each byte stands.
const WITHIN: [u8; BLOCK] = words::bytes(0, 1, 7);

/// The word of each byte.
const WORDS: [u8; BLOCK] = words::bytes(0, 8, 7);

/// Cells of a window. What stands in words beyond the cells that there are means nothing.
pub(super) struct Cells {
    pub(super) ends: Ends,
    /// The characters of the window.
    low: __m512i,
    high: __m512i,
    /// Where each cell starts behind its minus, in each byte of its word.
    start: __m512i,
    /// Where each cell ends before its carriage return, likewise.
    end: __m512i,
    /// Those that begin with a minus.
    negative: __mmask8,
    /// Those that hold nothing, not even a carriage return.
    empty: __mmask8,
}

/// Sixteen characters before a place in each cell, in two words, with zeros before the cell.
pub(super) struct Text {
    pub(super) front: __m512i,
    pub(super) back: __m512i,
    /// Which of the characters are the cell's.
    pub(super) in_front: __mmask64,
    pub(super) in_back: __mmask64,
}

impl Cells {
    /// The first ones that end in `window`.
    #[target_feature(
        enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2"
    )]
    #[inline]
    pub(super) fn of(window: &[u8; WINDOW], delimiter: u8) -> Self {
        let (blocks, _) = window.as_chunks::<BLOCK>();
        let (low, high) = (cast(blocks[0]), cast(blocks[1]));
        let ends = Ends::of(low, high, delimiter);
        let end = _mm512_permutexvar_epi8(cast(WORDS), _mm512_castsi128_si512(ends.places));
        let after = _mm512_castsi128_si512(_mm_add_epi8(ends.places, _mm_set1_epi8(1)));
        let before = _mm512_sub_epi8(cast(WORDS), _mm512_set1_epi8(1));
        let start = _mm512_maskz_permutexvar_epi8(u64::MAX << 8, before, after);
        let zeros = _mm512_set1_epi8(ZERO.cast_signed());
        let (low, high) = (_mm512_xor_si512(low, zeros), _mm512_xor_si512(high, zeros));
        let empty = _mm512_cmpeq_epi64_mask(start, end);
        Self { ends, low, high, start, end, negative: 0, empty }.without_minus().without_return()
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    fn without_minus(mut self) -> Self {
        self.negative = self.are_at(self.start, b'-');
        self.start = _mm512_mask_add_epi64(self.start, self.negative, self.start, all(EACH));
        self
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    fn without_return(mut self) -> Self {
        let returns = words::are(self.low, b'\r') | if self.ends.are_low { 0 } else { words::are(self.high, b'\r') };
        if returns != 0 {
            let last = _mm512_sub_epi8(self.end, _mm512_set1_epi8(1));
            let returns = self.are_at(last, b'\r') & !self.empty;
            self.end = _mm512_mask_sub_epi64(self.end, returns, self.end, all(EACH));
        }
        self
    }

    /// The cells that have such a character at their place of `places`.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    fn are_at(&self, places: __m512i, wanted: u8) -> __mmask8 {
        let characters = if self.ends.are_low {
            _mm512_permutexvar_epi8(places, self.low)
        } else {
            _mm512_permutex2var_epi8(self.low, places, self.high)
        };
        _mm512_cmpeq_epi64_mask(characters, all(EACH * i64::from(wanted ^ ZERO)))
    }

    /// Whether there are eight in the first vector, of up to eight characters besides a minus.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    pub(super) fn are_short(&self) -> bool {
        self.ends.are_low && self.over(8) == 0
    }

    /// Those of up to 16 characters besides a minus.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    pub(super) fn fit(&self) -> __mmask8 {
        !words::with(self.over(16))
    }

    /// All bytes of the cells that have more than so many characters besides a minus.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn over(&self, most: i8) -> __mmask64 {
        _mm512_cmpgt_epi8_mask(_mm512_sub_epi8(self.end, _mm512_set1_epi8(most)), self.start)
    }

    /// The last eight characters of cells in the first vector, with zeros before the cell, and which of them are the cell's.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    pub(super) fn word(&self) -> (__m512i, __mmask64) {
        let (places, inside) = self.last(self.end, 8);
        (_mm512_maskz_permutexvar_epi8(inside, places, self.low), inside)
    }

    /// The last sixteen characters of cells before so many, which each byte of their word says.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    pub(super) fn text_before(&self, characters: __m512i) -> Text {
        let end = _mm512_sub_epi8(self.end, characters);
        let ((front, in_front), (back, in_back)) = (self.last(end, 16), self.last(end, 8));
        Text {
            front: _mm512_maskz_permutex2var_epi8(in_front, self.low, front, self.high),
            back: _mm512_maskz_permutex2var_epi8(in_back, self.low, back, self.high),
            in_front,
            in_back,
        }
    }

    /// Eight places from so many before `end` on, and which of them are not before the cell.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn last(&self, end: __m512i, count: i8) -> (__m512i, __mmask64) {
        let places = _mm512_add_epi8(_mm512_sub_epi8(end, _mm512_set1_epi8(count)), cast(WITHIN));
        (places, _mm512_cmpge_epi8_mask(places, self.start))
    }

    /// What cells hold whose numbers without a sign are these.
    #[target_feature(enable = "avx2,avx512f,avx512vl")]
    #[inline]
    pub(super) fn signed(&self, numbers: __m256, plain: __mmask8) -> Lanes {
        let (bits, sign) = (_mm256_castps_si256(numbers), _mm256_set1_epi32(i32::MIN));
        let signed = _mm256_castsi256_ps(_mm256_mask_or_epi32(bits, self.negative, bits, sign));
        let numbers = _mm256_mask_mov_ps(signed, self.empty, _mm256_set1_ps(f32::NAN));
        Lanes { numbers: cast(numbers), plain: u32::from(plain | self.empty) }
    }
}
