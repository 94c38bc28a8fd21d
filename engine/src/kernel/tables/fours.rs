//! Four blocks at once, for processors with AVX2.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm256_and_si256, _mm256_blend_epi16, _mm256_blendv_epi8, _mm256_broadcastsi128_si256,
    _mm256_castsi256_ps, _mm256_cmpeq_epi8, _mm256_max_epu8, _mm256_movemask_ps, _mm256_or_si256, _mm256_set1_epi8,
    _mm256_set1_epi16, _mm256_shuffle_epi8, _mm256_slli_epi16, _mm256_slli_epi32, _mm256_srli_epi16, _mm256_srli_epi32,
};

use super::{Avx2, EXITS, Ranks, Tables};
use crate::pack::format::Block;

/// Blocks that are answered at once.
const BLOCKS: usize = 4;

/// What brings the byte of each of four blocks to the highest place of its word.
const HIGHEST: [[u8; 32]; BLOCKS] = [highest(0), highest(2), highest(1), highest(3)];

const fn highest(byte: u8) -> [u8; 32] {
    let mut from = [0; 32];
    let mut word = 0;
    while word < 8 {
        from[word as usize * 4 + 3] = word % 4 * 4 + byte;
        word += 1;
    }
    from
}

/// Tables of sixteen ranks, as often as a vector holds them.
pub(super) struct Fours<const TABLES: usize>([__m256i; TABLES]);

impl<const TABLES: usize> Fours<TABLES> {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn new(_: Avx2, ranks: &Ranks) -> Self {
        let table = |at| _mm256_broadcastsi128_si256(bytemuck::cast::<[u8; 16], __m128i>(ranks[at]));
        Self(std::array::from_fn(table))
    }
}

impl<const TABLES: usize> Tables<BLOCKS> for Fours<TABLES> {
    #[inline(always)]
    fn through(&self, blocks: [&Block; BLOCKS]) -> [u32; BLOCKS] {
        // SAFETY: these tables are made of an `Avx2`, which is the proof that the processor has it.
        unsafe { through(&self.0, blocks) }
    }
}

/// Where the row leaves four blocks.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn through<const TABLES: usize>(tables: &[__m256i; TABLES], blocks: [&Block; BLOCKS]) -> [u32; BLOCKS] {
    let [one, two, three, four] = blocks.map(|block| -> __m256i {
        let (splits, _) = block.0.split_at(Block::EXITS);
        bytemuck::cast::<[u32; 8], _>(splits.try_into().expect("a block has eight slots before its exits"))
    });
    // Of each split the column, and the rank, become a byte: bytes 0 to 3 of a word are those of the first, the third, the
    // second and the fourth block. Ranks that fit no byte are those of splits whose ways lead to the same.
    let low = _mm256_blend_epi16::<0xaa>(one, _mm256_slli_epi32::<16>(two));
    let high = _mm256_blend_epi16::<0xaa>(three, _mm256_slli_epi32::<16>(four));
    let columns = _mm256_or_si256(_mm256_srli_epi16::<3>(low), _mm256_slli_epi16::<5>(high));
    let low = _mm256_blend_epi16::<0xaa>(_mm256_srli_epi32::<16>(one), two);
    let high = _mm256_blend_epi16::<0xaa>(_mm256_srli_epi32::<16>(three), four);
    let ranks = _mm256_blendv_epi8(low, _mm256_slli_epi16::<8>(high), _mm256_set1_epi16(0xff00_u16.cast_signed()));
    let own = look_up(tables, columns);
    let rights = _mm256_cmpeq_epi8(_mm256_max_epu8(own, ranks), own);
    std::array::from_fn(|at| {
        // The byte that is this block's becomes each word's highest, whose highest bit is taken.
        let highest = _mm256_shuffle_epi8(rights, bytemuck::cast(HIGHEST[at]));
        let rights = _mm256_movemask_ps(_mm256_castsi256_ps(highest)).to_le_bytes()[0];
        EXITS[usize::from(rights)].of(blocks[at])
    })
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
