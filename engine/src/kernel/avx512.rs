//! What batches ask of a processor, for x86-64 processors with AVX-512 that selects bytes (VBMI).
//!
//! A split is one comparison and one choice for 64 rows. What is compared comes from memory by the way.

#![allow(unsafe_code)]
#![allow(clippy::cast_possible_truncation, reason = "indices of bytes in a vector")]

use std::arch::x86_64::{
    __m256i, __m512, __m512i, _mm256_cmplt_epu32_mask, _mm256_set1_epi32, _mm512_add_epi8, _mm512_add_ps,
    _mm512_cmple_epi8_mask, _mm512_cmple_epi32_mask, _mm512_mask_blend_epi8, _mm512_maskz_permutexvar_epi8,
    _mm512_maskz_set1_epi8, _mm512_movepi8_mask, _mm512_permutex2var_epi8, _mm512_permutexvar_epi8,
    _mm512_permutexvar_epi32, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setzero_si512,
    _mm512_shuffle_i64x2, _mm512_test_epi8_mask, _mm512_unpackhi_epi8, _mm512_unpackhi_epi16, _mm512_unpacklo_epi8,
    _mm512_unpacklo_epi16, _mm512_xor_si512,
};

use bytemuck::cast;

use super::{
    avx2::Avx2,
    crown::Crown,
    lanes::{Exits, Leaves, Numbers, Splits},
    unit::{self, Unit, WALKS},
    walk::{Aligned, Grove, Lanes, ROWS, Ranks, sixteen},
};
use crate::pack::format::Block;

/// Having it is the proof that the processor has AVX-512 F, BW, VL and VBMI, and what AVX2 here stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512(());

impl Avx512 {
    /// It, if the processor has it.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi");
        Avx2::detect().filter(|_| has_all).map(|_| Self(()))
    }
}

