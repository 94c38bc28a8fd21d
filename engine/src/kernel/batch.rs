//! Many rows: their values are turned into columns of ranks, then all go down one tree after the other.
//!
//! The top six levels of a tree are done in [`lanes`], what is below in [`walk`](super::walk) with eight rows side by side.
//! The one algorithm is compiled for what every processor of the kind has and, on `x86-64`, for AVX2, which is chosen
//! where it is there.

#![allow(unsafe_code)]

use ndarray::ArrayView2;
use thicket_converters::SumOrder;

use super::{
    keys::{self, key, local},
    lanes::{self, byte},
    sum_order,
    walk::{Grove, is_leaf},
};
use crate::pack::{Sections, format::Block};

/// Rows that walk side by side below the lanes.
const WALKS: usize = 8;

/// Whether the ranks of `forest` fit lanes.
pub(super) fn fits(forest: &Sections<'_>) -> bool {
    forest.forest.rank_max == Block::BYTE_RANK_MAX
}

/// Buffers for so many rows at a time.
#[derive(Debug)]
pub(super) struct Batch<const ROWS: usize> {
    /// Ranks as bytes, column by column.
    bytes: Vec<[i8; ROWS]>,
    /// Keys, of each eight rows column by column.
    keys: Vec<u32>,
    /// Margins, target by target.
    sums: Vec<[f32; ROWS]>,
    margins: Vec<f32>,
    has_avx2: bool,
}

impl<const ROWS: usize> Default for Batch<ROWS> {
    fn default() -> Self {
        #[cfg(target_arch = "x86_64")]
        let has_avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        #[cfg(not(target_arch = "x86_64"))]
        let has_avx2 = false;
        Self { bytes: Vec::new(), keys: Vec::new(), sums: Vec::new(), margins: Vec::new(), has_avx2 }
    }
}

impl<const ROWS: usize> Batch<ROWS> {
    /// A batch that uses what every processor of the kind has.
    #[cfg(test)]
    pub(super) fn portable() -> Self {
        Self { has_avx2: false, ..Self::default() }
    }

    /// What the buffers take.
    pub(super) fn bytes(&self) -> usize {
        let floats = self.sums.capacity() * ROWS + self.margins.capacity() + self.keys.capacity();
        self.bytes.capacity() * ROWS + floats * size_of::<f32>()
    }

