//! Sixteen rows side by side below the lanes, for processors with AVX-512: what they ask for is gathered.

use std::arch::x86_64::{
    __m128i, __m512, __m512i, __mmask16, _mm512_add_epi32, _mm512_add_ps, _mm512_and_si512, _mm512_castsi512_ps,
    _mm512_cmplt_epi32_mask, _mm512_cmplt_epu32_mask, _mm512_cvtepu8_epi32, _mm512_mask_add_epi32,
    _mm512_mask_blend_epi32, _mm512_mask_i32gather_epi32, _mm512_mask_i32gather_ps, _mm512_permutex2var_epi32,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512, _mm512_slli_epi32, _mm512_test_epi32_mask,
};

use bytemuck::cast;

use super::{Grove, KEYED};
use crate::pack::format::Block;

const ROWS: usize = 16;
/// Blocks beyond could not be named by a gather's signed index of a number in them.
const BLOCKS_MAX: usize = i32::MAX as usize / 16;
const ALL: __mmask16 = !0;
/// The latter eight of sixteen rows, and which of its eight each row is.
const OF_LATTER: __mmask16 = 0xff00;
const WITHIN_KEYED: [u32; ROWS] = [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7];

/// The keys of sixteen rows, and where those of each begin.
#[derive(Clone, Copy)]
struct Keys<'a> {
    keys: &'a [u32],
    first: __m512i,
}

/// Whether gathers reach all blocks of `grove`.
pub(in super::super) fn reaches(grove: Grove<'_>) -> bool {
    grove.blocks.len() <= BLOCKS_MAX
}

/// Adds to `sums` the leaves that rows reach which leave the top of a tree by `exits`, numbers of `tops`, where one level of
/// blocks is left or ways differ in length. There are as many sums as exits, a multiple of sixteen, and `keys` has those of
/// each eight rows column by column. The [gathers reach](reaches) all blocks.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
pub(in super::super) fn walk_on(
    grove: Grove<'_>,
    tops: &[u32; 64],
    exits: &[u8],
    keys: &[[u32; KEYED]],
    sums: &mut [f32],
) {
    let columns = grove.columns;
    assert!(reaches(grove) && keys.len() * KEYED >= exits.len() * columns, "{} keys", keys.len());
    let tops: [__m512i; 4] = cast(*tops);
    let within: __m512i = cast(WITHIN_KEYED);
    let apart = i32::try_from(columns * KEYED).expect("splits name columns by sixteen bits");
    let first = _mm512_mask_add_epi32(within, OF_LATTER, within, _mm512_set1_epi32(apart));
    let (exits, _) = exits.as_chunks::<ROWS>();
    let (sums, _) = sums.as_chunks_mut::<ROWS>();
    for ((exits, sums), keys) in exits.iter().zip(sums).zip(keys.chunks_exact(ROWS / KEYED * columns)) {
        let keys = Keys { keys: keys.as_flattened(), first };
        let at = named(&tops, _mm512_cvtepu8_epi32(cast::<_, __m128i>(*exits)));
        let values = if grove.levels == 0 {
            uneven(grove, at, keys)
        } else {
            _mm512_castsi512_ps(through(grove, at, ALL, keys))
        };
        *sums = cast(_mm512_add_ps(cast(*sums), values));
    }
}

/// Of 64 numbers those that `indices` name by their lowest six bits.
#[inline]
#[target_feature(enable = "avx512f")]
fn named(numbers: &[__m512i; 4], indices: __m512i) -> __m512i {
    let [one, two, three, four] = *numbers;
    let (low, high) = (_mm512_permutex2var_epi32(one, indices, two), _mm512_permutex2var_epi32(three, indices, four));
    _mm512_mask_blend_epi32(_mm512_test_epi32_mask(indices, _mm512_set1_epi32(32)), low, high)
}

/// What the leaves add that rows end at which are at `at`, where some ways are longer than others.
#[inline]
#[target_feature(enable = "avx512f")]
fn uneven(grove: Grove<'_>, mut at: __m512i, keys: Keys<'_>) -> __m512 {
    let leaves = |at| _mm512_cmplt_epi32_mask(at, _mm512_setzero_si512());
    for _ in 0..grove.blocks_on_a_way() {
        let ahead = !leaves(at);
        if ahead == 0 {
            break;
        }
        at = _mm512_mask_blend_epi32(ahead, at, through(grove, at, ahead, keys));
    }
    let indices = _mm512_and_si512(at, _mm512_set1_epi32((!Block::LEAF).cast_signed()));
    let none = _mm512_set1_ps(f32::NAN);
    // SAFETY: exits that are marked as leaves lead to leaf values of this pack (`check_uneven`). Others there are none left,
    // but in what is left of a file that was cut short, and these are not asked for.
    unsafe { _mm512_mask_i32gather_ps::<4>(none, leaves(at), indices, grove.leaf_values.as_ptr().cast()) }
}

/// Where those of the rows that are `ahead` leave the blocks at `at`.
#[inline]
#[target_feature(enable = "avx512f")]
fn through(grove: Grove<'_>, at: __m512i, ahead: __mmask16, keys: Keys<'_>) -> __m512i {
    let (zero, one) = (_mm512_setzero_si512(), _mm512_set1_epi32(1));
    let first = _mm512_slli_epi32::<4>(at);
    let of_blocks = |slots| {
        let indices = _mm512_add_epi32(first, slots);
        // SAFETY: rows that are ahead are at blocks of this pack (`Grove::block`), slots are below 16, and a block has as many
        // numbers. Indices do not wrap (`reaches`).
        unsafe { _mm512_mask_i32gather_epi32::<4>(zero, ahead, indices, grove.blocks.as_ptr().cast()) }
    };
    let mut slots = one;
    for _ in 0..Block::DEPTH {
        let splits = of_blocks(slots);
        let columns = _mm512_and_si512(splits, _mm512_set1_epi32(0xffff));
        let indices = _mm512_add_epi32(columns, keys.first);
        // SAFETY: a split names eight times one of the pack's columns (`check_splits`), and there are keys of sixteen rows for
        // each of these (`walk_on`).
        let keys = unsafe { _mm512_mask_i32gather_epi32::<4>(zero, ahead, indices, keys.keys.as_ptr().cast()) };
        let rights = _mm512_cmplt_epu32_mask(splits, keys);
        let twice = _mm512_add_epi32(slots, slots);
        slots = _mm512_mask_add_epi32(twice, rights, twice, one);
    }
    of_blocks(slots)
}
