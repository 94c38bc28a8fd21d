//! A piece of the body, and where the cells in it end.

use std::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
};

use super::{super::widths::Widths, lanes::GROUP};

/// How many bytes of the body are looked at together.
const BYTES: usize = 256;

/// How many of them are compared at once.
const BLOCK: usize = 64;

/// How many characters before an end are read at the most, and so what stands before the piece.
const BEFORE: usize = 16;

/// A piece of the body in a place of its own, where it does no harm to read what is around a cell.
pub(super) struct Window {
    /// Something, the piece, and what is left of pieces before it.
    bytes: [u8; BEFORE + BYTES + BLOCK],
    /// Where in the piece the cell before the first ended, one before its start, and then where each one ends; what comes
    /// after these means nothing.
    ends: [u16; 1 + BYTES + 2 * GROUP],
    cells: usize,
    /// Whether there may be an "e" in the piece.
    has_e: bool,
}

impl Window {
    pub(super) fn new() -> Self {
        let mut window =
            Self { bytes: [0; BEFORE + BYTES + BLOCK], ends: [0; 1 + BYTES + 2 * GROUP], cells: 0, has_e: false };
        window.ends[0] = u16::MAX;
        window
    }

    /// How many cells end in the piece.
    pub(super) fn cells(&self) -> usize {
        self.cells
    }

    /// Whether there may be an "e" among the bytes of the piece; if not there is none.
    pub(super) fn has_e(&self) -> bool {
        self.has_e
    }

    /// Where the cell before the one at `first` ended, and then where eight cells end, which may be more than there are.
    #[inline]
    pub(super) fn ends(&self, first: usize) -> Option<&[u16; 1 + GROUP]> {
        self.ends.get(first..)?.first_chunk()
    }

    /// The bytes of a cell, by the end of the one before it and its own.
    pub(super) fn cell(&self, before: u16, end: u16) -> Option<&[u8]> {
        self.bytes[BEFORE..].get(usize::from(before.wrapping_add(1))..usize::from(end))
    }

    /// How many bytes of the body the cells take, each with what ends it.
    pub(super) fn bytes_read(&self) -> usize {
        self.ends.get(self.cells).map_or(0, |&last| usize::from(last) + 1)
    }

    /// The eight characters before an end, the first of them lowest.
    #[inline]
    pub(super) fn back(&self, end: u16) -> i64 {
        self.word::<8>(end)
    }

    /// The eight characters before those.
    #[inline]
    pub(super) fn front(&self, end: u16) -> i64 {
        self.word::<0>(end)
    }

    #[inline]
    fn word<const FROM: usize>(&self, end: u16) -> i64 {
        // What is no end is brought inside.
        let start = usize::from(end) % BYTES + FROM;
        self.bytes[start..].first_chunk().map_or(0, |word| i64::from_le_bytes(*word))
    }

    /// Takes the start of `body`, with a line feed at the end when that is all of it, and finds where its cells end;
    /// `None` when a row is not as wide as those before it.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    pub(super) fn fill(&mut self, body: &[u8], delimiter: u8, widths: &mut Widths) -> Option<()> {
        let length = self.copy(body)?;
        (self.cells, self.has_e) = (0, false);
        for start in (0..length).step_by(BLOCK) {
            let block = self.bytes.get(BEFORE + start..)?.first_chunk()?;
            let inside = u64::MAX >> (BLOCK - (length - start).min(BLOCK));
            let [delimiters, feeds] = find(block, [delimiter, b'\n']);
            self.has_e |= has_e(block);
            let ends = (delimiters | feeds) & inside;
            widths.end_rows(ends, feeds & inside)?;
            self.note(u16::try_from(start).ok()?, ends)?;
        }
        Some(())
    }

    /// Copies the start of `body`; returns how many bytes there are then.
    #[inline]
    fn copy(&mut self, body: &[u8]) -> Option<usize> {
        let place = self.bytes.get_mut(BEFORE..)?;
        if let Some(piece) = body.first_chunk::<BYTES>() {
            place.first_chunk_mut().map(|place| *place = *piece)?;
            return Some(BYTES);
        }
        place.get_mut(..body.len())?.copy_from_slice(body);
        *place.get_mut(body.len())? = b'\n';
        Some(body.len() + 1)
    }

    /// Notes the places of the bits in `ends`, of which the first is `start`: eight at once, and so some too many.
    #[expect(clippy::cast_possible_truncation, reason = "zeros of 64 bits are 64 at the most")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    #[inline]
    fn note(&mut self, start: u16, mut ends: u64) -> Option<()> {
        let mut at = self.cells + 1;
        self.cells += ends.count_ones() as usize;
        while at <= self.cells {
            let group: &mut [u16; GROUP] = self.ends.get_mut(at..)?.first_chunk_mut()?;
            for end in group {
                *end = start + ends.trailing_zeros() as u16;
                ends &= ends.wrapping_sub(1);
            }
            at += GROUP;
        }
        Some(())
    }
}

/// A bit for each byte of `block` that is one of `wanted`, for each of these.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
#[inline]
fn find<const N: usize>(block: &[u8; BLOCK], wanted: [u8; N]) -> [u64; N] {
    let (halves, _) = block.as_chunks();
    let (low, high) = (load(&halves[0]), load(&halves[1]));
    wanted.map(|byte| u64::from(equal(high, byte)) << 32 | u64::from(equal(low, byte)))
}

/// Whether there is an "e" of either size.
#[target_feature(enable = "avx2")]
#[inline]
fn has_e(block: &[u8; BLOCK]) -> bool {
    let (halves, _) = block.as_chunks();
    let small = |half| _mm256_or_si256(load(half), _mm256_set1_epi8(b' '.cast_signed()));
    equal(small(&halves[0]), b'e') | equal(small(&halves[1]), b'e') != 0
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(bytes: &[u8; 32]) -> __m256i {
    let (words, _) = bytes.as_chunks();
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| i64::from_le_bytes(words[at]));
    _mm256_set_epi64x(d, c, b, a)
}

#[target_feature(enable = "avx2")]
#[inline]
fn equal(bytes: __m256i, byte: u8) -> u32 {
    _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()))).cast_unsigned()
}
