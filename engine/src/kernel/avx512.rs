//! What batches ask of a processor, for x86-64 processors with AVX-512 that selects bytes (VBMI).
//!
//! A split is one comparison and one choice for 64 rows. What is compared comes from memory by the way.

#![allow(unsafe_code)]
#![allow(clippy::cast_possible_truncation, reason = "indices of bytes in a vector")]

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_cmplt_epu32_mask, _mm256_set1_epi32, _mm512_cmple_epi8_mask, _mm512_cmple_epi32_mask,
    _mm512_mask_blend_epi8, _mm512_maskz_permutexvar_epi8, _mm512_maskz_set1_epi8, _mm512_set1_epi32,
    _mm512_setzero_si512, _mm512_xor_si512,
};

use bytemuck::cast;

use super::{
    avx2::Avx2,
    crown::{Crown, Numbers},
    lanes::Splits,
    leaves::{self, Exits, Leaves},
    unit::{self, Rows, Tree, Unit},
    walk::{Aligned, Grove, KEYED, Lanes, ROWS, Ranks, sixteen},
    wide::Wide,
};
use crate::pack::format::Block;

/// Having it is the proof that the processor has AVX-512 F, BW, VL and VBMI, and what AVX2 here stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512(Avx2);

#[expect(clippy::unused_self, reason = "it is the proof")]
impl Avx512 {
    /// It, if the processor has it.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi");
        Avx2::detect().filter(|_| has_all).map(Self)
    }

    /// What it has of AVX2.
    pub(super) fn avx2(self) -> Avx2 {
        self.0
    }

    /// The splits of a block, made ready.
    #[inline(always)]
    pub(super) fn splits(self, block: &Block) -> Splits {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        let [columns, ranks] = cast(unsafe { made_ready(block) });
        Splits { columns, ranks }
    }

    /// How many levels of a block are asked: those that have splits, and at least one.
    #[inline(always)]
    pub(super) fn levels(self, block: &Block) -> usize {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        usize::from(LEVELS[usize::from(unsafe { with_splits(block) })])
    }

    /// The numbers of the exits that rows leave a block through which has so many levels of splits, in as many groups as there
    /// are ranks of. What it has no splits for is left through the first of its exits.
    #[inline(always)]
    pub(super) fn exits<const LEVELS: usize, const GROUPS: usize>(
        self,
        splits: &Splits,
        numbers: &Numbers,
        ranks: &[Ranks<'_>; GROUPS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { exits::<LEVELS, GROUPS>(splits, numbers, ranks) }
    }

    /// Of what each row has below the exits of a block, what it has below the one that it leaves through.
    #[inline(always)]
    pub(super) fn join<const GROUPS: usize>(
        self,
        splits: &Splits,
        ranks: &[Ranks<'_>; GROUPS],
        below: [&[Exits; GROUPS]; Block::EXITS],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { join(splits, ranks, below) }
    }

    /// As [`Crown::numbers`].
    #[inline(always)]
    pub(super) fn numbers<const GROUPS: usize>(
        self,
        crown: &Crown,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]],
    ) -> [Exits; GROUPS] {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { numbers(self, crown, ranks, slots) }
    }

    /// Makes the planes of `leaves` ready.
    #[inline(always)]
    pub(super) fn spread(self, leaves: &mut Leaves) {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { leaves::spread(leaves) }
    }

    /// Adds to each row's sum the leaf that has its number.
    #[inline(always)]
    pub(super) fn add_leaves(self, leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>) {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { leaves::add_leaves(leaves, exits, sums) }
    }

    /// As [`unit::walk_on`], of a multiple of sixteen rows.
    #[inline(always)]
    pub(super) fn walk_on(
        self,
        grove: Grove<'_>,
        tops: &[u32; 64],
        exits: &[u8],
        keys: &[[u32; KEYED]],
        sums: &mut [f32],
    ) {
        if !sixteen::reaches(grove) {
            return unit::walk_on(grove, tops, exits, keys, sums);
        }
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { sixteen::walk_on(grove, tops, exits, keys, sums) }
    }
}

impl Unit for Avx512 {
    type Ready = Wide;

    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        // SAFETY: having `self` is the proof that the processor has AVX-512.
        unsafe { not_above(marks, value) }
    }

    #[inline(always)]
    fn set(self, wide: &mut Wide, tree: Tree<'_>) -> bool {
        wide.set(self, tree)
    }

    #[inline(always)]
    fn go_down(self, wide: &mut Wide, tree: Tree<'_>, rows: Rows<'_>) {
        wide.go_down(self, tree, rows);
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
