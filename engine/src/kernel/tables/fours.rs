//! Four blocks at once, for processors with AVX2.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm256_and_si256, _mm256_blendv_epi8, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
    _mm256_max_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_permute2x128_si256, _mm256_set_m128i,
    _mm256_set1_epi8, _mm256_shuffle_epi8, _mm256_slli_epi16, _mm256_srli_epi64, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi64,
};

use bytemuck::cast;

use super::{Avx2, Exit, Ranks, Tables};
use crate::pack::format::Block;

/// Blocks that are left at once.
const BLOCKS: usize = 4;

/// Tables of sixteen ranks, as often as a vector holds them.
pub(super) struct Fours<const TABLES: usize>([__m256i; TABLES]);

impl<const TABLES: usize> Fours<TABLES> {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn new(_: Avx2, ranks: &Ranks) -> Self {
        let table = |at| _mm256_broadcastsi128_si256(cast::<[u8; 16], __m128i>(ranks[at]));
        Self(std::array::from_fn(table))
    }
}

impl<const TABLES: usize> Tables<BLOCKS> for Fours<TABLES> {
    #[inline(always)]
    fn leave_whole(&self, blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS] {
        // SAFETY: these tables are made of an `Avx2`, which is the proof that the processor has it.
        unsafe { leave_whole(&self.0, blocks) }
    }

    #[inline(always)]
    fn leave_any(&self, blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS] {
        // SAFETY: these tables are made of an `Avx2`, which is the proof that the processor has it.
        unsafe { leave_any(&self.0, blocks) }
    }
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn leave_whole<const TABLES: usize>(tables: &[__m256i; TABLES], blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS] {
    let splits = |block: &Block| -> __m128i { cast([block.columns, block.ranks]) };
    let pair = |one: usize, other: usize| _mm256_set_m128i(splits(blocks[other]), splits(blocks[one]));
    let (low, high) = (pair(0, 2), pair(1, 3));
    let [columns, ranks] = [_mm256_unpacklo_epi64(low, high), _mm256_unpackhi_epi64(low, high)];
    let rights = _mm256_movemask_epi8(are_right(tables, columns, ranks));
    rights.to_le_bytes().map(Exit::by_rights)
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn leave_any<const TABLES: usize>(tables: &[__m256i; TABLES], blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS] {
    let splits = |block: &Block| -> __m256i { cast([block.columns, block.ranks, block.ruled_out, block.high]) };
    let [one, two, three, four] = blocks.map(splits);
    // Of two blocks the columns of both stand before what both rule out.
    let [low, high] = [_mm256_unpacklo_epi64(one, two), _mm256_unpacklo_epi64(three, four)];
    let [ranks, other] = [_mm256_unpackhi_epi64(one, two), _mm256_unpackhi_epi64(three, four)];
    let columns = _mm256_permute2x128_si256::<0x20>(low, high);
    let ruled_out = _mm256_permute2x128_si256::<0x31>(low, high);
    let ranks = _mm256_permute2x128_si256::<0x20>(ranks, other);
    let mut all = _mm256_and_si256(are_right(tables, columns, ranks), ruled_out);
    all = _mm256_or_si256(all, _mm256_srli_epi64::<32>(all));
    all = _mm256_or_si256(all, _mm256_srli_epi64::<16>(all));
    all = _mm256_or_si256(all, _mm256_srli_epi64::<8>(all));
    cast::<_, [[u8; 8]; BLOCKS]>(all).map(|ruled_out| Exit::first_left(ruled_out[0]))
}

/// All bits of the splits where the row goes right.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn are_right<const TABLES: usize>(tables: &[__m256i; TABLES], columns: __m256i, ranks: __m256i) -> __m256i {
    let own = look_up(tables, columns);
    _mm256_cmpeq_epi8(_mm256_max_epu8(own, ranks), own)
}

/// The ranks that the row has in 32 columns.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn look_up<const TABLES: usize>(tables: &[__m256i; TABLES], columns: __m256i) -> __m256i {
    // Bytes whose highest bit is set are not looked up, so the columns lose it.
    let within = if TABLES > 8 { _mm256_and_si256(columns, _mm256_set1_epi8(0x7f)) } else { columns };
    let mut found = *tables;
    for table in &mut found {
        *table = _mm256_shuffle_epi8(*table, within);
    }
    // Bits 4 to 7 choose between tables, each as the highest of its byte.
    let bits =
        [_mm256_slli_epi16::<3>(columns), _mm256_slli_epi16::<2>(columns), _mm256_slli_epi16::<1>(columns), columns];
    let mut tables = TABLES;
    for bit in bits {
        tables /= 2;
        for at in 0..tables {
            found[at] = _mm256_blendv_epi8(found[2 * at], found[2 * at + 1], bit);
        }
    }
    found[0]
}
