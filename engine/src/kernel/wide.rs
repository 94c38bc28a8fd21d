//! How whole groups of rows go down a tree: all of it in lanes if it has not too many leaves, several groups side by side if its
//! ways are of one length.

use super::{
    avx2::Avx2,
    crown::{BLOCKS_MAX, Crown, Numbers},
    lanes::Splits,
    leaves::Leaves,
    steps::{self, Exits, PAIR, Steps},
    unit::{self, Rows, Tree},
    walk::{Aligned, Lanes, ROWS, Ranks},
};
use crate::pack::format::Block;

/// The most groups that go down a tree side by side whose ways are of one length.
pub(super) const ABREAST_MAX: usize = 4;

/// One that does whole groups at once.
pub(super) trait Long: Copy {
    /// Groups that go down a tree side by side whose ways are of one length, where there are as many: one, two or
    /// [`ABREAST_MAX`].
    const ABREAST: usize;

    /// What it has of AVX2, which makes splits ready.
    fn avx2(self) -> Avx2;

    /// The numbers of the exits that rows leave a block through which has so many levels of splits, in as many groups as there
    /// are ranks of. What it has no splits for is left through the first of its exits.
    fn exits<const LEVELS: usize, const GROUPS: usize>(
        self,
        splits: &Splits,
        numbers: &Numbers,
        ranks: &[Ranks<'_>; GROUPS],
    ) -> [Exits; GROUPS];

    /// Of what each row has below the exits of a block, what it has below the one that it leaves through.
    fn join<const GROUPS: usize>(
        self,
        splits: &Splits,
        ranks: &[Ranks<'_>; GROUPS],
        below: [&[Exits; GROUPS]; Block::SLOTS],
    ) -> [Exits; GROUPS];

    /// As [`Crown::numbers`].
    fn numbers<const GROUPS: usize>(
        self,
        crown: &Crown,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]; BLOCKS_MAX],
    ) -> [Exits; GROUPS];

    /// Makes the planes of `leaves` ready, if it looks into these.
    fn spread(self, leaves: &mut Leaves);

    /// Adds to each row's sum the leaf that has its number.
    fn add_leaves(self, leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>);

