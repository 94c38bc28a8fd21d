//! Many rows: their values are turned into columns of ranks, then all go down one tree after the other.
//!
//! What a [`Crown`] holds of a tree is done in [`lanes`](super::lanes): with AVX-512 all of it, if it has not too many leaves,
//! else the top six levels; what is below in [`walk`](super::walk) with several rows side by side.
//! The one algorithm is compiled for what every processor of the kind has and, on `x86-64`, for AVX2 and AVX-512, which are
//! chosen where they are there.

#![allow(unsafe_code)]

use std::ops::Range;

use ndarray::ArrayView2;
use thicket_converters::SumOrder;

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use super::{
    crown::{ABREAST, Crown, Slots},
    keys::{self, key, local},
    lanes::{Exits, byte, rank},
    sum_order,
    unit::{Portable, Unit, WALKS},
    walk::{Aligned, Grove, HALF, Lanes, ROWS, is_leaf},
};
use crate::pack::{Sections, format::Block};

/// The most rows that go down one tree before the next: each tree is made ready once for all.
const ROWS_MAX: usize = 512;

/// The most blocks of the next tree that memory is asked for beforehand.
const NEXT_BLOCKS_MAX: u32 = 128;

/// Whether the ranks of `forest` fit lanes.
pub(super) fn fits(forest: &Sections<'_>) -> bool {
    forest.forest.rank_max == Block::BYTE_RANK_MAX
}

/// Buffers for up to [`ROWS_MAX`] rows, which lie in groups of [`ROWS`].
#[derive(Debug)]
pub(super) struct Batch {
    /// Ranks as bytes, of each group column by column.
    bytes: Vec<Aligned<Lanes<i8>>>,
    /// Keys, of each eight rows column by column; of the present rows only once a tree has been walked.
    keys: Vec<[u32; WALKS]>,
    /// Margins, target by target, in each group by group.
    sums: Vec<Aligned<Lanes<f32>>>,
    margins: Vec<f32>,
    /// How many rows there are.
    rows: usize,
    crown: Crown,
    slots: Slots,
    processor: Processor,
}

/// What the algorithm is compiled for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Processor {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Processor {
    /// All that this one has, the best last.
    pub(super) fn available() -> Vec<Self> {
        let mut available = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            available.extend(Avx2::detect().map(Self::Avx2));
            available.extend(Avx512::detect().map(Self::Avx512));
        }
        available
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::on(Processor::available().pop().unwrap_or(Processor::Portable))
    }
}

impl Batch {
    /// A batch that uses what that one has.
    pub(super) fn on(processor: Processor) -> Self {
        Self {
            bytes: Vec::new(),
            keys: Vec::new(),
            sums: Vec::new(),
            margins: Vec::new(),
            rows: 0,
            crown: Crown::default(),
            slots: Slots::default(),
            processor,
        }
    }

