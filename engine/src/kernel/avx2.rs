//! What batches ask of a processor, for x86-64 processors with AVX2.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_cvtsi64_si128, _mm256_add_epi8, _mm256_add_ps, _mm256_adds_epu8, _mm256_blend_epi32,
    _mm256_blendv_epi8, _mm256_broadcastsi128_si256, _mm256_cmpgt_epi8, _mm256_cmpgt_epi32, _mm256_cvtepu8_epi32,
    _mm256_movemask_epi8, _mm256_or_si256, _mm256_packs_epi32, _mm256_permutevar8x32_epi32, _mm256_set1_epi8,
    _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setr_epi8, _mm256_setr_epi32, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_slli_epi16, _mm256_slli_epi32, _mm256_unpackhi_epi8, _mm256_unpackhi_epi16,
    _mm256_unpacklo_epi8, _mm256_unpacklo_epi16, _mm256_xor_si256,
};

use bytemuck::cast;

use super::{
    lanes::Splits,
    places,
    steps::{Before, OfBlock},
    top::Top,
    unit::{Narrow, Rows, Tree, Unit},
    walk::{HALF, Half, HalfRanks},
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

    /// The splits of `block`, made ready.
    #[expect(clippy::unused_self, reason = "it is the proof")]
    #[inline(always)]
    pub(super) fn splits(self, block: &Block) -> Splits {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        let [columns, ranks] = unsafe { splits(block) }.map(cast);
        Splits { columns, ranks }
    }

    /// The splits of `block` made ready for steps. `to_leaves` says which of its exits lead to leaves.
    #[expect(clippy::unused_self, reason = "it is the proof")]
    #[inline(always)]
    pub(super) fn steps(self, block: &Block, to_leaves: u8, before: Before) -> OfBlock {
        // SAFETY: having `self` is the proof that the processor has AVX2 and BMI2.
        unsafe { places::steps(block, to_leaves, before) }
    }
}

impl Unit for Avx2 {
    type Ready = Top;

    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { not_above(marks, value) }
    }

    #[inline(always)]
    fn set(self, top: &mut Top, tree: Tree<'_>) {
        top.set(self, tree);
    }

    #[inline(always)]
    fn go_down(self, top: &mut Top, tree: Tree<'_>, rows: Rows<'_>) {
        top.go_down(self, tree, rows);
    }
}

impl Narrow for Avx2 {
    #[inline(always)]
    fn splits(self, block: &Block) -> Splits {
        self.splits(block)
    }

    #[inline(always)]
    fn exits(self, splits: &Splits, ranks: HalfRanks<'_>) -> Half<u8> {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        cast(unsafe { exits(splits, ranks) })
    }

    #[inline(always)]
    fn top_exits(self, top: &Top, ranks: HalfRanks<'_>) -> Half<u8> {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        cast(unsafe { top_exits(top, ranks) })
    }

    #[inline(always)]
    fn spread(self, top: &mut Top) {
        top.spread();
    }

    #[inline(always)]
    fn add_leaves(self, top: &Top, exits: &Half<u8>, sums: &mut Half<f32>) {
        // SAFETY: having `self` is the proof that the processor has AVX2.
        unsafe { add_leaves(top, exits, sums) }
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

/// Columns and ranks of a block as [`Splits`] has them.
#[inline]
#[target_feature(enable = "avx2")]
fn splits(block: &Block) -> [__m256i; 2] {
    let [columns, ranks] = ready([block.columns, block.high, block.ranks].map(u64::from_le_bytes));
    // The high byte of slot 0 is none of a column.
    [_mm256_blend_epi32::<1>(columns, _mm256_setzero_si256()), ranks]
}

/// Columns and ranks as [`Splits`] has them, of eight splits whose columns have these low and high bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn ready([columns, high, ranks]: [u64; 3]) -> [__m256i; 2] {
    let columns = _mm256_or_si256(wide(columns), _mm256_slli_epi32::<8>(wide(high)));
    let four_times = _mm256_setr_epi8(
        0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7,
    );
    let ranks = _mm256_shuffle_epi8(_mm256_set1_epi64x(ranks.cast_signed()), four_times);
    [_mm256_slli_epi32::<3>(columns), _mm256_xor_si256(ranks, _mm256_set1_epi8(i8::MIN))]
}

/// Bytes as numbers.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn wide(bytes: u64) -> __m256i {
    _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(bytes.cast_signed()))
}

