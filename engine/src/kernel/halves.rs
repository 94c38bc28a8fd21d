//! How half groups of rows go down a tree: what is done where a vector has no more.

use super::{
    steps::{LEAVES_MAX, Steps},
    top::Top,
    unit::{self, Narrow, Rows, Tree},
    walk::{Aligned, HALF, ROWS},
};
use crate::pack::format::Block;

/// A tree made ready.
#[derive(Debug)]
pub(super) struct Halves {
    pub(super) top: Top,
    pub(super) steps: Steps,
    /// The bits of leaves that have numbers, and how many these are; none, if the tree is walked.
    leaves: [u32; LEAVES_MAX],
    count: Option<usize>,
}

impl Default for Halves {
    fn default() -> Self {
        Self { top: Top::default(), steps: Steps::default(), leaves: [0; LEAVES_MAX], count: None }
    }
}

impl Halves {
    /// What it takes apart from itself.
    pub(super) const BYTES: usize = Steps::BYTES;

    /// As [`Unit::set`](super::unit::Unit::set).
    #[inline(always)]
    pub(super) fn set(&mut self, unit: impl Narrow, tree: Tree<'_>) {
        if tree.grove.levels > 0 {
            return self.top.set(unit, tree);
        }
        let splits = |block: &Block| unit.splits(block);
        self.count = self.steps.set(tree.blocks(), tree.root(), &mut self.leaves, splits);
        if self.count.is_some_and(|count| count <= self.top.exits.len()) {
            self.top.exits = *self.leaves.first_chunk().expect("there are more");
            unit.spread(&mut self.top);
        }
    }

    /// As [`Unit::go_down`](super::unit::Unit::go_down).
    #[inline(always)]
    pub(super) fn go_down(&mut self, unit: impl Narrow, tree: Tree<'_>, rows: Rows<'_>) {
        if tree.grove.levels > 0 {
            return self.top.go_down(unit, tree, rows);
        }
        let (grove, mut next) = (tree.grove, tree.next());
        let share = next.len().div_ceil(rows.sums.len());
        for (group, sums) in rows.sums.iter_mut().enumerate() {
            let ranks = grove.ranks(&rows.bytes[group * grove.columns()..]);
            next.by_ref().take(share).for_each(|block| grove.ask_for(block));
            let there = (rows.count - group * ROWS).min(ROWS);
            let Some(count) = self.count else {
                unit::walk(grove, tree.root(), ranks, &mut sums.0[..there]);
                continue;
            };
            let (steps, slots) = self.steps.parts();
            unit.take(steps, ranks, slots, there.div_ceil(HALF));
            let [Aligned(numbers), _] = self.steps.numbers();
            if count <= self.top.exits.len() {
                let ([one, other], [sum, further]) = (bytemuck::cast_ref(numbers), bytemuck::cast_mut(&mut sums.0));
                unit.add_leaves(&self.top, one, sum);
                unit.add_leaves(&self.top, other, further);
                continue;
            }
            for (number, sum) in numbers.iter().zip(&mut sums.0) {
                *sum += f32::from_bits(self.leaves[usize::from(*number)]);
            }
        }
    }
}
