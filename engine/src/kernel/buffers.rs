//! What a batch has of its rows: their values are turned into columns of ranks, leaves are added to their sums.

use ndarray::ArrayView2;

use super::{
    keys::{self, local},
    lanes::byte,
    unit::{Rows, Tree, Unit},
    walk::{Aligned, Grove, HALF, Lanes, ROWS},
};
use crate::pack::{Sections, format::Block};

/// Buffers for rows, which lie in groups of [`ROWS`].
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// Ranks as bytes, of each group column by column.
    bytes: Vec<Aligned<Lanes<i8>>>,
    /// Margins, target by target, in each group by group.
    sums: Vec<Aligned<Lanes<f32>>>,
    /// How many rows there are.
    count: usize,
}

impl Buffers {
    /// What they take.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Lanes<i8>>() * self.bytes.capacity() + size_of::<Lanes<f32>>() * self.sums.capacity()
    }

    /// How many groups the rows lie in.
    fn groups(&self) -> usize {
        self.count.div_ceil(ROWS)
    }

    /// Makes room for so many rows of `forest`, whose sums begin with `firsts`, target by target.
    pub(super) fn begin(&mut self, forest: &Sections<'_>, count: usize, firsts: impl Iterator<Item = f32>) {
        self.count = count;
        self.bytes.resize(forest.columns.len() * self.groups(), Aligned([0; ROWS]));
        self.sums.resize(forest.base.len() * self.groups(), Aligned([0.0; ROWS]));
        let groups = self.groups();
        for (sums, first) in self.sums.chunks_exact_mut(groups).zip(firsts) {
            sums.fill(Aligned([first; ROWS]));
        }
    }

    /// The sums of a row, target by target.
    pub(super) fn sums(&self, row: usize) -> impl Iterator<Item = f32> {
        self.sums[row / ROWS..].iter().step_by(self.groups()).map(move |sums| sums.0[row % ROWS])
    }

    /// Adds the leaf that each row reaches in each tree, in the order of the trees.
    #[inline(always)]
    pub(super) fn run<U: Unit>(
        &mut self,
        unit: U,
        ready: &mut U::Ready,
        forest: &Sections<'_>,
        rows: ArrayView2<'_, f32>,
    ) {
        for (group, rows) in rows.axis_chunks_iter(ndarray::Axis(0), ROWS).enumerate() {
            if rows.nrows() > HALF {
                self.measure::<ROWS>(unit, forest, group, rows);
            } else {
                self.measure::<HALF>(unit, forest, group, rows);
            }
        }
        let (grove, groups) = (Grove::of(forest), self.groups());
        for (at, tree) in forest.trees.iter().enumerate() {
            let sums = &mut self.sums[tree.target as usize * groups..(tree.target as usize + 1) * groups];
            let tree = Tree { forest, grove, at };
            unit.set(ready, tree);
            unit.go_down(ready, tree, Rows { count: self.count, bytes: &self.bytes, sums });
        }
    }

    /// Fills in the ranks of a group's `rows`, of which there are up to `LANES`; rows that are not there keep some of former ones.
    #[inline(always)]
    fn measure<const LANES: usize>(
        &mut self,
        unit: impl Unit,
        forest: &Sections<'_>,
        group: usize,
        rows: ArrayView2<'_, f32>,
    ) {
        let mut values = [0.0; LANES];
        let group = &mut self.bytes[group * forest.columns.len()..][..forest.columns.len()];
        let mut columns = forest.columns.iter().zip(group.iter_mut().map(|bytes| &mut bytes.0));
        for ruler in forest.rulers {
            values.iter_mut().zip(rows.column(ruler.feature as usize)).for_each(|(to, from)| *to = *from);
            let (left, right) = keys::ranks_of_rows(unit, forest, *ruler, &values, rows.nrows());
            for (column, bytes) in columns.by_ref().take(ruler.columns as usize) {
                let ranks = if column.missing_goes_left() { &left } else { &right };
                let ranks = ranks.map(|rank| byte(local(rank, column.from, Block::RANK_MAX)));
                bytes[..LANES].copy_from_slice(&ranks);
            }
        }
        for (column, bytes) in columns {
            for (value, to) in rows.column(column.feature as usize).iter().zip(bytes) {
                *to = byte(keys::category_rank(forest, *column, *value));
            }
        }
    }
}
