//! What batches ask of a processor beyond plain loops, and the plain answers.

use std::ops::Range;

use super::{
    lanes::Splits,
    top::Top,
    walk::{Aligned, Grove, Half, HalfRanks, KEYED, Lanes, is_leaf},
};
use crate::pack::{Sections, format::Block};

/// The most blocks of the next tree that memory is asked for beforehand.
const NEXT_BLOCKS_MAX: u32 = 128;

/// Tree `at` of `forest`, which does not begin with a leaf.
#[derive(Clone, Copy)]
pub(super) struct Tree<'a> {
    pub(super) forest: &'a Sections<'a>,
    pub(super) grove: Grove<'a>,
    pub(super) at: usize,
}

impl<'a> Tree<'a> {
    #[inline(always)]
    pub(super) fn root(self) -> u32 {
        self.forest.roots[self.at]
    }

    /// Its blocks, which lie together. At least its root.
    #[inline(always)]
    pub(super) fn blocks(self) -> &'a [Block] {
        let (blocks, root) = (self.forest.blocks, self.root() as usize);
        let next = self.forest.roots[self.at + 1..].iter().find(|root| !is_leaf(**root));
        let end = next.map_or(blocks.len(), |next| *next as usize);
        let end = if self.grove.levels == 1 { root + 1 } else { end };
        blocks.get(root..end).filter(|blocks| !blocks.is_empty()).unwrap_or(&blocks[root..=root])
    }

    /// Blocks of the next tree, as many as memory brings while a batch goes down this one.
    #[inline(always)]
    pub(super) fn next(self) -> Range<u32> {
        let root = |at| self.forest.roots.get(at).copied().filter(|root| !is_leaf(*root));
        let first = root(self.at + 1).unwrap_or(0);
        first..root(self.at + 2).unwrap_or(first).clamp(first, first + NEXT_BLOCKS_MAX)
    }
}

/// What there is of a batch's rows, group by group.
pub(super) struct Rows<'a> {
    /// How many rows there are.
    pub(super) count: usize,
    /// The bytes of their ranks, of each group column by column.
    pub(super) bytes: &'a [Aligned<Lanes<i8>>],
    /// Keys, of each [`KEYED`] rows column by column, where there is something to walk.
    pub(super) keys: &'a [[u32; KEYED]],
    /// What the tree's leaves are added to.
    pub(super) sums: &'a mut [Aligned<Lanes<f32>>],
}

/// A kind of vector unit.
pub(super) trait Unit: Copy {
    /// What is made ready of a tree.
    type Ready;

    /// How many of sixteen ascending marks are not above `value`.
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize;

    /// Makes `tree` ready; whether all of it, so that nothing is left to walk.
    fn set(self, ready: &mut Self::Ready, tree: Tree<'_>) -> bool;

    /// Adds the leaves that `rows` reach in `tree`, which is the one that was made ready.
    fn go_down(self, ready: &mut Self::Ready, tree: Tree<'_>, rows: Rows<'_>);
}

/// One whose vectors have half a group at the most.
pub(super) trait Narrow: Copy {
    /// Which of a block's eight exits each row leaves it through.
    fn exits(self, splits: &Splits, ranks: HalfRanks<'_>) -> Half<u8>;

    /// Which of its exits each row leaves the top of a tree through.
    fn top_exits(self, top: &Top, ranks: HalfRanks<'_>) -> Half<u8>;

    /// Makes the planes of `top` ready, if it looks into these.
    fn spread(self, top: &mut Top);

    /// Adds to each row's sum the leaf that its exit of `top` leads to.
    fn add_leaves(self, top: &Top, exits: &Half<u8>, sums: &mut Half<f32>);
}

/// What every processor has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

impl Unit for Portable {
    type Ready = Top;

    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        let mut count = 0;
        for mark in marks {
            count += i32::from(*mark <= value);
        }
        count.cast_unsigned() as usize
    }

    #[inline(always)]
    fn set(self, top: &mut Top, tree: Tree<'_>) -> bool {
        top.set(self, tree)
    }

    #[inline(always)]
    fn go_down(self, top: &mut Top, tree: Tree<'_>, rows: Rows<'_>) {
        top.go_down(self, tree, rows);
    }
}

impl Narrow for Portable {
    #[inline(always)]
    fn exits(self, splits: &Splits, ranks: HalfRanks<'_>) -> Half<u8> {
        splits.exits(ranks)
    }

    #[inline(always)]
    fn top_exits(self, top: &Top, ranks: HalfRanks<'_>) -> Half<u8> {
        top.exits(ranks)
    }

    #[inline(always)]
    fn spread(self, _: &mut Top) {}

    #[inline(always)]
    fn add_leaves(self, top: &Top, exits: &Half<u8>, sums: &mut Half<f32>) {
        for (sum, exit) in sums.iter_mut().zip(exits) {
            *sum += f32::from_bits(top.exits[usize::from(exit & 63)]);
        }
    }
}

/// Adds to `sums` the leaves that rows reach which leave the top of a tree by these exits, which lead to `tops`; as many as
/// there are exits, a multiple of [`KEYED`]. `keys` has those of each [`KEYED`] rows column by column. A function of its own has
/// enough registers.
#[inline(never)]
pub(super) fn walk_on(grove: Grove<'_>, tops: &[u32; 64], exits: &[u8], keys: &[[u32; KEYED]], sums: &mut [f32]) {
    let keys = keys.chunks_exact(keys.len() / (exits.len() / KEYED));
    for ((keys, exits), sums) in keys.zip(exits.as_chunks::<KEYED>().0).zip(sums.as_chunks_mut::<KEYED>().0) {
        let keys = grove.keys::<KEYED>(keys.as_flattened());
        let at = exits.map(|exit| tops[usize::from(exit & 63)]);
        let rows = std::array::from_fn(|row| row);
        let values = match grove.levels {
            0 => grove.down::<0, _, _>(at, keys, rows),
            _ => grove.down::<1, _, _>(at, keys, rows),
        };
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
}
