//! One row: in [`tables`](super::tables) where these hold its ranks and the processor can look them up, else eight trees in flight,
//! which is as many walks as a processor can overlap.

#[cfg(target_arch = "x86_64")]
use super::tables::Looker;
use super::{
    keys::{self, STRIDE},
    walk::{Grove, Keys},
};
use crate::pack::{Sections, format::Tree};

/// Trees that are walked side by side.
const WALKS: usize = 8;

/// Adds the leaf that `row` reaches in each tree to its target's margin, in the order of the trees. `keys` is room for the
/// row's keys.
pub(super) fn add_leaves(forest: &Sections<'_>, row: &[f32], keys: &mut Vec<u32>, margins: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(looker) = Looker::fit(forest) {
        return looker.add_leaves(forest, row, margins);
    }
    add_portably(forest, row, keys, margins);
}

/// As [`add_leaves`], with what every processor of the kind has.
pub(super) fn add_portably(forest: &Sections<'_>, row: &[f32], keys: &mut Vec<u32>, margins: &mut [f32]) {
    keys::of_row(forest, row, keys);
    let grove = Grove::of(forest);
    let keys = grove.keys::<STRIDE>(keys);
    match grove.levels {
        1 => add::<1>(forest, grove, keys, margins),
        2 => add::<2>(forest, grove, keys, margins),
        3 => add::<3>(forest, grove, keys, margins),
        _ => add::<0>(forest, grove, keys, margins),
    }
}

#[inline(always)]
fn add<const LEVELS: usize>(forest: &Sections<'_>, grove: Grove<'_>, keys: Keys<'_, STRIDE>, margins: &mut [f32]) {
    let (roots, rest) = forest.roots.as_chunks::<WALKS>();
    let (trees, trees_left) = forest.trees.as_chunks::<WALKS>();
    if let [sum] = margins {
        for roots in roots {
            *sum = grove.down::<LEVELS, _, _>(*roots, keys, [0; WALKS]).iter().fold(*sum, |sum, value| sum + value);
        }
    } else {
        for (roots, trees) in roots.iter().zip(trees) {
            add_values(margins, trees, &grove.down::<LEVELS, _, _>(*roots, keys, [0; WALKS]));
        }
    }
    if let Some(&last) = rest.last() {
        // The last trees are filled up with one of them, whose value is not added again.
        let mut roots = [last; WALKS];
        roots[..rest.len()].copy_from_slice(rest);
        add_values(margins, trees_left, &grove.down::<LEVELS, _, _>(roots, keys, [0; WALKS]));
    }
}

#[inline(always)]
fn add_values(margins: &mut [f32], trees: &[Tree], values: &[f32]) {
    for (tree, value) in trees.iter().zip(values) {
        margins[tree.target as usize] += value;
    }
}
