//! Eight blocks at once, for processors with AVX-512 that selects bytes (VBMI): tables have 64 ranks there.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm512_castsi256_si512, _mm512_cmpge_epu8_mask, _mm512_inserti32x4, _mm512_inserti64x4,
    _mm512_mask_blend_epi8, _mm512_maskz_mov_epi8, _mm512_movepi8_mask, _mm512_or_si512, _mm512_permutex2var_epi8,
    _mm512_permutex2var_epi64, _mm512_permutexvar_epi8, _mm512_setr_epi64, _mm512_srli_epi64, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi64, _mm512_zextsi128_si512,
};

use bytemuck::cast;

use super::{Avx512, Exit, Ranks, Tables};
use crate::pack::format::Block;

/// Blocks that are left at once.
const BLOCKS: usize = 8;

/// Tables of 64 ranks.
pub(super) struct Eights<const TABLES: usize>([__m512i; TABLES]);

impl<const TABLES: usize> Eights<TABLES> {
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn new(_: Avx512, ranks: &Ranks) -> Self {
        let (tables, _) = ranks.as_chunks::<4>();
        Self(std::array::from_fn(|at| cast(tables[at])))
    }
}

impl<const TABLES: usize> Tables<BLOCKS> for Eights<TABLES> {
    #[inline(always)]
    fn leave_whole(&self, blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS] {
        // SAFETY: these tables are made of an `Avx512`, which is the proof that the processor has it.
        unsafe { leave_whole(&self.0, blocks) }
    }

    #[inline(always)]
    fn leave_any(&self, blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS] {
        // SAFETY: these tables are made of an `Avx512`, which is the proof that the processor has it.
        unsafe { leave_any(&self.0, blocks) }
    }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn leave_whole<const TABLES: usize>(tables: &[__m512i; TABLES], blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS] {
    let splits = |at: usize| -> __m128i { cast([blocks[at].columns, blocks[at].ranks]) };
    // Of every second block each, so that columns and ranks come to stand in the order of the blocks.
    let quad = |first: usize| {
        let two = _mm512_inserti32x4::<1>(_mm512_zextsi128_si512(splits(first)), splits(first + 2));
        _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(two, splits(first + 4)), splits(first + 6))
    };
    let (even, odd) = (quad(0), quad(1));
    let own = look_up(tables, _mm512_unpacklo_epi64(even, odd));
    let rights = _mm512_cmpge_epu8_mask(own, _mm512_unpackhi_epi64(even, odd));
    rights.to_le_bytes().map(Exit::by_rights)
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn leave_any<const TABLES: usize>(tables: &[__m512i; TABLES], blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS] {
    let splits = |block: &Block| -> __m256i { cast([block.columns, block.ranks, block.ruled_out, block.high]) };
    let pair = |at: usize| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(splits(blocks[at])), splits(blocks[at + 1]));
    let [one, two, three, four] = [pair(0), pair(2), pair(4), pair(6)];
    // Of two pairs: the columns of the first blocks, what they rule out, then those of the second ones.
    let [low, high] = [_mm512_unpacklo_epi64(one, two), _mm512_unpacklo_epi64(three, four)];
    let [ranks, other] = [_mm512_unpackhi_epi64(one, two), _mm512_unpackhi_epi64(three, four)];
    let firsts = _mm512_setr_epi64(0, 4, 1, 5, 8, 12, 9, 13);
    let columns = _mm512_permutex2var_epi64(low, firsts, high);
    let ruled_out = _mm512_permutex2var_epi64(low, _mm512_setr_epi64(2, 6, 3, 7, 10, 14, 11, 15), high);
    let ranks = _mm512_permutex2var_epi64(ranks, firsts, other);
    let rights = _mm512_cmpge_epu8_mask(look_up(tables, columns), ranks);
    let mut all = _mm512_maskz_mov_epi8(rights, ruled_out);
    all = _mm512_or_si512(all, _mm512_srli_epi64::<32>(all));
    all = _mm512_or_si512(all, _mm512_srli_epi64::<16>(all));
    all = _mm512_or_si512(all, _mm512_srli_epi64::<8>(all));
    cast::<_, [[u8; 8]; BLOCKS]>(all).map(|ruled_out| Exit::first_left(ruled_out[0]))
}

/// The ranks that the row has in 64 columns.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn look_up<const TABLES: usize>(tables: &[__m512i; TABLES], columns: __m512i) -> __m512i {
    match *tables.as_slice() {
        [one] => _mm512_permutexvar_epi8(columns, one),
        [one, two] => _mm512_permutex2var_epi8(one, columns, two),
        [one, two, three, four] => {
            // The highest bit of a column chooses between two tables of 128 ranks.
            let [low, high] = [(one, two), (three, four)].map(|(one, two)| _mm512_permutex2var_epi8(one, columns, two));
            _mm512_mask_blend_epi8(_mm512_movepi8_mask(columns), low, high)
        }
        _ => unreachable!("there are as many tables as columns need"),
    }
}
