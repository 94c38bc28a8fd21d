//! How groups of rows go down a tree where a vector has a whole group: all of the tree in lanes if it has not too many leaves,
//! several groups side by side.

use super::{
    avx512::Avx512,
    crown::{BLOCKS_MAX, Crown, EVEN_SLOTS, SLOTS},
    leaves::Exits,
    unit::{Rows, Tree},
    walk::{Aligned, Grove, KEYED, ROWS},
};

/// Groups that go down a tree side by side, where there are as many and the tree's ways are of one length.
pub(super) const ABREAST: usize = 4;

/// Rows that walk side by side.
const ABREAST_BELOW: usize = 16;

/// A tree made ready, and room for what is found out on the way.
#[derive(Debug, Default)]
pub(super) struct Wide {
    pub(super) crown: Crown,
    pub(super) slots: Slots,
    is_whole: bool,
}

/// What is found out below blocks, for one group and for many side by side.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) one: Vec<[Exits; 1]>,
    pub(super) many: Vec<[Exits; ABREAST]>,
}

impl Default for Slots {
    fn default() -> Self {
        let (mut one, none) = (Vec::with_capacity(SLOTS), Aligned([0; ROWS]));
        one.resize(BLOCKS_MAX, [none]);
        one.extend((0..=u8::MAX).map(|number| [Aligned([number; ROWS])]));
        one.resize(SLOTS, [none]);
        Self { one, many: vec![[none; ABREAST]; EVEN_SLOTS] }
    }
}

impl Slots {
    /// What they take.
    pub(super) const BYTES: usize = (SLOTS + ABREAST * EVEN_SLOTS) * size_of::<Exits>();
}

impl Wide {
    /// What it takes apart from itself.
    pub(super) const BYTES: usize = Crown::BYTES + Slots::BYTES;

    /// As [`Unit::set`](super::unit::Unit::set).
    #[inline(always)]
    pub(super) fn set(&mut self, unit: Avx512, tree: Tree<'_>) -> bool {
        self.is_whole = self.crown.set(unit, tree.grove, tree.blocks(), tree.root());
        if self.is_whole {
            unit.spread(&mut self.crown.leaves);
        } else {
            self.crown.set_top(unit, tree.grove, tree.grove.block(tree.root()));
        }
        self.is_whole
    }

    /// As [`Unit::go_down`](super::unit::Unit::go_down).
    #[inline(always)]
    pub(super) fn go_down(&mut self, unit: Avx512, tree: Tree<'_>, mut rows: Rows<'_>) {
        let (grove, columns) = (tree.grove, tree.grove.columns());
        tree.next().for_each(|block| grove.ask_for(block));
        let mut group = 0;
        while group < rows.sums.len() {
            let ranks = |at: usize| grove.ranks(&rows.bytes[(group + at) * columns..]);
            if rows.sums.len() - group >= ABREAST && grove.levels > 0 {
                let exits = unit.numbers(&self.crown, &std::array::from_fn(ranks), &mut self.slots.many);
                self.add_reached(unit, grove, &mut rows, group, &exits);
                group += ABREAST;
            } else {
                let exits = unit.numbers(&self.crown, &[ranks(0)], &mut self.slots.one);
                self.add_reached(unit, grove, &mut rows, group, &exits);
                group += 1;
            }
        }
    }

    /// Adds what the groups from `group` on reach which leave the crown by `exits`.
    #[inline(always)]
    fn add_reached(&self, unit: Avx512, grove: Grove<'_>, rows: &mut Rows<'_>, group: usize, exits: &[Exits]) {
        let leaves = &self.crown.leaves;
        for ((exits, sums), group) in exits.iter().zip(&mut rows.sums[group..]).zip(group..) {
            if self.is_whole {
                unit.add_leaves(leaves, exits, &mut sums.0);
                continue;
            }
            let tops = leaves.bits.first_chunk().expect("there are more");
            let count = (rows.count - group * ROWS).min(ROWS).next_multiple_of(ABREAST_BELOW);
            let keys = &rows.keys[group * (ROWS / KEYED) * grove.columns()..][..count / KEYED * grove.columns()];
            unit.walk_on(grove, tops, &exits.0[..count], keys, &mut sums.0[..count]);
        }
    }
}