    /// Takes the steps of a tree, for a group or a pair of them.
    fn take<const GROUPS: usize>(self, splits: &steps::Splits, ranks: &[Ranks<'_>; GROUPS], slots: &mut steps::Slots);
}

/// A tree made ready, and room for what is found out on the way.
#[derive(Debug)]
pub(super) struct Wide {
    pub(super) crown: Crown,
    pub(super) slots: Slots,
    pub(super) steps: Steps,
    pub(super) is_whole: bool,
}

/// What is found out below blocks, for as many groups as go down a tree side by side.
#[derive(Debug)]
pub(super) struct Slots(Box<[Exits; ABREAST_MAX * BLOCKS_MAX]>);

impl Slots {
    /// Those for so many groups, at most [`ABREAST_MAX`].
    #[inline(always)]
    pub(super) fn of<const GROUPS: usize>(&mut self) -> &mut [[Exits; GROUPS]; BLOCKS_MAX] {
        self.0.as_chunks_mut().0.first_chunk_mut().expect("there are as many")
    }
}

impl Default for Wide {
    fn default() -> Self {
        let slots = vec![Aligned([0; ROWS]); ABREAST_MAX * BLOCKS_MAX].try_into().expect("there are as many");
        Self { crown: Crown::default(), slots: Slots(slots), steps: Steps::default(), is_whole: false }
    }
}

impl Wide {
    /// What it takes apart from itself.
    pub(super) const BYTES: usize = Crown::BYTES + Steps::BYTES + ABREAST_MAX * BLOCKS_MAX * size_of::<Exits>();

    /// As [`Unit::set`](super::unit::Unit::set).
    #[inline(always)]
    pub(super) fn set(&mut self, unit: impl Long, tree: Tree<'_>) {
        if tree.grove.levels > 0 {
            self.is_whole = self.crown.set(unit.avx2(), tree.grove.levels, tree.blocks(), tree.root());
        } else {
            let leaves = &mut self.crown.leaves;
            let count = self.steps.set(unit.avx2(), tree.blocks(), tree.root(), &mut leaves.bits);
            (self.is_whole, leaves.count) = (count.is_some(), count.unwrap_or(0));
        }
        if self.is_whole {
            unit.spread(&mut self.crown.leaves);
        } else if tree.grove.levels > 0 {
            self.crown.set_top(unit.avx2(), tree.grove, tree.grove.block(tree.root()));
        }
    }

    /// As [`Unit::go_down`](super::unit::Unit::go_down).
    #[inline(always)]
    pub(super) fn go_down<U: Long>(&mut self, unit: U, tree: Tree<'_>, mut rows: Rows<'_>) {
        tree.next().for_each(|block| tree.grove.ask_for(block));
        if tree.grove.levels == 0 {
            return self.go_down_uneven(unit, tree, rows);
        }
        let (mut group, groups) = (0, rows.sums.len());
        while group < groups {
            group += match groups - group {
                4.. if U::ABREAST >= 4 => self.go_down_abreast::<4>(unit, tree, &mut rows, group),
                2.. if U::ABREAST >= 2 => self.go_down_abreast::<2>(unit, tree, &mut rows, group),
                _ => self.go_down_abreast::<1>(unit, tree, &mut rows, group),
            };
        }
    }

    /// Takes the groups from `group` on down a tree whose ways are of one length: how many these are.
    #[inline(always)]
    fn go_down_abreast<const GROUPS: usize>(
        &mut self,
        unit: impl Long,
        tree: Tree<'_>,
        rows: &mut Rows<'_>,
        group: usize,
    ) -> usize {
        let ranks = std::array::from_fn(|at| tree.grove.ranks(&rows.bytes[(group + at) * tree.grove.columns()..]));
        let exits = unit.numbers::<GROUPS>(&self.crown, &ranks, self.slots.of());
        self.add_reached(unit, tree, rows, group, &exits);
        GROUPS
    }

    #[inline(always)]
    fn go_down_uneven(&mut self, unit: impl Long, tree: Tree<'_>, rows: Rows<'_>) {
        if !self.is_whole {
            return unit::walk(tree, rows);
        }
        let (grove, columns) = (tree.grove, tree.grove.columns());
        for (pair, sums) in rows.sums.chunks_mut(PAIR).enumerate() {
            let ranks = |group: usize| grove.ranks(&rows.bytes[(pair * PAIR + group) * columns..]);
            let (steps, slots) = self.steps.parts();
            if sums.len() == PAIR {
                unit.take(steps, &[ranks(0), ranks(1)], slots);
            } else {
                unit.take(steps, &[ranks(0)], slots);
            }
            for (sums, numbers) in sums.iter_mut().zip(self.steps.numbers()) {
                unit.add_leaves(&self.crown.leaves, numbers, &mut sums.0);
            }
        }
    }

    /// Adds what the groups from `group` on reach which leave the crown by `exits`.
    #[inline(always)]
    fn add_reached(&self, unit: impl Long, tree: Tree<'_>, rows: &mut Rows<'_>, group: usize, exits: &[Exits]) {
        let (grove, leaves) = (tree.grove, &self.crown.leaves);
        for ((exits, sums), group) in exits.iter().zip(&mut rows.sums[group..]).zip(group..) {
            if self.is_whole {
                unit.add_leaves(leaves, exits, &mut sums.0);
                continue;
            }
            let tops = leaves.bits.first_chunk().expect("there are more");
            let ranks = grove.ranks(&rows.bytes[group * grove.columns()..]);
            let count = (rows.count - group * ROWS).min(ROWS);
            unit::walk_on(grove, tops, &exits.0[..count], ranks, &mut sums.0[..count]);
        }
    }
}
