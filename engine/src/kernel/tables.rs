//! One row whose ranks lie in tables of bytes: several blocks are answered at once, each whole.
//!
//! All seven splits of a block are compared, whichever of them the row passes, so that the way through is one step and no
//! branch. Of all blocks every split is one byte of a vector; its rank is looked up among those of all columns.

#![allow(unsafe_code)]

use std::hint::select_unpredictable;

use super::{
    avx2::Avx2,
    avx512::Avx512,
    keys,
    unit::Unit,
    walk::{EXITS, Grove, is_leaf},
};
use crate::pack::{
    Sections,
    format::{Block, Tree},
};

mod fours;
mod eights;

use eights::Eights;
use fours::Fours;

/// Bytes of all tables: the most columns that a forest may have here.
const COLUMNS_MAX: usize = 256;
/// Blocks that are answered at once at the most.
const BLOCKS_MAX: usize = 8;
/// Trees that are walked level by level, so that memory has time to bring the blocks of the next level.
const WALKS: usize = 32;

/// The ranks of a row, one byte for each column.
type Ranks = [[u8; 16]; COLUMNS_MAX / 16];

/// A row's ranks in tables, and what looks so many blocks up in them at once.
trait Tables<const BLOCKS: usize> {
    /// Where the row leaves the blocks.
    fn through(&self, blocks: [&Block; BLOCKS]) -> [u32; BLOCKS];
}

/// What looks ranks up in tables.
#[derive(Clone, Copy, Debug)]
pub(super) enum Looker {
    Avx2(Avx2),
    Avx512(Avx512),
}

impl Looker {
    /// The best that this processor has, if tables hold the ranks of `forest` and it has any.
    pub(super) fn fit(forest: &Sections<'_>) -> Option<Self> {
        let is_narrow = forest.forest.rank_max == Block::BYTE_RANK_MAX && forest.columns.len() <= COLUMNS_MAX;
        let eights = || Avx512::detect().map(Self::Avx512);
        if is_narrow { eights().or_else(|| Avx2::detect().map(Self::Avx2)) } else { None }
    }

    /// All that this processor has.
    #[cfg(test)]
    pub(super) fn available() -> Vec<Self> {
        Avx2::detect().map(Self::Avx2).into_iter().chain(Avx512::detect().map(Self::Avx512)).collect()
    }

    /// Adds the leaf that `row` reaches in each tree to its target's margin, in the order of the trees. Tables
    /// [hold](Self::fit) the ranks of `forest`.
    pub(super) fn add_leaves(self, forest: &Sections<'_>, row: &[f32], margins: &mut [f32]) {
        match self {
            // SAFETY: having `avx2` is the proof that the processor has what the function is compiled for.
            Self::Avx2(avx2) => unsafe { add_by_fours(avx2, forest, row, margins) },
            // SAFETY: having `avx512` is the proof that the processor has what the function is compiled for.
            Self::Avx512(avx512) => unsafe { add_by_eights(avx512, forest, row, margins) },
        }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn add_by_fours(avx2: Avx2, forest: &Sections<'_>, row: &[f32], margins: &mut [f32]) {
    let ranks = ranks(avx2, forest, row);
    match forest.columns.len() {
        ..=16 => add(forest, &Fours::<1>::new(avx2, &ranks), margins),
        17..=32 => add(forest, &Fours::<2>::new(avx2, &ranks), margins),
        33..=64 => add(forest, &Fours::<4>::new(avx2, &ranks), margins),
        65..=128 => add(forest, &Fours::<8>::new(avx2, &ranks), margins),
        _ => add(forest, &Fours::<16>::new(avx2, &ranks), margins),
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn add_by_eights(avx512: Avx512, forest: &Sections<'_>, row: &[f32], margins: &mut [f32]) {
    let ranks = ranks(avx512, forest, row);
    match forest.columns.len() {
        ..=64 => add(forest, &Eights::<1>::new(avx512, &ranks), margins),
        65..=128 => add(forest, &Eights::<2>::new(avx512, &ranks), margins),
        _ => add(forest, &Eights::<4>::new(avx512, &ranks), margins),
    }
}

#[inline(always)]
fn ranks(unit: impl Unit, forest: &Sections<'_>, row: &[f32]) -> Ranks {
    let mut ranks = [[0; 16]; COLUMNS_MAX / 16];
    let bytes = ranks.as_flattened_mut();
    keys::each_rank(unit, forest, row, |column, rank| bytes[column] = rank.to_le_bytes()[0]);
    ranks
}

#[inline(always)]
fn add<const BLOCKS: usize>(forest: &Sections<'_>, tables: &impl Tables<BLOCKS>, margins: &mut [f32]) {
    let grove = Grove::of(forest);
    if let [sum] = margins {
        // In a variable of its own, so that it stays in a register.
        let mut total = *sum;
        each_value(forest, grove, tables, |_, value| total += value);
        *sum = total;
    } else {
        each_value(forest, grove, tables, |tree, value| margins[tree.target as usize] += value);
    }
}

/// Gives `each` what the leaf adds that the row reaches in each tree, in the order of the trees.
#[inline(always)]
fn each_value<const BLOCKS: usize>(
    forest: &Sections<'_>,
    grove: Grove<'_>,
    tables: &impl Tables<BLOCKS>,
    mut each: impl FnMut(&Tree, f32),
) {
    let (mut at, is_far) = ([0; WALKS], grove.is_far());
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
        let (bundles, _) = at.as_chunks_mut::<BLOCKS>();
        for _ in 1..grove.levels {
            for bundle in bundles.iter_mut().take(roots.len().div_ceil(BLOCKS)) {
                *bundle = tables.through(bundle.map(|at| grove.block(at)));
                if is_far {
                    for at in bundle {
                        grove.ask_for(*at);
                    }
                }
            }
        }
        // Leaves are added as they come: a sum takes as long as some blocks. As many as there always are need no mask, which
        // would make it longer.
        let values = |bundle: &[u32; BLOCKS]| tables.through(bundle.map(|at| grove.block(at))).map(f32::from_bits);
        let (whole, rest) = trees.as_chunks::<BLOCKS>();
        for (bundle, trees) in bundles.iter().zip(whole) {
            let values = values(bundle);
            for at in 0..BLOCKS {
                each(&trees[at], values[at]);
            }
        }
        if !rest.is_empty() {
            for (tree, value) in rest.iter().zip(values(&bundles[whole.len()])) {
                each(tree, value);
            }
        }
    }
}

/// Takes the walks that are at `at`, at most [`WALKS`], to their leaves, where some are longer than others.
#[inline(always)]
fn down_uneven<const BLOCKS: usize>(grove: Grove<'_>, tables: &impl Tables<BLOCKS>, at: &mut [u32]) {
    // Which walks go on. Those behind the last of them go through the first block again, and nobody asks where to.
    let mut ahead = [0_u8; WALKS + BLOCKS_MAX];
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
            // Loops: closures of this size are not inlined into what is compiled for the processor.
            let (mut walks, mut blocks) = ([0; BLOCKS], [grove.block(0); BLOCKS]);
            for index in 0..BLOCKS {
                walks[index] = ahead[first + index];
                let exit = at[usize::from(walks[index])];
                blocks[index] = grove.block(select_unpredictable(is_leaf(exit), 0, exit));
            }
            let next = tables.through(blocks);
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