    /// What the buffers take.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Lanes<i8>>() * self.bytes.capacity()
            + size_of::<[u32; WALKS]>() * self.keys.capacity()
            + size_of::<Lanes<f32>>() * self.sums.capacity()
            + size_of::<f32>() * self.margins.capacity()
            + Slots::BYTES
            + Crown::BYTES
    }

    /// From how many rows of `forest` on it is faster here than one row after the other.
    pub(super) fn rows_min(&self, forest: &Sections<'_>) -> usize {
        match (self.processor, forest.forest.block_levels) {
            #[cfg(target_arch = "x86_64")]
            (Processor::Avx512(_), 1 | 2) => 28,
            #[cfg(target_arch = "x86_64")]
            (Processor::Avx512(_), 3) => 56,
            #[cfg(target_arch = "x86_64")]
            (Processor::Avx512(_), _) => 36,
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
        let count = rows.nrows().min(ROWS_MAX);
        let groups = count.div_ceil(ROWS);
        self.rows = count;
        let rows = rows.slice(ndarray::s![..count, ..]);
        self.bytes.resize(forest.columns.len() * groups, Aligned([0; ROWS]));
        self.sums.resize(forest.base.len() * groups, Aligned([0.0; ROWS]));
        self.margins.resize(forest.base.len(), 0.0);
        let is_base_first = sum_order(forest) == SumOrder::BaseThenLeaves;
        for (sums, base) in self.sums.chunks_exact_mut(groups).zip(forest.base) {
            sums.fill(Aligned([if is_base_first { *base } else { 0.0 }; ROWS]));
        }
        match self.processor {
            Processor::Portable => self.run(Portable, forest, rows),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: having `avx2` is the proof that the processor has what this is compiled for.
            Processor::Avx2(avx2) => unsafe { self.run_avx2(avx2, forest, rows) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: having `avx512` is the proof that the processor has what this is compiled for.
            Processor::Avx512(avx512) => unsafe { self.run_avx512(avx512, forest, rows) },
        }
        for row in 0..count {
            let sums = self.sums[row / ROWS..].iter().step_by(groups).map(|sums| sums.0[row % ROWS]);
            for ((margin, sum), base) in self.margins.iter_mut().zip(sums).zip(forest.base) {
                *margin = if is_base_first { sum } else { sum + base };
            }
            each(&self.margins);
        }
        count
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn run_avx2(&mut self, avx2: Avx2, forest: &Sections<'_>, rows: ArrayView2<'_, f32>) {
        self.run(avx2, forest, rows);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi")]
    fn run_avx512(&mut self, avx512: Avx512, forest: &Sections<'_>, rows: ArrayView2<'_, f32>) {
        self.run(avx512, forest, rows);
    }

    #[inline(always)]
    fn run(&mut self, unit: impl Unit, forest: &Sections<'_>, rows: ArrayView2<'_, f32>) {
        for (group, rows) in rows.axis_chunks_iter(ndarray::Axis(0), ROWS).enumerate() {
            self.measure(unit, forest, group, rows);
        }
        self.add_leaves(unit, forest, rows.nrows().div_ceil(ROWS));
    }

    /// Fills in the ranks of a group's `rows`; rows that are not there keep some of former ones.
    #[inline(always)]
    fn measure(&mut self, unit: impl Unit, forest: &Sections<'_>, group: usize, rows: ArrayView2<'_, f32>) {
        let mut values = [0.0; ROWS];
        let mut at = 0;
        for ruler in forest.rulers {
            values.iter_mut().zip(rows.column(ruler.feature as usize)).for_each(|(to, from)| *to = *from);
            let (left, right) = keys::ranks_of_rows(unit, forest, *ruler, &values, rows.nrows());
            for column in &forest.columns[at..at + ruler.columns as usize] {
                let ranks = if column.missing_goes_left() { &left } else { &right };
                let bytes = ranks.map(|rank| byte(local(rank, column.from, Block::BYTE_RANK_MAX)));
                self.bytes[group * forest.columns.len() + at].0 = bytes;
                at += 1;
            }
        }
        for (column, at) in forest.columns[at..].iter().zip(at..) {
            let bytes = &mut self.bytes[group * forest.columns.len() + at].0;
            for (value, to) in rows.column(column.feature as usize).iter().zip(bytes) {
                *to = byte(keys::category_rank(forest, *column, *value));
            }
        }
    }

    /// Adds the leaf that each row reaches in each tree, in the order of the trees.
    #[inline(always)]
    fn add_leaves(&mut self, unit: impl Unit, forest: &Sections<'_>, groups: usize) {
        let grove = Grove::of(forest);
        let mut has_keys = false;
        for (at, (&root, tree)) in forest.roots.iter().zip(forest.trees).enumerate() {
            if grove.levels == 0 && is_leaf(root) {
                let value = grove.leaf_value(root);
                let sums = &mut self.sums[tree.target as usize * groups..][..groups];
                sums.iter_mut().flat_map(|sums| &mut sums.0).for_each(|sum| *sum += value);
                continue;
            }
            let is_whole = self.set_crown(unit, grove, forest, at);
            if is_whole {
                unit.spread(&mut self.crown.leaves);
            } else if !has_keys {
                self.fill_keys(grove);
                has_keys = true;
            }
            self.go_down(unit, grove, forest, at, is_whole);
        }
    }

    /// Makes tree `at` ready; whether all of it is.
    #[inline(always)]
    fn set_crown<U: Unit>(&mut self, unit: U, grove: Grove<'_>, forest: &Sections<'_>, at: usize) -> bool {
        let root = forest.roots[at];
        let own = blocks_of(forest, at);
        let is_shallow = matches!(grove.levels, 1 | 2);
        if (is_shallow || U::IS_WIDE) && self.crown.set(unit, grove, own, root) {
            return true;
        }
        self.crown.set_top(unit, grove, grove.block(root));
        is_shallow
    }

    #[inline(always)]
    fn go_down<U: Unit>(&mut self, unit: U, grove: Grove<'_>, forest: &Sections<'_>, at: usize, is_whole: bool) {
        let columns = forest.columns.len();
        let groups = self.bytes.len() / columns;
        let first_sum = forest.trees[at].target as usize * groups;
        let next = blocks_of_next(forest, at);
        for block in next {
            grove.ask_for(block);
        }
        let mut group = 0;
        while group < groups {
            if U::IS_WIDE && groups - group >= ABREAST && grove.levels > 0 {
                let ranks = std::array::from_fn(|at| grove.ranks(&self.bytes[(group + at) * columns..], ROWS));
                let exits = unit.numbers(&self.crown, &ranks, &mut self.slots.many);
                self.add_reached(unit, grove, first_sum, group, &exits, is_whole);
                group += ABREAST;
            } else {
                let ranks = [grove.ranks(&self.bytes[group * columns..], self.rows - group * ROWS)];
                let exits = unit.numbers(&self.crown, &ranks, &mut self.slots.one);
                self.add_reached(unit, grove, first_sum, group, &exits, is_whole);
                group += 1;
            }
        }
    }

    /// Adds what the groups from `group` on reach which leave the crown by `exits`.
    #[inline(always)]
    fn add_reached(
        &mut self,
        unit: impl Unit,
        grove: Grove<'_>,
        first_sum: usize,
        group: usize,
        exits: &[Exits],
        is_whole: bool,
    ) {
        let sums = &mut self.sums[first_sum + group..];
        if is_whole {
            for (exits, sums) in exits.iter().zip(sums) {
                unit.add_leaves(&self.crown.leaves, exits, &mut sums.0);
            }
            return;
        }
        let rows = if self.rows - group * ROWS > HALF { ROWS } else { HALF };
        let tops = self.crown.leaves.bits.first_chunk().expect("there are more");
        let keys = grove.columns() * (ROWS / WALKS);
        for ((exits, sums), keys) in exits.iter().zip(sums).zip(self.keys[keys * group..].chunks_exact(keys)) {
            unit.walk_on(grove, tops, &exits.0[..rows], &keys[..keys.len() * rows / ROWS], &mut sums.0[..rows]);
        }
    }

    /// Fills in the keys.
    #[inline(always)]
    fn fill_keys(&mut self, grove: Grove<'_>) {
        let columns = grove.columns();
        self.keys.resize(self.bytes.len() * (ROWS / WALKS), [0; WALKS]);
        for (bytes, keys) in self.bytes.chunks_exact(columns).zip(self.keys.chunks_exact_mut(columns * (ROWS / WALKS)))
        {
            for (at, bytes) in bytes.iter().enumerate() {
                for (eight, bytes) in bytes.0.as_chunks::<WALKS>().0.iter().enumerate() {
                    keys[eight * columns + at] = bytes.map(|byte| key(rank(byte)));
                }
            }
        }
    }
}

/// The blocks of tree `at`, which does not begin with a leaf: those of a tree lie together. At least its root.
#[inline(always)]
pub(super) fn blocks_of<'a>(forest: &Sections<'a>, at: usize) -> &'a [Block] {
    let root = forest.roots[at] as usize;
    let is_alone = forest.forest.block_levels == 1;
    let next = forest.roots[at + 1..].iter().find(|root| !is_leaf(**root));
    let end = next.map_or(forest.blocks.len(), |next| *next as usize);
    let end = if is_alone { root + 1 } else { end };
    forest.blocks.get(root..end).filter(|blocks| !blocks.is_empty()).unwrap_or(&forest.blocks[root..=root])
}

/// Blocks of the tree behind tree `at`, as many as memory brings while a batch goes down one tree: those of a tree lie together.
#[inline(always)]
fn blocks_of_next(forest: &Sections<'_>, at: usize) -> Range<u32> {
    let root = |at| forest.roots.get(at).copied().filter(|root| !is_leaf(*root));
    let first = root(at + 1).unwrap_or(0);
    first..root(at + 2).unwrap_or(first).clamp(first, first + NEXT_BLOCKS_MAX)
}