    /// Calls `each` with the margins of the first of `rows`, as many as this batch holds; how many that were.
    pub(super) fn margins(
        &mut self,
        forest: &Sections<'_>,
        rows: ArrayView2<'_, f32>,
        each: &mut impl FnMut(&[f32]),
    ) -> usize {
        let count = rows.nrows().min(ROWS);
        let rows = rows.slice(ndarray::s![..count, ..]);
        self.bytes.resize(forest.columns.len(), [0; ROWS]);
        self.keys.resize(forest.columns.len() * ROWS, 0);
        self.sums.resize(forest.base.len(), [0.0; ROWS]);
        self.margins.resize(forest.base.len(), 0.0);
        let is_base_first = sum_order(forest) == SumOrder::BaseThenLeaves;
        for (sums, base) in self.sums.iter_mut().zip(forest.base) {
            sums.fill(if is_base_first { *base } else { 0.0 });
        }
        #[cfg(target_arch = "x86_64")]
        if self.has_avx2 {
            // SAFETY: the processor has AVX2 and what came with it, as was asked when this batch was made.
            unsafe { self.run_avx2(forest, rows) }
        } else {
            self.run(forest, rows);
        }
        #[cfg(not(target_arch = "x86_64"))]
        self.run(forest, rows);
        for row in 0..count {
            for ((margin, sums), base) in self.margins.iter_mut().zip(&self.sums).zip(forest.base) {
                *margin = if is_base_first { sums[row] } else { sums[row] + base };
            }
            each(&self.margins);
        }
        count
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn run_avx2(&mut self, forest: &Sections<'_>, rows: ArrayView2<'_, f32>) {
        self.run(forest, rows);
    }

    #[inline(always)]
    fn run(&mut self, forest: &Sections<'_>, rows: ArrayView2<'_, f32>) {
        self.measure(forest, rows);
        self.add_leaves(forest);
    }

    /// Fills in the ranks and keys of `rows`; rows that are not there keep some of former ones.
    #[inline(always)]
    fn measure(&mut self, forest: &Sections<'_>, rows: ArrayView2<'_, f32>) {
        let (mut left, mut right) = ([0; ROWS], [0; ROWS]);
        let mut at = 0;
        for ruler in forest.rulers {
            let values = rows.column(ruler.feature as usize);
            for ((value, left), right) in values.iter().zip(&mut left).zip(&mut right) {
                (*left, *right) = keys::ranks(forest, *ruler, *value);
            }
            for column in &forest.columns[at..at + ruler.columns as usize] {
                let ranks = if column.missing_goes_left() { &left } else { &right };
                self.fill(forest, at, |row| local(ranks[row], column.from, Block::BYTE_RANK_MAX));
                at += 1;
            }
        }
        let mut ranks = [0; ROWS];
        for (column, at) in forest.columns[at..].iter().zip(at..) {
            for (value, rank) in rows.column(column.feature as usize).iter().zip(&mut ranks) {
                *rank = keys::category_rank(forest, *column, *value);
            }
            self.fill(forest, at, |row| ranks[row]);
        }
    }

    /// Fills in column `at`.
    #[inline(always)]
    fn fill(&mut self, forest: &Sections<'_>, at: usize, rank: impl Fn(usize) -> u32) {
        let bytes = &mut self.bytes[at];
        for row in 0..ROWS {
            bytes[row] = byte(rank(row));
        }
        for (eight, keys) in self.keys.chunks_exact_mut(forest.columns.len() * WALKS).enumerate() {
            for (row, slot) in keys[at * WALKS..(at + 1) * WALKS].iter_mut().enumerate() {
                *slot = key(rank(eight * WALKS + row));
            }
        }
    }

    /// Adds the leaf that each row reaches in each tree, in the order of the trees.
    #[inline(always)]
    fn add_leaves(&mut self, forest: &Sections<'_>) {
        let grove = Grove::of(forest);
        let (mut first, mut below, mut exits) = ([0; ROWS], [[0; ROWS]; 8], [0; ROWS]);
        let mut table = [0; 64];
        for (&root, tree) in forest.roots.iter().zip(forest.trees) {
            let sums = &mut self.sums[tree.target as usize];
            if grove.levels == 0 && is_leaf(root) {
                let value = grove.leaf_value(root);
                for sum in sums.iter_mut() {
                    *sum += value;
                }
                continue;
            }
            let root = grove.block(root);
            lanes::exits(root, &self.bytes, &mut first);
            if grove.levels == 1 {
                for (sum, exit) in sums.iter_mut().zip(&first) {
                    *sum += f32::from_bits(root.0[Block::EXITS + usize::from(exit & 7)]);
                }
                continue;
            }
            for (at, &exit) in root.0[Block::EXITS..].iter().enumerate() {
                let part = at * 8..at * 8 + 8;
                if grove.levels == 0 && is_leaf(exit) {
                    table[part].fill(exit);
                } else if at > 0 && exit == root.0[Block::EXITS + at - 1] {
                    table.copy_within(part.start - 8..part.start, part.start);
                    below[at] = below[at - 1];
                } else {
                    let block = grove.block(exit);
                    lanes::exits(block, &self.bytes, &mut below[at]);
                    table[part].copy_from_slice(&block.0[Block::EXITS..]);
                }
            }
            lanes::select(&first, &below, &mut exits);
            if grove.levels == 2 {
                for (sum, exit) in sums.iter_mut().zip(&exits) {
                    *sum += f32::from_bits(table[usize::from(exit & 63)]);
                }
                continue;
            }
            let keys = self.keys.chunks_exact(forest.columns.len() * WALKS);
            for ((keys, exits), sums) in keys.zip(exits.as_chunks::<WALKS>().0).zip(sums.as_chunks_mut::<WALKS>().0) {
                let keys = grove.keys::<WALKS>(keys);
                let at = exits.map(|exit| table[usize::from(exit & 63)]);
                let rows = std::array::from_fn(|row| row);
                let values = match grove.levels {
                    0 => grove.down::<0, _, _>(at, keys, rows),
                    _ => grove.down::<1, _, _>(at, keys, rows),
                };
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
        }
    }
}
