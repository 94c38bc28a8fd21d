//! What batches ask of a processor, for x86-64 processors with AVX2.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm256_add_ps, _mm256_adds_epu8, _mm256_blendv_epi8, _mm256_broadcastsi128_si256,
    _mm256_cmpgt_epi8, _mm256_cmpgt_epi32, _mm256_movemask_epi8, _mm256_or_si256, _mm256_packs_epi32,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi8, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_shuffle_epi8,
    _mm256_unpackhi_epi8, _mm256_unpackhi_epi16, _mm256_unpacklo_epi8, _mm256_unpacklo_epi16, _mm256_xor_si256,
};

use bytemuck::{cast, cast_ref};

use super::{
    lanes::{Exits, Leaves, Numbers, Splits},
    unit::Unit,
    walk::{Aligned, Lanes, ROWS, Ranks},
};
use crate::pack::format::Block;

/// Rows of which a vector has a byte each.
const HALF: usize = ROWS / 2;

/// Having it is the proof that the processor has AVX2, BMI1, BMI2 and POPCNT.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(());

impl Avx2 {
    /// It, if the processor has it.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        has_all.then_some(Self(()))
    }
}

impl Unit for Avx2 {
    const IS_DEEP: bool = true;

    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { not_above(marks, value) }
    }

    #[inline(always)]
    fn exits<const LEVELS: usize, const GROUPS: usize>(
        self,
        splits: &Splits,
        numbers: &Numbers,
        ranks: &[Ranks<'_>; GROUPS],
    ) -> [Exits; GROUPS] {
        ranks.map(|ranks| {
            let exits = numbers.map(|number| cast([number; HALF / 4]));
            // SAFETY: having `self` is the proof that the processor has AVX2.
            Aligned(cast([0, 1].map(|half| unsafe { leave::<LEVELS>(splits, ranks, half, exits) })))
        })
    }

    #[inline(always)]
    fn join<const GROUPS: usize>(
        self,
        splits: &Splits,
        ranks: &[Ranks<'_>; GROUPS],
        below: [&[Exits; GROUPS]; Block::EXITS],
    ) -> [Exits; GROUPS] {
        std::array::from_fn(|group| {
            let below = below.map(|exits| cast_ref::<_, [__m256i; 2]>(&exits[group].0));
            Aligned(cast([0, 1].map(|half| {
                // SAFETY: having `self` is the proof that the processor has AVX2.
                unsafe { leave::<{ Block::DEPTH }>(splits, ranks[group], half, below.map(|exits| exits[half])) }
            })))
        })
    }

    #[inline(always)]
    fn spread(self, leaves: &mut Leaves) {
        if leaves.count <= 64 {
            leaves.spread(64);
        }
    }

    #[inline(always)]
    fn add_leaves(self, leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>) {
        if leaves.count > 64 {
            return leaves.add(exits, sums);
        }
        let exits: [__m256i; 2] = cast(exits.0);
        for (exits, sums) in exits.into_iter().zip(sums.as_chunks_mut::<HALF>().0) {
            // SAFETY: having `self` is the proof that the processor has AVX2.
            unsafe { add_leaves(leaves, exits, sums) }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn not_above(marks: &[i32; 16], value: i32) -> usize {
    let [low, high]: [__m256i; 2] = cast(*marks);
    let value = _mm256_set1_epi32(value);
    let above = _mm256_packs_epi32(_mm256_cmpgt_epi32(low, value), _mm256_cmpgt_epi32(high, value));
    // Two bits for each mark, in an order that a count need not know.
    16 - (_mm256_movemask_epi8(above).cast_unsigned().count_ones() / 2) as usize
}

/// For each row of a half of a group `left` or `right`, as it goes at a split.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn select(splits: &Splits, slot: usize, ranks: Ranks<'_>, half: usize, left: __m256i, right: __m256i) -> __m256i {
    let halves: &[__m256i; 2] = cast_ref(ranks.column(splits.columns[slot]));
    let lefts = _mm256_cmpgt_epi8(_mm256_set1_epi32(splits.ranks[slot].cast_signed()), halves[half]);
    _mm256_blendv_epi8(right, left, lefts)
}

/// What each row of a half of a group has in `exits`, by the exit through which it leaves a block with so many levels of splits.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn leave<const LEVELS: usize>(
    splits: &Splits,
    ranks: Ranks<'_>,
    half: usize,
    exits: [__m256i; Block::EXITS],
) -> __m256i {
    let select = |slot, left, right| select(splits, slot, ranks, half, left, right);
    let two = |slot: usize| {
        let left = exits[2 * slot - Block::EXITS];
        if LEVELS < 3 { left } else { select(slot, left, exits[2 * slot + 1 - Block::EXITS]) }
    };
    let four = |slot: usize| if LEVELS < 2 { two(2 * slot) } else { select(slot, two(2 * slot), two(2 * slot + 1)) };
    select(1, four(2), four(3))
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn add_leaves(leaves: &Leaves, exits: __m256i, sums: &mut [f32; HALF]) {
    let exits = in_turns(exits);
    // Each sixteen leaves have an index that is negative for leaves of others, for which zero is looked up.
    let indices = [0, 16, 32, 48].map(|first| {
        let within = _mm256_xor_si256(exits, _mm256_set1_epi8(first));
        _mm256_adds_epu8(within, _mm256_set1_epi8(0x70))
    });
    let planes = leaves.planes.each_ref().map(|plane| {
        let sixteens: [__m128i; 4] = cast(plane[0].0);
        let look_up = |at: usize| _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(sixteens[at]), indices[at]);
        _mm256_or_si256(_mm256_or_si256(look_up(0), look_up(1)), _mm256_or_si256(look_up(2), look_up(3)))
    });
    add_planes(planes, sums);
}

/// `exits` in the order in which [`add_planes`] puts rows right.
#[inline]
#[target_feature(enable = "avx2")]
fn in_turns(exits: __m256i) -> __m256i {
    // Joining bytes goes on within the halves of a vector and would leave rows 0 to 3 beside 16 to 19.
    _mm256_permutevar8x32_epi32(exits, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7))
}

/// Adds numbers to `sums`, of which byte `i` of each is in plane `i`, whose rows are [`in_turns`].
#[inline]
#[target_feature(enable = "avx2")]
fn add_planes([first, second, third, fourth]: [__m256i; 4], sums: &mut [f32; HALF]) {
    let [low, low_upper] = [_mm256_unpacklo_epi8(first, second), _mm256_unpacklo_epi8(third, fourth)];
    let [high, high_upper] = [_mm256_unpackhi_epi8(first, second), _mm256_unpackhi_epi8(third, fourth)];
    let values = [
        _mm256_unpacklo_epi16(low, low_upper),
        _mm256_unpackhi_epi16(low, low_upper),
        _mm256_unpacklo_epi16(high, high_upper),
        _mm256_unpackhi_epi16(high, high_upper),
    ];
    let before: [__m256; 4] = cast(*sums);
    let mut after = before;
    for eight in 0..4 {
        after[eight] = _mm256_add_ps(before[eight], cast(values[eight]));
    }
    *sums = cast(after);
}
