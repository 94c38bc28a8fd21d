//! What batches ask of a processor, for x86-64 processors with AVX2.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm256_add_epi8, _mm256_add_ps, _mm256_adds_epu8, _mm256_blendv_epi8,
    _mm256_broadcastsi128_si256, _mm256_cmpgt_epi8, _mm256_cmpgt_epi32, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_packs_epi32, _mm256_permutevar8x32_epi32, _mm256_set1_epi8, _mm256_set1_epi32, _mm256_setr_epi32,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_unpackhi_epi8, _mm256_unpackhi_epi16, _mm256_unpacklo_epi8,
    _mm256_unpacklo_epi16, _mm256_xor_si256,
};

use bytemuck::{cast, cast_ref};

use super::{
    crown::Crown,
    lanes::{Exits, Leaves, Numbers, Splits},
    unit::Unit,
    walk::{Aligned, HALF, Lanes, ROWS, Ranks},
};
use crate::pack::format::Block;

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
    const IS_WIDE: bool = false;

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
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { exits(splits, numbers, ranks) }
    }

    #[inline(always)]
    fn join<const GROUPS: usize>(
        self,
        splits: &Splits,
        ranks: &[Ranks<'_>; GROUPS],
        below: [&[Exits; GROUPS]; Block::EXITS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { join(splits, ranks, below) }
    }

    #[inline(always)]
    fn numbers<const GROUPS: usize>(
        self,
        crown: &Crown,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { numbers(self, crown, ranks, slots) }
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

#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn numbers<const GROUPS: usize>(
    unit: Avx2,
    crown: &Crown,
    ranks: &[Ranks<'_>; GROUPS],
    slots: &mut [[Exits; GROUPS]],
) -> [Exits; GROUPS] {
    crown.numbers(unit, ranks, slots)
}

/// All bits of those rows of a half of a group that go left at a split.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn left(splits: &Splits, slot: usize, ranks: Ranks<'_>, half: usize) -> __m256i {
    let halves: &[__m256i; 2] = cast_ref(ranks.column(splits.columns[slot]));
    _mm256_cmpgt_epi8(_mm256_set1_epi32(splits.ranks[slot].cast_signed()), halves[half])
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn exits<const GROUPS: usize>(splits: &Splits, numbers: &Numbers, ranks: &[Ranks<'_>; GROUPS]) -> [Exits; GROUPS] {
    let first = _mm256_set1_epi32(numbers[0].cast_signed());
    let mut exits = [Aligned([0; ROWS]); GROUPS];
    for group in 0..GROUPS {
        let mut halves = [first; 2];
        for half in 0..ranks[group].halves.min(2) {
            let left = |slot| left(splits, slot, ranks[group], half);
            // One less for those that go left, of two exits that lie side by side.
            let exit = |slot, right| _mm256_add_epi8(_mm256_set1_epi8(right), left(slot));
            let left_side = _mm256_blendv_epi8(exit(5, 3), exit(4, 1), left(2));
            let right_side = _mm256_blendv_epi8(exit(7, 7), exit(6, 5), left(3));
            halves[half] = _mm256_or_si256(first, _mm256_blendv_epi8(right_side, left_side, left(1)));
        }
        exits[group].0 = cast(halves);
    }
    exits
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn join<const GROUPS: usize>(
    splits: &Splits,
    ranks: &[Ranks<'_>; GROUPS],
    below: [&[Exits; GROUPS]; Block::EXITS],
) -> [Exits; GROUPS] {
    let mut exits = [Aligned([0; ROWS]); GROUPS];
    for group in 0..GROUPS {
        let mut halves = [_mm256_setzero_si256(); 2];
        for half in 0..ranks[group].halves.min(2) {
            let below = |at: usize| {
                let halves: &[__m256i; 2] = cast_ref(&below[at][group].0);
                halves[half]
            };
            let two = |slot: usize, at: usize| {
                _mm256_blendv_epi8(below(at + 1), below(at), left(splits, slot, ranks[group], half))
            };
            let left_side = _mm256_blendv_epi8(two(5, 2), two(4, 0), left(splits, 2, ranks[group], half));
            let right_side = _mm256_blendv_epi8(two(7, 6), two(6, 4), left(splits, 3, ranks[group], half));
            halves[half] = _mm256_blendv_epi8(right_side, left_side, left(splits, 1, ranks[group], half));
        }
        exits[group].0 = cast(halves);
    }
    exits
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
