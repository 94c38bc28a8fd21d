//! Margins of rows from a pack: leaves summed in `f32` in the order of the trees, as `XGBoost` does, whatever the kernel, so
//! that margins are equal to the bit.
//!
//! [`plain`] walks the nodes, one row and one tree after the other: every pack has these, and the other kernels are held
//! against it. Where the trees have a second form, [`single`] takes one row down many trees at a time, and
//! [`batch`] takes many rows down one tree at a time, all of it in vector lanes or the top six levels.

#![allow(clippy::inline_always, reason = "what is compiled for several instruction sets must be inlined into each")]
#![allow(clippy::needless_range_loop, reason = "loops over rows that become vector instructions index several arrays")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod batch;
mod buffers;
#[cfg(target_arch = "x86_64")]
mod crown;
#[cfg(target_arch = "x86_64")]
mod doubled;
mod keys;
mod lanes;
#[cfg(target_arch = "x86_64")]
mod leaves;
#[cfg(target_arch = "x86_64")]
mod places;
mod plain;
mod processor;
mod single;
#[cfg(target_arch = "x86_64")]
mod steps;
mod tables;
mod top;
mod unit;
mod walk;
#[cfg(target_arch = "x86_64")]
mod wide;
mod words;

use std::{
    cell::RefCell,
    sync::atomic::{AtomicBool, Ordering},
};

use ndarray::{ArrayView1, ArrayView2};
use thicket_converters::SumOrder;

use crate::pack::{Sections, format::Tree};
use batch::Batch;
pub(crate) use plain::{answers, goes_left, leaves, margins};
use single::Room;

/// Buffers of larger requests are not kept.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// What kernels write on the way, kept for the next rows.
#[derive(Debug, Default)]
struct Scratch {
    room: Room,
    batch: Batch,
    margins: Vec<f32>,
}

/// Whether only what every processor has is used.
static PORTABLE_ONLY: AtomicBool = AtomicBool::new(false);

/// Lets kernels use what every processor of the kind has and no more, in the whole process: answers are the same, later. A thread
/// that predicted before goes on as it did.
pub fn portable_kernels_only() {
    PORTABLE_ONLY.store(true, Ordering::Relaxed);
}

fn is_portable_only() -> bool {
    PORTABLE_ONLY.load(Ordering::Relaxed)
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Calls `each` with the margins of each of `rows`, one for each target; rows are as wide as the forest has features.
pub(crate) fn each_margins(forest: &Sections<'_>, rows: ArrayView2<'_, f32>, mut each: impl FnMut(&[f32])) {
    SCRATCH.with(|scratch| {
        match scratch.try_borrow_mut() {
            Ok(mut kept) => kept.each_margins(forest, rows, &mut each),
            // A caller that predicts from within `each` has buffers of its own.
            Err(_) => Scratch::default().each_margins(forest, rows, &mut each),
        }
    });
}

impl Scratch {
    fn each_margins(&mut self, forest: &Sections<'_>, rows: ArrayView2<'_, f32>, each: &mut impl FnMut(&[f32])) {
        self.margins.resize(forest.base.len(), 0.0);
        if forest.has_blocks() {
            self.by_blocks(forest, rows, each);
        } else {
            let mut copy = Vec::new();
            for row in rows.rows() {
                margins(forest, contiguous(row, &mut copy), &mut self.margins);
                each(&self.margins);
            }
        }
        self.trim();
    }

    fn by_blocks(&mut self, forest: &Sections<'_>, rows: ArrayView2<'_, f32>, each: &mut impl FnMut(&[f32])) {
        let count = rows.nrows();
        let batch_min = if batch::fits(forest) { self.batch.rows_min(forest) } else { usize::MAX };
        let mut at = 0;
        while at < count {
            if count - at >= batch_min {
                at += self.batch.margins(forest, rows.slice(ndarray::s![at.., ..]), each);
            } else {
                self.one(forest, rows.row(at), each);
                at += 1;
            }
        }
    }

    fn one(&mut self, forest: &Sections<'_>, row: ArrayView1<'_, f32>, each: &mut impl FnMut(&[f32])) {
        let starts = if sum_order(forest) == SumOrder::BaseThenLeaves { forest.base } else { &[] };
        self.margins.fill(0.0);
        self.margins[..starts.len()].copy_from_slice(starts);
        let mut copy = Vec::new();
        single::add_leaves(forest, contiguous(row, &mut copy), &mut self.room, &mut self.margins);
        if starts.is_empty() {
            self.margins.iter_mut().zip(forest.base).for_each(|(margin, base)| *margin += base);
        }
        each(&self.margins);
    }

    fn trim(&mut self) {
        let bytes = self.room.bytes() + self.batch.bytes();
        if bytes > KEPT_BYTES_MAX {
            *self = Self::default();
        }
    }
}

#[inline(always)]
fn add_values(margins: &mut [f32], trees: &[Tree], values: &[f32]) {
    for (tree, value) in trees.iter().zip(values) {
        margins[tree.target as usize] += value;
    }
}

fn sum_order(forest: &Sections<'_>) -> SumOrder {
    if forest.forest.sum_order == 0 { SumOrder::BaseThenLeaves } else { SumOrder::LeavesThenBase }
}

/// The row as it lies in memory, or a copy of it where its columns lie apart.
pub(crate) fn contiguous<'a>(row: ArrayView1<'a, f32>, copy: &'a mut Vec<f32>) -> &'a [f32] {
    if let Some(row) = row.to_slice() {
        return row;
    }
    copy.clear();
    copy.extend(row);
    copy
}

#[cfg(test)]
mod tests;
