//! Eight blocks at once, for processors with AVX-512 that selects bytes (VBMI): tables have 64 ranks there, and each comparison is a
//! bit of its own.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, __m512i, _mm512_castsi256_si512, _mm512_cmpge_epu8_mask, _mm512_inserti64x4, _mm512_mask_blend_epi8,
    _mm512_mask_blend_epi16, _mm512_movepi8_mask, _mm512_or_si512, _mm512_permutex2var_epi8, _mm512_permutexvar_epi8,
    _mm512_slli_epi16, _mm512_slli_epi32, _mm512_srli_epi16, _mm512_srli_epi32, _pext_u32,
};

use super::{Avx512, EXITS, Ranks, Tables};
use crate::pack::format::Block;

/// Blocks that are answered at once.
const BLOCKS: usize = 8;
/// Every second byte, and every second pair of bytes.
const ODD_BYTES: u64 = 0xaaaa_aaaa_aaaa_aaaa;
const ODD_PAIRS: u32 = 0xaaaa_aaaa;
/// The bits of each of four blocks: its byte of every word.
const BITS: [u32; BLOCKS / 2] = [0x1111_1111, 0x4444_4444, 0x2222_2222, 0x8888_8888];

/// Tables of 64 ranks.
pub(super) struct Eights<const TABLES: usize>([__m512i; TABLES]);

impl<const TABLES: usize> Eights<TABLES> {
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn new(_: Avx512, ranks: &Ranks) -> Self {
        let (tables, _) = ranks.as_chunks::<4>();
        Self(std::array::from_fn(|at| bytemuck::cast(tables[at])))
    }
}

impl<const TABLES: usize> Tables<BLOCKS> for Eights<TABLES> {
    #[inline(always)]
    fn through(&self, blocks: [&Block; BLOCKS]) -> [u32; BLOCKS] {
        // SAFETY: these tables are made of an `Avx512`, which is the proof that the processor has it.
        unsafe { through(&self.0, blocks) }
    }
}

/// Where the row leaves eight blocks.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn through<const TABLES: usize>(tables: &[__m512i; TABLES], blocks: [&Block; BLOCKS]) -> [u32; BLOCKS] {
    let splits = |block: &Block| -> __m256i {
        let (splits, _) = block.0.split_at(Block::EXITS);
        bytemuck::cast::<[u32; 8], _>(splits.try_into().expect("a block has eight slots before its exits"))
    };
    // Two blocks each: one of the first four, and one of the others.
    let pair = |at: usize| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(splits(blocks[at])), splits(blocks[at + 4]));
    let [one, two, three, four] = [pair(0), pair(1), pair(2), pair(3)];
    // Of each split the column, and the rank, become a byte: bytes 0 to 3 of a word are those of the first, the third, the
    // second and the fourth pair. Ranks that fit no byte are those of splits whose ways lead to the same.
    let low = _mm512_mask_blend_epi16(ODD_PAIRS, one, _mm512_slli_epi32::<16>(two));
    let high = _mm512_mask_blend_epi16(ODD_PAIRS, three, _mm512_slli_epi32::<16>(four));
    let columns = _mm512_or_si512(_mm512_srli_epi16::<3>(low), _mm512_slli_epi16::<5>(high));
    let low = _mm512_mask_blend_epi16(ODD_PAIRS, _mm512_srli_epi32::<16>(one), two);
    let high = _mm512_mask_blend_epi16(ODD_PAIRS, _mm512_srli_epi32::<16>(three), four);
    let ranks = _mm512_mask_blend_epi8(ODD_BYTES, low, _mm512_slli_epi16::<8>(high));
    let rights = _mm512_cmpge_epu8_mask(look_up(tables, columns), ranks);
    let rights: [u32; 2] = bytemuck::cast(rights);
    std::array::from_fn(|at| {
        let own = _pext_u32(rights[at / BITS.len()], BITS[at % BITS.len()]).to_le_bytes()[0];
        EXITS[usize::from(own)].of(blocks[at])
    })
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
