//! One row whose ranks are bytes: several blocks are left at once.
//!
//! With AVX2 and AVX-512 all seven splits of each are compared, whichever of them the row passes, so that the way through is one
//! step and no branch. Of all blocks every split is one byte of a vector; its rank is looked up among those of all columns.

#![allow(unsafe_code)]

use std::hint::select_unpredictable;

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use super::{
    keys,
    processor::Processor,
    unit::{Portable, Unit},
    walk::{Exit, Grove},
};
use crate::pack::{
    Sections,
    format::{Block, Tree},
};

#[cfg(target_arch = "x86_64")]
mod eights;
#[cfg(target_arch = "x86_64")]
mod fours;
mod plain;

#[cfg(target_arch = "x86_64")]
use eights::Eights;
#[cfg(target_arch = "x86_64")]
use fours::Fours;
use plain::Plain;

/// Bytes of all tables of vectors: the most columns that a forest may have there.
#[cfg(target_arch = "x86_64")]
const COLUMNS_MAX: usize = 256;
/// Blocks that are left at once at the most.
const BLOCKS_MAX: usize = 8;
/// Trees that are walked level by level, so that memory has time to bring the blocks of the next level.
const WALKS: usize = 32;

/// The ranks of a row, one byte for each column.
#[cfg(target_arch = "x86_64")]
type Ranks = [[u8; 16]; COLUMNS_MAX / 16];

/// A row's ranks, and how it leaves so many blocks at once.
trait Tables<const BLOCKS: usize> {
    /// By which exits the row leaves blocks of whole levels.
    fn leave_whole(&self, blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS];

    /// By which exits the row leaves blocks of any shape.
    fn leave_any(&self, blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS];
}

/// Adds the leaf that `row` reaches in each tree to its target's margin, in the order of the trees. `room` is for the row's
/// ranks.
pub(super) fn add_leaves(
    processor: Processor,
    forest: &Sections<'_>,
    row: &[f32],
    room: &mut Vec<u8>,
    margins: &mut [f32],
) {
    match processor {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: having `avx2` is the proof that the processor has what the function is compiled for.
        Processor::Avx2(avx2) if forest.columns.len() <= COLUMNS_MAX => unsafe {
            add_by_fours(avx2, forest, row, margins);
        },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: having `avx512` is the proof that the processor has what the function is compiled for.
        Processor::Avx512(avx512) if forest.columns.len() <= COLUMNS_MAX => unsafe {
            add_by_eights(avx512, forest, row, margins);
        },
        _ => {
            room.resize(forest.columns.len(), 0);
            keys::each_rank(Portable, forest, row, |column, rank| [room[column], ..] = rank.to_le_bytes());
            add(forest, &Plain::of(forest, room), margins);
        }
    }
}

#[cfg(target_arch = "x86_64")]
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

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
fn add_by_eights(avx512: Avx512, forest: &Sections<'_>, row: &[f32], margins: &mut [f32]) {
    let ranks = ranks(avx512, forest, row);
    match forest.columns.len() {
        ..=64 => add(forest, &Eights::<1>::new(avx512, &ranks), margins),
        65..=128 => add(forest, &Eights::<2>::new(avx512, &ranks), margins),
        _ => add(forest, &Eights::<4>::new(avx512, &ranks), margins),
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn ranks(unit: impl Unit, forest: &Sections<'_>, row: &[f32]) -> Ranks {
    let mut ranks = [[0; 16]; COLUMNS_MAX / 16];
    let bytes = ranks.as_flattened_mut();
    keys::each_rank(unit, forest, row, |column, rank| [bytes[column], ..] = rank.to_le_bytes());
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
            for (tree, bits) in trees.iter().zip(at) {
                each(tree, f32::from_bits(bits));
            }
            continue;
        }
        at[roots.len()..].fill(roots[0]);
        let (bundles, _) = at.as_chunks_mut::<BLOCKS>();
        for _ in 1..grove.levels {
            for bundle in bundles.iter_mut().take(roots.len().div_ceil(BLOCKS)) {
                *bundle = through_whole(grove, tables, bundle);
                if is_far {
                    for at in bundle {
                        grove.ask_for(*at);
                    }
                }
            }
        }
        // Leaves are added as they come: a sum takes as long as some blocks. As many as there always are need no mask, which
        // would make it longer.
        let (whole, rest) = trees.as_chunks::<BLOCKS>();
        for (bundle, trees) in bundles.iter().zip(whole) {
            let values = through_whole(grove, tables, bundle);
            for at in 0..BLOCKS {
                each(&trees[at], f32::from_bits(values[at]));
            }
        }
        if !rest.is_empty() {
            for (tree, bits) in rest.iter().zip(through_whole(grove, tables, &bundles[whole.len()])) {
                each(tree, f32::from_bits(bits));
            }
        }
    }
}

/// Where the row comes from the blocks at `at`, which are of whole levels.
#[inline(always)]
fn through_whole<const BLOCKS: usize>(
    grove: Grove<'_>,
    tables: &impl Tables<BLOCKS>,
    at: &[u32; BLOCKS],
) -> [u32; BLOCKS] {
    let blocks = at.map(|at| grove.block(at));
    let exits = tables.leave_whole(blocks);
    std::array::from_fn(|at| exits[at].leads_to(blocks[at]))
}

/// Takes the walks that begin at `at`, at most [`WALKS`], to the bits of what leaves add, where some are longer than others.
#[inline(always)]
fn down_uneven<const BLOCKS: usize>(grove: Grove<'_>, tables: &impl Tables<BLOCKS>, at: &mut [u32]) {
    // Which walks go on. Those behind the last of them go through some block again, and nobody asks where to.
    let mut ahead = [0_u8; WALKS + BLOCKS_MAX];
    for (walk, ahead) in (0..).zip(ahead.iter_mut().take(at.len())) {
        *ahead = walk;
    }
    let mut count = at.len();
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
                let is_there = first + index < count;
                blocks[index] = grove.block(select_unpredictable(is_there, at[usize::from(walks[index])], 0));
            }
            let exits = tables.leave_any(blocks);
            for index in 0..BLOCKS.min(count - first) {
                let to = exits[index].leads_to(blocks[index]);
                let is_leaf = exits[index].leads_to_leaf(blocks[index]);
                at[usize::from(walks[index])] = to;
                // Where a leaf's bits would lead there is no memory, and asking for it takes long.
                grove.ask_for(select_unpredictable(is_leaf, 0, to));
                ahead[left] = walks[index];
                left += usize::from(!is_leaf);
            }
        }
        count = left;
    }
    // Only in what is left of a file that was cut short: no way has more blocks than there are.
    for walk in &ahead[..count] {
        at[usize::from(*walk)] = f32::NAN.to_bits();
    }
}
