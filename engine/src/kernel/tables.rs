//! One row whose ranks lie in tables of sixteen bytes: four blocks are answered at once, each whole.
//!
//! All seven splits of a block are compared, whichever of them the row passes, so that the way through is one step and no
//! branch. Of four blocks every split is one byte of a vector; its rank is looked up among those of all columns.

#![allow(unsafe_code)]

use std::{
    arch::x86_64::{
        __m128i, __m256i, _mm256_and_si256, _mm256_blend_epi16, _mm256_blendv_epi8, _mm256_broadcastsi128_si256,
        _mm256_castsi256_ps, _mm256_cmpeq_epi8, _mm256_max_epu8, _mm256_movemask_ps, _mm256_or_si256, _mm256_set1_epi8,
        _mm256_set1_epi16, _mm256_shuffle_epi8, _mm256_slli_epi16, _mm256_slli_epi32, _mm256_srli_epi16,
        _mm256_srli_epi32,
    },
    hint::select_unpredictable,
};

use super::{
    avx2::Avx2,
    keys,
    walk::{Grove, is_leaf},
};
use crate::pack::{
    Sections,
    format::{Block, Tree},
};

/// Bytes of all tables: the most columns that a forest may have here.
const COLUMNS_MAX: usize = 256;
/// Blocks that are answered at once.
const BLOCKS: usize = 4;
/// Trees that are walked level by level, so that memory has time to bring the blocks of the next level.
const WALKS: usize = 32;

/// The slot of the exit that a row takes, by the splits where it goes right: bit `i` for slot `i`.
const EXITS: [u8; 256] = {
    let mut exits = [0; 256];
    let mut rights = 0;
    while rights < exits.len() {
        let mut slot = 1;
        while slot < Block::EXITS {
            slot = 2 * slot + (rights >> slot & 1);
        }
        exits[rights] = slot.to_le_bytes()[0];
        rights += 1;
    }
    exits
};

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

/// What looks tables up, if these hold the ranks of `forest` and the processor has it.
pub(super) fn fit(forest: &Sections<'_>) -> Option<Avx2> {
    let is_narrow = forest.forest.rank_max == Block::BYTE_RANK_MAX && forest.columns.len() <= COLUMNS_MAX;
    if is_narrow { Avx2::detect() } else { None }
}

/// Adds the leaf that `row` reaches in each tree to its target's margin, in the order of the trees. The tables [`fit`].
pub(super) fn add_leaves(avx2: Avx2, forest: &Sections<'_>, row: &[f32], margins: &mut [f32]) {
    // SAFETY: having `avx2` is the proof that the processor has what the function is compiled for.
    unsafe { add(avx2, forest, row, margins) }
}

#[target_feature(enable = "avx2,popcnt")]
fn add(avx2: Avx2, forest: &Sections<'_>, row: &[f32], margins: &mut [f32]) {
    let mut bytes = [[0; 16]; COLUMNS_MAX / 16];
    let slots = bytes.as_flattened_mut();
    keys::each_rank(avx2, forest, row, |column, rank| slots[column] = rank.to_le_bytes()[0]);
    match forest.columns.len() {
        ..=16 => add_of::<1>(forest, &bytes, margins),
        17..=32 => add_of::<2>(forest, &bytes, margins),
        33..=64 => add_of::<4>(forest, &bytes, margins),
        65..=128 => add_of::<8>(forest, &bytes, margins),
        _ => add_of::<16>(forest, &bytes, margins),
    }
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn add_of<const TABLES: usize>(forest: &Sections<'_>, bytes: &[[u8; 16]; COLUMNS_MAX / 16], margins: &mut [f32]) {
    let table = |at| _mm256_broadcastsi128_si256(bytemuck::cast::<[u8; 16], __m128i>(bytes[at]));
    let tables: [__m256i; TABLES] = std::array::from_fn(table);
    let grove = Grove::of(forest);
    if let [sum] = margins {
        // In a variable of its own, so that it stays in a register.
        let mut total = *sum;
        each_value(forest, grove, &tables, |_, value| total += value);
        *sum = total;
    } else {
        each_value(forest, grove, &tables, |tree, value| margins[tree.target as usize] += value);
    }
}

/// Gives `each` what the leaf adds that the row reaches in each tree, in the order of the trees.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn each_value<const TABLES: usize>(
    forest: &Sections<'_>,
    grove: Grove<'_>,
    tables: &[__m256i; TABLES],
    mut each: impl FnMut(&Tree, f32),
) {
    let mut at = [0; WALKS];
    for (roots, trees) in forest.roots.chunks(WALKS).zip(forest.trees.chunks(WALKS)) {
        at[..roots.len()].copy_from_slice(roots);
        if grove.levels == 0 {
            down_uneven(grove, tables, &mut at[..roots.len()]);
            for (tree, exit) in trees.iter().zip(at) {
                each(tree, grove.leaf_value(exit));
            }
            continue;
        }
        at[roots.len()..].fill(roots[0]);
        let (fours, _) = at.as_chunks_mut::<BLOCKS>();
        for _ in 1..grove.levels {
            for four in fours.iter_mut().take(roots.len().div_ceil(BLOCKS)) {
                *four = through(tables, four.map(|at| grove.block(at)));
                for at in four {
                    grove.ask_for(*at);
                }
            }
        }
        // Leaves are added as they come: a sum takes as long as four blocks.
        for (four, trees) in fours.iter().zip(trees.chunks(BLOCKS)) {
            let values = through(tables, four.map(|at| grove.block(at)));
            for (tree, value) in trees.iter().zip(values) {
                each(tree, f32::from_bits(value));
            }
        }
    }
}

/// Takes the walks that are at `at`, at most [`WALKS`], to their leaves, where some are longer than others.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn down_uneven<const TABLES: usize>(grove: Grove<'_>, tables: &[__m256i; TABLES], at: &mut [u32]) {
    // Which walks go on. Those behind the last of them go through the first block again, and nobody asks where to.
    let mut ahead = [0_u8; WALKS + BLOCKS];
    let mut count = 0;
    for (walk, exit) in (0..).zip(at.iter()) {
        ahead[count] = walk;
        count += usize::from(!is_leaf(*exit));
    }
    for _ in 0..grove.blocks_on_a_way() {
        if count == 0 {
            return;
        }
        let mut left = 0;
        for first in (0..count).step_by(BLOCKS) {
            let walks: [u8; BLOCKS] = std::array::from_fn(|walk| ahead[first + walk]);
            let blocks = walks.map(|walk| {
                let exit = at[usize::from(walk)];
                grove.block(select_unpredictable(is_leaf(exit), 0, exit))
            });
            let next = through(tables, blocks);
            for index in 0..BLOCKS.min(count - first) {
                at[usize::from(walks[index])] = next[index];
                // Where a leaf's number would lead there is no memory, and asking for it takes long.
                grove.ask_for(select_unpredictable(is_leaf(next[index]), 0, next[index]));
                ahead[left] = walks[index];
                left += usize::from(!is_leaf(next[index]));
            }
        }
        count = left;
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
        blocks[at].0[usize::from(EXITS[usize::from(rights)]) & 15]
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
