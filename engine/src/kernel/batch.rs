//! Many rows: their values are turned into columns of ranks, then all go down one tree after the other.
//!
//! The top six levels of a tree are done in [`lanes`](super::lanes), what is below in [`walk`](super::walk); with AVX2 or AVX-512 and
//! enough rows all of a tree is done in lanes, if it has not too many leaves (`wide.rs`): block by block where its ways are of
//! one length (`crown.rs`), split by split where it has any shape (`steps.rs`).
//! The one algorithm is compiled for what every processor of the kind has and, on `x86-64`, for AVX2 and AVX-512, which are
//! chosen where they are there.

#![allow(unsafe_code)]

use std::ops::RangeInclusive;

use ndarray::ArrayView2;
use thicket_converters::SumOrder;

#[cfg(target_arch = "x86_64")]
use super::{
    avx2::Avx2,
    avx512::Avx512,
    doubled::Doubled,
    walk::HALF,
    wide::{Long, Wide},
};
use super::{buffers::Buffers, processor::Processor, sum_order, top::Top, unit::Portable, walk::ROWS};
use crate::pack::Sections;

/// Bytes of ranks and margins that rows have which go down one tree before the next: each tree is made ready once for all.
const BYTES: usize = 1 << 19;
/// Bounds of how many rows that are at the most.
const ROWS_MAX: RangeInclusive<usize> = 512..=2048;

/// Whether the ranks of `forest` fit lanes.
pub(super) fn fits(forest: &Sections<'_>) -> bool {
    forest.is_in_bytes()
}

/// Buffers for as many rows as go down a tree before the next.
#[derive(Debug)]
pub(super) struct Batch {
    buffers: Buffers,
    margins: Vec<f32>,
    /// Made when they are first used: one row never needs them, and some processors only the one or the other.
    top: Option<Top>,
    #[cfg(target_arch = "x86_64")]
    wide: Option<Wide>,
    processor: Processor,
}

impl Default for Batch {
    fn default() -> Self {
        Self::on(Processor::best())
    }
}

impl Batch {
    /// A batch that uses what that one has.
    pub(super) fn on(processor: Processor) -> Self {
        Self {
            buffers: Buffers::default(),
            margins: Vec::new(),
            top: None,
            #[cfg(target_arch = "x86_64")]
            wide: None,
            processor,
        }
    }

    /// What the buffers take.
    pub(super) fn bytes(&self) -> usize {
        let bytes = self.buffers.bytes() + size_of::<f32>() * self.margins.capacity();
        #[cfg(target_arch = "x86_64")]
        let bytes = bytes + self.wide.as_ref().map_or(0, |_| Wide::BYTES);
        bytes
    }

    /// From how many rows of `forest` on it is faster here than one row after the other.
    pub(super) fn rows_min(&self, forest: &Sections<'_>) -> usize {
        match (self.processor, forest.forest.block_levels) {
            // To make trees of any shape ready takes what only many rows repay.
            (Processor::Portable, 0) => usize::MAX,
            #[cfg(target_arch = "x86_64")]
            (Processor::Avx2(_), 0) => 44,
            #[cfg(target_arch = "x86_64")]
            (Processor::Avx512(_), 0) => 96,
            #[cfg(target_arch = "x86_64")]
            (Processor::Avx512(_), 1 | 2) => 22,
            #[cfg(target_arch = "x86_64")]
            (Processor::Avx512(_), _) => 31,
            _ => 12,
        }
    }

    /// Calls `each` with the margins of the first of `rows`, as many as this batch holds; how many that were.
    pub(super) fn margins(
        &mut self,
        forest: &Sections<'_>,
        rows: ArrayView2<'_, f32>,
        each: &mut impl FnMut(&[f32]),
    ) -> usize {
        let count = rows.nrows().min(rows_max(forest));
        let rows = rows.slice(ndarray::s![..count, ..]);
        let is_base_first = sum_order(forest) == SumOrder::BaseThenLeaves;
        self.buffers.begin(forest, count, forest.base.iter().map(|base| if is_base_first { *base } else { 0.0 }));
        self.margins.resize(forest.base.len(), 0.0);
        match self.processor {
            Processor::Portable => self.buffers.run(Portable, self.top.get_or_insert_default(), forest, rows),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: having `avx2` is the proof that the processor has what this is compiled for.
            Processor::Avx2(avx2) if count <= halved_max(forest) => unsafe {
                self.run_avx2(avx2, forest, rows);
            },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: having `avx2` is the proof that the processor has what this is compiled for.
            Processor::Avx2(avx2) => unsafe { self.run_doubled(Doubled(avx2), forest, rows) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: having `avx512` is the proof that the processor has what this is compiled for.
            Processor::Avx512(avx512) if count <= narrow_max(forest) => unsafe {
                self.run_avx2(avx512.avx2(), forest, rows);
            },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: having `avx512` is the proof that the processor has what this is compiled for.
            Processor::Avx512(avx512) => unsafe { self.run_avx512(avx512, forest, rows) },
        }
        for row in 0..count {
            for ((margin, sum), base) in self.margins.iter_mut().zip(self.buffers.sums(row)).zip(forest.base) {
                *margin = if is_base_first { sum } else { sum + base };
            }
            each(&self.margins);
        }
        count
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn run_avx2(&mut self, avx2: Avx2, forest: &Sections<'_>, rows: ArrayView2<'_, f32>) {
        self.buffers.run(avx2, self.top.get_or_insert_default(), forest, rows);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn run_doubled(&mut self, doubled: Doubled, forest: &Sections<'_>, rows: ArrayView2<'_, f32>) {
        self.buffers.run(doubled, self.wide.get_or_insert_with(Wide::default), forest, rows);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
    fn run_avx512(&mut self, avx512: Avx512, forest: &Sections<'_>, rows: ArrayView2<'_, f32>) {
        self.buffers.run(avx512, self.wide.get_or_insert_with(Wide::default), forest, rows);
    }
}

/// The most rows of `forest` that go down one tree before the next: whole pairs of groups.
fn rows_max(forest: &Sections<'_>) -> usize {
    let bytes = forest.columns.len() + size_of_val(forest.base);
    (BYTES / bytes / (2 * ROWS) * (2 * ROWS)).clamp(*ROWS_MAX.start(), *ROWS_MAX.end())
}

/// Up to how many rows of `forest` half groups are faster with AVX2, because making trees ready for whole ones takes more time
/// than these save, or because they ask for rows that are not there.
#[cfg(target_arch = "x86_64")]
fn halved_max(forest: &Sections<'_>) -> usize {
    match forest.forest.block_levels {
        1 | 2 => 2 * ROWS + HALF,
        3 => ROWS + HALF / 2,
        _ => 0,
    }
}

/// Up to how many rows of `forest` shorter vectors are faster, because making trees ready for the longest takes more time than
/// these save, or because they ask for rows that are not there.
#[cfg(target_arch = "x86_64")]
fn narrow_max(forest: &Sections<'_>) -> usize {
    match forest.forest.block_levels {
        1 | 2 => HALF,
        3 => 2 * ROWS - ROWS / 4,
        _ => 0,
    }
}