impl Unit for Avx512 {
    const IS_WIDE: bool = true;

    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { not_above(marks, value) }
    }

    #[inline(always)]
    fn splits(self, block: &Block) -> Splits {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        let [columns, ranks] = cast(unsafe { made_ready(block) });
        Splits { columns, ranks }
    }

    #[inline(always)]
    fn levels(self, block: &Block) -> usize {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        usize::from(LEVELS[usize::from(unsafe { with_splits(block) })])
    }

    #[inline(always)]
    fn exits<const LEVELS: usize, const GROUPS: usize>(
        self,
        splits: &Splits,
        numbers: &Numbers,
        ranks: &[Ranks<'_>; GROUPS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { exits::<LEVELS, GROUPS>(splits, numbers, ranks) }
    }

    #[inline(always)]
    fn join<const GROUPS: usize>(
        self,
        splits: &Splits,
        ranks: &[Ranks<'_>; GROUPS],
        below: [&[Exits; GROUPS]; Block::EXITS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { join(splits, ranks, below) }
    }

    #[inline(always)]
    fn numbers<const GROUPS: usize>(
        self,
        crown: &Crown,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { numbers(self, crown, ranks, slots) }
    }

    #[inline(always)]
    fn spread(self, leaves: &mut Leaves) {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { spread(leaves) }
    }

    #[inline(always)]
    fn add_leaves(self, leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>) {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { add_leaves(leaves, exits, sums) }
    }

    #[inline(always)]
    fn walk_on(self, grove: Grove<'_>, tops: &[u32; 64], exits: &[u8], keys: &[[u32; WALKS]], sums: &mut [f32]) {
        if !sixteen::reaches(grove) {
            return unit::walk_on(grove, tops, exits, keys, sums);
        }
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { sixteen::walk_on(grove, tops, exits, keys, sums) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn not_above(marks: &[i32; 16], value: i32) -> usize {
    _mm512_cmple_epi32_mask(cast(*marks), _mm512_set1_epi32(value)).count_ones() as usize
}

/// A function of its own has enough registers.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn numbers<const GROUPS: usize>(
    unit: Avx512,
    crown: &Crown,
    ranks: &[Ranks<'_>; GROUPS],
    slots: &mut [[Exits; GROUPS]],
) -> [Exits; GROUPS] {
    crown.numbers(unit, ranks, slots)
}

/// How many levels of a block have splits, by the slots that have.
const LEVELS: [u8; 256] = {
    let mut levels = [1; 256];
    let mut slots = 0;
    while slots < 256 {
        levels[slots] = if slots >> 4 > 0 {
            3
        } else if slots >> 2 > 0 {
            2
        } else {
            1
        };
        slots += 1;
    }
    levels
};

/// Which bytes of a block become those of columns and ranks; of those of columns every other two are none.
const BYTES: [u8; 64] = {
    let mut bytes = [0; 64];
    let mut at = 0;
    while at < 32 {
        bytes[at] = at as u8;
        bytes[32 + at] = (at / 4 * 4 + 2) as u8;
        at += 1;
    }
    bytes
};

/// The columns and ranks of a block as [`Splits`] has them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn made_ready(block: &Block) -> __m512i {
    let bytes = _mm512_maskz_permutexvar_epi8(0xffff_ffff_3333_3333, cast(BYTES), cast(block.0));
    _mm512_xor_si512(bytes, _mm512_maskz_set1_epi8(0xffff_ffff_0000_0000, i8::MIN))
}

/// Which slots of a block have splits: bit `i` for slot `i`.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn with_splits(block: &Block) -> u8 {
    let [splits, _]: [__m256i; 2] = cast(block.0);
    _mm256_cmplt_epu32_mask(splits, _mm256_set1_epi32(Block::NO_SPLIT.cast_signed()))
}

type Vectors<const GROUPS: usize> = [__m512i; GROUPS];

/// For each row `left` or `right`, as it goes at a split.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn select<const GROUPS: usize>(
    splits: &Splits,
    slot: usize,
    ranks: &[Ranks<'_>; GROUPS],
    left: Vectors<GROUPS>,
    right: Vectors<GROUPS>,
) -> Vectors<GROUPS> {
    let rank = _mm512_set1_epi32(splits.ranks[slot].cast_signed());
    let mut selected = left;
    for group in 0..GROUPS {
        let rights = _mm512_cmple_epi8_mask(rank, cast(*ranks[group].column(splits.columns[slot])));
        selected[group] = _mm512_mask_blend_epi8(rights, left[group], right[group]);
    }
    selected
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn exits<const LEVELS: usize, const GROUPS: usize>(
    splits: &Splits,
    numbers: &Numbers,
    ranks: &[Ranks<'_>; GROUPS],
) -> [Exits; GROUPS] {
    leave::<LEVELS, GROUPS>(splits, ranks, numbers.map(|number| [_mm512_set1_epi32(number.cast_signed()); GROUPS]))
}

/// What each row has in `exits`, by the exit through which it leaves a block with so many levels of splits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn leave<const LEVELS: usize, const GROUPS: usize>(
    splits: &Splits,
    ranks: &[Ranks<'_>; GROUPS],
    [zero, one, two, three, four, five, six, seven]: [Vectors<GROUPS>; Block::EXITS],
) -> [Exits; GROUPS] {
    if LEVELS == 1 {
        return kept(select(splits, 1, ranks, zero, four));
    }
    let (left, right) = if LEVELS == 2 {
        (select(splits, 2, ranks, zero, two), select(splits, 3, ranks, four, six))
    } else {
        let (left_left, left_right) = (select(splits, 4, ranks, zero, one), select(splits, 5, ranks, two, three));
        let left = select(splits, 2, ranks, left_left, left_right);
        let (right_left, right_right) = (select(splits, 6, ranks, four, five), select(splits, 7, ranks, six, seven));
        (left, select(splits, 3, ranks, right_left, right_right))
    };
    kept(select(splits, 1, ranks, left, right))
}

/// Vectors as they are kept.
#[inline]
#[target_feature(enable = "avx512f")]
fn kept<const GROUPS: usize>(vectors: Vectors<GROUPS>) -> [Exits; GROUPS] {
    let mut exits = [Aligned([0; ROWS]); GROUPS];
    for group in 0..GROUPS {
        exits[group].0 = cast(vectors[group]);
    }
    exits
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn join<const GROUPS: usize>(
    splits: &Splits,
    ranks: &[Ranks<'_>; GROUPS],
    below: [&[Exits; GROUPS]; Block::EXITS],
) -> [Exits; GROUPS] {
    let mut exits = [[_mm512_setzero_si512(); GROUPS]; Block::EXITS];
    for exit in 0..Block::EXITS {
        for group in 0..GROUPS {
            exits[exit][group] = cast(below[exit][group].0);
        }
    }
    leave::<{ Block::DEPTH }, GROUPS>(splits, ranks, exits)
}

/// Byte `i` of each of 32 numbers, for `i` of 0 and 1.
const LOW_BYTES: [u8; 64] = {
    let mut bytes = [0; 64];
    let mut at = 0;
    while at < 64 {
        bytes[at] = (at % 32 * 4 + at / 32) as u8;
        at += 1;
    }
    bytes
};

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn spread(leaves: &mut Leaves) {
    let low: __m512i = cast(LOW_BYTES);
    let high = _mm512_add_epi8(low, _mm512_set1_epi8(2));
    for at in 0..leaves.count.div_ceil(64) {
        let sixteens: [__m512i; 4] = cast(leaves.bits.as_chunks::<64>().0[at]);
        let of_two = |at: usize, bytes| _mm512_permutex2var_epi8(sixteens[at], bytes, sixteens[at + 1]);
        for (first, bytes) in [(0, low), (2, high)] {
            let (one, other) = (of_two(0, bytes), of_two(2, bytes));
            leaves.planes[first][at].0 = cast(_mm512_shuffle_i64x2::<0x44>(one, other));
            leaves.planes[first + 1][at].0 = cast(_mm512_shuffle_i64x2::<0xee>(one, other));
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn add_leaves(leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>) {
    // Joining bytes goes on within the quarters of a vector and would leave rows 0 to 3 beside 16 to 19, 32 to 35 and 48 to 51.
    let exits = _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
        cast(exits.0),
    );
    let (second, fourth) = (_mm512_test_epi8_mask(exits, _mm512_set1_epi8(64)), _mm512_movepi8_mask(exits));
    let mut planes = [exits; 4];
    for (bytes, plane) in planes.iter_mut().zip(&leaves.planes) {
        *bytes = _mm512_permutexvar_epi8(exits, cast(plane[0].0));
        if leaves.count > 64 {
            let upper = _mm512_permutexvar_epi8(exits, cast(plane[1].0));
            *bytes = _mm512_mask_blend_epi8(second, *bytes, upper);
        }
        if leaves.count > 128 {
            let lower = _mm512_permutexvar_epi8(exits, cast(plane[2].0));
            let upper = _mm512_permutexvar_epi8(exits, cast(plane[3].0));
            *bytes = _mm512_mask_blend_epi8(fourth, *bytes, _mm512_mask_blend_epi8(second, lower, upper));
        }
    }
    let [first, second, third, fourth] = planes;
    let [low, low_upper] = [_mm512_unpacklo_epi8(first, second), _mm512_unpacklo_epi8(third, fourth)];
    let [high, high_upper] = [_mm512_unpackhi_epi8(first, second), _mm512_unpackhi_epi8(third, fourth)];
    let values = [
        _mm512_unpacklo_epi16(low, low_upper),
        _mm512_unpackhi_epi16(low, low_upper),
        _mm512_unpacklo_epi16(high, high_upper),
        _mm512_unpackhi_epi16(high, high_upper),
    ];
    let before: [__m512; 4] = cast(*sums);
    let mut after = before;
    for sixteen in 0..4 {
        after[sixteen] = _mm512_add_ps(before[sixteen], cast(values[sixteen]));
    }
    *sums = cast(after);
}
