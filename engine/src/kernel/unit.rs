//! What batches ask of a processor beyond plain loops, and the plain answers.

use super::{
    crown::Crown,
    lanes::{Exits, Leaves, Numbers, Splits},
    walk::{Grove, Lanes, Ranks},
};
use crate::pack::format::Block;

/// Rows whose keys lie together, and that walk side by side below the lanes.
pub(super) const WALKS: usize = 8;

/// A kind of vector unit.
pub(super) trait Unit: Copy {
    /// Whether a vector has a whole group, so that all of a tree is done faster in lanes than the bottom of it by walking, and
    /// several groups faster side by side. Only then numbers of exits follow each other otherwise than from a multiple of
    /// eight on.
    const IS_WIDE: bool;

    /// How many of sixteen ascending marks are not above `value`.
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize;

    /// The splits of a block, made ready.
    #[inline(always)]
    fn splits(self, block: &Block) -> Splits {
        Splits::of(block)
    }

    /// How many levels of a block are asked: those that have splits, and at least one, where that is worth the question.
    #[inline(always)]
    fn levels(self, _: &Block) -> usize {
        Block::DEPTH
    }

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
        below: [&[Exits; GROUPS]; Block::EXITS],
    ) -> [Exits; GROUPS];

    /// As [`Crown::numbers`]. A function of its own has enough registers.
    fn numbers<const GROUPS: usize>(
        self,
        crown: &Crown,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]],
    ) -> [Exits; GROUPS];

    /// Makes the planes of `leaves` ready, as many as the unit looks into.
    fn spread(self, leaves: &mut Leaves);

    /// Adds to each row's sum the leaf that its exit leads to.
    fn add_leaves(self, leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>);

    /// Adds to `sums` the leaves that rows reach which leave the top of a tree by these exits, which lead to `tops`; as many as
    /// there are exits, a multiple of [`ROWS`]. `keys` has those of each [`WALKS`] rows column by column.
    #[inline(always)]
    fn walk_on(self, grove: Grove<'_>, tops: &[u32; 64], exits: &[u8], keys: &[[u32; WALKS]], sums: &mut [f32]) {
        walk_on(grove, tops, exits, keys, sums);
    }
}

/// What every processor has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

impl Unit for Portable {
    const IS_WIDE: bool = false;

    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        let mut count = 0;
        for mark in marks {
            count += i32::from(*mark <= value);
        }
        count.cast_unsigned() as usize
    }

    #[inline(always)]
    fn exits<const LEVELS: usize, const GROUPS: usize>(
        self,
        splits: &Splits,
        numbers: &Numbers,
        ranks: &[Ranks<'_>; GROUPS],
    ) -> [Exits; GROUPS] {
        ranks.map(|ranks| splits.exits(numbers, ranks))
    }

    #[inline(always)]
    fn join<const GROUPS: usize>(
        self,
        splits: &Splits,
        ranks: &[Ranks<'_>; GROUPS],
        below: [&[Exits; GROUPS]; Block::EXITS],
    ) -> [Exits; GROUPS] {
        std::array::from_fn(|group| splits.join(ranks[group], below.map(|exits| &exits[group].0)))
    }

    #[inline(never)]
    fn numbers<const GROUPS: usize>(
        self,
        crown: &Crown,
        ranks: &[Ranks<'_>; GROUPS],
        slots: &mut [[Exits; GROUPS]],
    ) -> [Exits; GROUPS] {
        crown.numbers(self, ranks, slots)
    }

    #[inline(always)]
    fn spread(self, _: &mut Leaves) {}

    #[inline(always)]
    fn add_leaves(self, leaves: &Leaves, exits: &Exits, sums: &mut Lanes<f32>) {
        leaves.add(exits, sums);
    }
}

/// As [`Unit::walk_on`]. A function of its own has enough registers.
#[inline(never)]
pub(super) fn walk_on(grove: Grove<'_>, tops: &[u32; 64], exits: &[u8], keys: &[[u32; WALKS]], sums: &mut [f32]) {
    let keys = keys.chunks_exact(keys.len() / (exits.len() / WALKS));
    for ((keys, exits), sums) in keys.zip(exits.as_chunks::<WALKS>().0).zip(sums.as_chunks_mut::<WALKS>().0) {
        let keys = grove.keys::<WALKS>(keys.as_flattened());
        let at = exits.map(|exit| tops[usize::from(exit & 63)]);
        let rows = std::array::from_fn(|row| row);
        let values = match grove.levels {
            0 => grove.down::<0, _, _>(at, keys, rows),
            _ => grove.down::<1, _, _>(at, keys, rows),
        };
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
}
