//! The plain kernel: one row and one tree after the other, node for node. It says what the others must answer.

use thicket_converters::SumOrder;

use super::sum_order;
use crate::pack::{Sections, format::Node};

/// Categories are whole numbers below this; XGBoost sends every other value left.
const CATEGORIES_MAX: f32 = 16_777_216.0;

/// Writes the margins of `row` into `margins`, one for each target.
///
/// `row` has at least as many columns as the forest has features and `margins` as many numbers as it has targets.
pub(crate) fn margins(forest: &Sections<'_>, row: &[f32], margins: &mut [f32]) {
    sum(forest, &[row], margins, |_, _, _| ());
}

/// The [`margins`] of `rows` and the [`leaves`] they reach, row after row; no leaves where they have no numbers.
pub(crate) fn answers(forest: &Sections<'_>, rows: &[&[f32]]) -> (Vec<f32>, Vec<f32>) {
    let values_per_leaf = forest.forest.values_per_leaf as usize;
    let trees = forest.trees.len().checked_div(values_per_leaf).unwrap_or(0);
    let (mut margins, mut leaves) = (vec![0.0; rows.len() * forest.base.len()], vec![0.0; rows.len() * trees]);
    sum(forest, rows, &mut margins, |row, tree, leaf| {
        if tree.checked_rem(values_per_leaf) == Some(0) {
            leaves[row * trees + tree / values_per_leaf] = number(leaf);
        }
    });
    (margins, leaves)
}

/// Writes the margins of `rows` into `margins`, tree after tree, and says which leaf a row reached in which tree.
fn sum(forest: &Sections<'_>, rows: &[&[f32]], margins: &mut [f32], mut reached: impl FnMut(usize, usize, Node)) {
    let (targets, order) = (forest.base.len(), sum_order(forest));
    for margins in margins.chunks_exact_mut(targets) {
        match order {
            SumOrder::BaseThenLeaves => margins.copy_from_slice(forest.base),
            SumOrder::LeavesThenBase => margins.fill(0.0),
        }
    }
    for (at, tree) in forest.trees.iter().enumerate() {
        for (number, (row, margins)) in rows.iter().zip(margins.chunks_exact_mut(targets)).enumerate() {
            let leaf = leaf(forest, tree.root, row);
            margins[tree.target as usize] += leaf.value;
            reached(number, at, leaf);
        }
    }
    for (row, margins) in rows.iter().zip(margins.chunks_exact_mut(targets)) {
        match order {
            SumOrder::BaseThenLeaves => add_products(forest, row, margins),
            SumOrder::LeavesThenBase => margins.iter_mut().zip(forest.base).for_each(|(margin, base)| *margin += base),
        }
    }
}

/// Adds each column times its weights, in the order of the columns; a missing value counts nothing.
fn add_products(forest: &Sections<'_>, row: &[f32], margins: &mut [f32]) {
    for (value, weights) in row.iter().zip(forest.weights.chunks_exact(margins.len())) {
        if !value.is_nan() {
            margins.iter_mut().zip(weights).for_each(|(margin, weight)| *margin += value * weight);
        }
    }
}

/// Appends the number of the leaf that `row` reaches in each tree of the trainer's file.
///
/// The leaves have numbers, and `row` is as wide as for [`margins`].
pub(crate) fn leaves(forest: &Sections<'_>, row: &[f32], out: &mut Vec<f32>) {
    let trees = forest.trees.iter().step_by(forest.forest.values_per_leaf as usize);
    out.extend(trees.map(|tree| number(leaf(forest, tree.root, row))));
}

#[expect(clippy::cast_precision_loss, reason = "answers are f32, as XGBoost's are")]
fn number(leaf: Node) -> f32 {
    leaf.next as f32
}

/// The leaf that `row` falls into below `root`. The walk ends, because children lie behind their parents, or where the file
/// was cut short, which reads as zeros.
fn leaf(forest: &Sections<'_>, root: u32, row: &[f32]) -> Node {
    let mut at = root as usize;
    loop {
        let node = forest.nodes[at];
        if node.is_leaf() || (node.next as usize) <= at {
            return node;
        }
        at = node.next as usize + usize::from(!goes_left(forest, node, row[node.feature()]));
    }
}

/// Whether a row with `value` in the column that the split `node` asks goes left there.
#[inline]
pub(crate) fn goes_left(forest: &Sections<'_>, node: Node, value: f32) -> bool {
    if value.is_nan() {
        node.missing_goes_left()
    } else if node.is_category_split() {
        !is_member(forest, node.category_set(), value)
    } else {
        value < node.value
    }
}

/// Whether the category that `value` is truncated to is in that set.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is in 0..2^24")]
pub(super) fn is_member(forest: &Sections<'_>, set: usize, value: f32) -> bool {
    if !(0.0..CATEGORIES_MAX).contains(&value) {
        return false;
    }
    let category = value as u32;
    let set = forest.category_sets[set];
    category / 32 < set.words
        && forest.category_bits[(set.first_word + category / 32) as usize] >> (category % 32) & 1 == 1
}