/// All bits of the rows that go left at a split.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn left(splits: &Splits, slot: usize, ranks: HalfRanks<'_>) -> __m256i {
    _mm256_cmpgt_epi8(_mm256_set1_epi32(splits.ranks[slot].cast_signed()), cast(*ranks.column(splits.columns[slot])))
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn exits(splits: &Splits, ranks: HalfRanks<'_>) -> __m256i {
    let left = |slot: usize| left(splits, slot, ranks);
    // One less for those, of two exits that lie side by side.
    let exit = |slot: usize, right: i8| _mm256_add_epi8(_mm256_set1_epi8(right), left(slot));
    let left_side = _mm256_blendv_epi8(exit(5, 3), exit(4, 1), left(2));
    let right_side = _mm256_blendv_epi8(exit(7, 7), exit(6, 5), left(3));
    _mm256_blendv_epi8(right_side, left_side, left(1))
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn top_exits(top: &Top, ranks: HalfRanks<'_>) -> __m256i {
    let first = exits(&top.root, ranks);
    // A blend asks the highest bit of each byte.
    let [low, middle, high] = [_mm256_slli_epi16(first, 7), _mm256_slli_epi16(first, 6), _mm256_slli_epi16(first, 5)];
    let mut below = [first; 8];
    for (exit, splits) in below.iter_mut().zip(&top.below).take(top.distinct) {
        *exit = exits(splits, ranks);
    }
    let two = |at: usize| _mm256_blendv_epi8(below[at], below[at + 1], low);
    let four = |at: usize| _mm256_blendv_epi8(two(at), two(at + 2), middle);
    let exit = match top.distinct {
        2 => two(0),
        4 => four(0),
        _ => _mm256_blendv_epi8(four(0), four(4), high),
    };
    _mm256_or_si256(exit, _mm256_slli_epi16(first, 3))
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn add_leaves(top: &Top, exits: &Half<u8>, sums: &mut Half<f32>) {
    let exits = in_turns(exits);
    // Each sixteen leaves have an index that is negative for leaves of others, for which zero is looked up.
    let indices = [0, 16, 32, 48].map(|first| {
        let within = _mm256_xor_si256(exits, _mm256_set1_epi8(first));
        _mm256_adds_epu8(within, _mm256_set1_epi8(0x70))
    });
    let planes = top.planes.map(|plane| {
        let sixteens: [__m128i; 4] = cast(plane.0);
        let look_up = |at: usize| _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(sixteens[at]), indices[at]);
        _mm256_or_si256(_mm256_or_si256(look_up(0), look_up(1)), _mm256_or_si256(look_up(2), look_up(3)))
    });
    add_planes(planes, sums);
}

/// `exits` in the order in which [`add_planes`] puts rows right.
#[inline]
#[target_feature(enable = "avx2")]
fn in_turns(exits: &Half<u8>) -> __m256i {
    // Joining bytes goes on within the halves of a vector and would leave rows 0 to 3 beside 16 to 19.
    _mm256_permutevar8x32_epi32(cast(*exits), _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7))
}

/// Adds numbers to `sums`, of which byte `i` of each is in plane `i`, whose rows are [`in_turns`].
#[inline]
#[target_feature(enable = "avx2")]
fn add_planes([first, second, third, fourth]: [__m256i; 4], sums: &mut Half<f32>) {
    let [low, low_upper] = [_mm256_unpacklo_epi8(first, second), _mm256_unpacklo_epi8(third, fourth)];
    let [high, high_upper] = [_mm256_unpackhi_epi8(first, second), _mm256_unpackhi_epi8(third, fourth)];
    let values = [
        _mm256_unpacklo_epi16(low, low_upper),
        _mm256_unpackhi_epi16(low, low_upper),
        _mm256_unpacklo_epi16(high, high_upper),
        _mm256_unpackhi_epi16(high, high_upper),
    ];
    let before: [__m256; HALF / 8] = cast(*sums);
    let mut after = before;
    for eight in 0..HALF / 8 {
        after[eight] = _mm256_add_ps(before[eight], cast(values[eight]));
    }
    *sums = cast(after);
}
