//! The splits of a block of any shape made ready for steps: all at once, since what the next one looks like cannot be foreseen.
//!
//! What a split rules out are the exits on its left. They follow one another, and those on its right follow them. What is found
//! out below a split is kept in the slot of the first exit on its left, or in the block's own slot where it is the first.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_add_epi8, _mm_and_si128, _mm_andnot_si128, _mm_cvtsi64_si128, _mm_or_si128,
    _mm_set1_epi8, _mm_setr_epi8, _mm_shuffle_epi8, _mm_srli_epi16, _mm_srli_si128, _mm_unpacklo_epi64,
    _mm256_add_epi32, _mm256_blend_epi32, _mm256_blendv_ps, _mm256_cmpgt_epi32, _mm256_cvtepu8_epi32, _mm256_or_si256,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_slli_epi32, _mm256_srlv_epi32, _mm256_sub_epi32,
};

use bytemuck::cast;

use super::{
    avx2::{self, wide},
    steps::{Before, OfBlock, Place},
};
use crate::pack::format::Block;

/// A one in each byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// For each set of exits where they stand, one after the other. A table, since what some processors have an instruction for
/// takes others hundreds of them.
#[expect(clippy::cast_possible_truncation, reason = "exits are few")]
static MEMBERS: [[u8; Block::SLOTS]; 1 << Block::SLOTS] = {
    let mut members = [[0; Block::SLOTS]; 1 << Block::SLOTS];
    let mut set = 0;
    while set < members.len() {
        let (mut exit, mut count) = (0, 0);
        while exit < Block::SLOTS {
            if set >> exit & 1 == 1 {
                members[set][count] = exit as u8;
                count += 1;
            }
            exit += 1;
        }
        set += 1;
    }
    members
};

/// As [`Avx2::steps`](avx2::Avx2::steps).
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn steps(block: &Block, to_leaves: u8, before: Before) -> OfBlock {
    // The first split stands in slot 1.
    let [columns, high, ranks, ruled_out] =
        [block.columns, block.high, block.ranks, block.ruled_out].map(|bytes| u64::from_le_bytes(bytes) >> 8);
    let exits: __m256i = cast(block.exits);
    let leaves = {
        // Bit `i` in byte `i`, then as that byte's lowest.
        let bits = (u64::from(to_leaves) * ONES) & 0x8040_2010_0804_0201;
        (bits + 0x7f * ONES) >> 7 & ONES
    };
    let slot = |numbers, first: u32| _mm256_add_epi32(twice::<{ Place::SLOT_BITS }>(numbers), set1(first));
    let places = {
        // So many leaves are before each.
        let numbers = _mm256_add_epi32(set1(before.leaves), wide(leaves.wrapping_mul(ONES) << 8));
        let blocks = slot(_mm256_sub_epi32(exits, set1(before.first)), Place::FIRST_BLOCK);
        select(_mm256_slli_epi32::<31>(wide(leaves)), twice::<{ Place::LEAF_BITS }>(numbers), blocks)
    };
    let ruled = _mm_cvtsi64_si128(ruled_out.cast_signed());
    // Exits before those on a split's left, and up to these.
    let less = _mm_add_epi8(ruled, _mm_set1_epi8(-1));
    let counts = ones(_mm_unpacklo_epi64(_mm_andnot_si128(ruled, less), _mm_or_si128(ruled, less)));
    let (first, behind) = (_mm256_cvtepu8_epi32(counts), _mm256_cvtepu8_epi32(_mm_srli_si128::<8>(counts)));
    // Exits that are the first below a split.
    let starts = {
        let lowest: [u64; 2] = cast(_mm_andnot_si128(less, ruled));
        let four = lowest[0] | lowest[0] >> 32;
        let two = four | four >> 16;
        (two | two >> 8).to_le_bytes()[0]
    };
    let is_left_within = _mm256_cmpgt_epi32(_mm256_sub_epi32(behind, first), set1(1));
    let is_right_within = _mm256_slli_epi32::<31>(_mm256_srlv_epi32(set1(starts.into()), behind));
    let kept = slot(first, Place::FIRST_SLOT);
    let own = slot(set1(before.blocks), Place::FIRST_BLOCK);
    let [columns, ranks] = avx2::ready([columns, high, ranks]);
    OfBlock {
        columns: cast(columns),
        ranks: cast(ranks),
        left: cast(select(is_left_within, kept, _mm256_permutevar8x32_epi32(places, first))),
        right: cast(select(
            is_right_within,
            slot(behind, Place::FIRST_SLOT),
            _mm256_permutevar8x32_epi32(places, behind),
        )),
        to: cast(_mm256_blend_epi32::<1>(kept, own)),
        leaves: cast(_mm256_permutevar8x32_epi32(exits, wide(u64::from_le_bytes(MEMBERS[usize::from(to_leaves)])))),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn set1(number: u32) -> __m256i {
    _mm256_set1_epi32(number.cast_signed())
}

/// Numbers times a power of two, for each group of a pair.
#[inline]
#[target_feature(enable = "avx2")]
fn twice<const BITS: i32>(numbers: __m256i) -> __m256i {
    let once = _mm256_slli_epi32::<BITS>(numbers);
    _mm256_or_si256(once, _mm256_slli_epi32::<16>(once))
}

/// `one` where the highest bit of `which` is set, else `other`.
#[inline]
#[target_feature(enable = "avx2")]
fn select(which: __m256i, one: __m256i, other: __m256i) -> __m256i {
    let [which, one, other]: [__m256; 3] = cast([which, one, other]);
    cast(_mm256_blendv_ps(other, one, which))
}

/// How many bits of each byte are set.
#[inline]
#[target_feature(enable = "avx2")]
fn ones(bytes: __m128i) -> __m128i {
    let counts = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    let low = _mm_set1_epi8(0xf);
    let upper = _mm_and_si128(_mm_srli_epi16::<4>(bytes), low);
    _mm_add_epi8(_mm_shuffle_epi8(counts, _mm_and_si128(bytes, low)), _mm_shuffle_epi8(counts, upper))
}
