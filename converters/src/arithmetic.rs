//! A booster's own arithmetic, plainly right and slow: what every faster way is held against.
//!
//! Sums are taken in `f32` in the order of the version of XGBoost that wrote the file, so that margins equal XGBoost's
//! to the last bit. A row may be shorter than the booster's features: what it lacks is missing, as NaN is.

mod contributions;

use crate::booster::{Booster, Linear, Model};
use crate::rules::SumOrder;
use crate::tree::{CATEGORIES_MAX, Tree};

pub use contributions::contributions;

/// What a booster makes of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// Row after row, one for each target.
    pub margins: Vec<f32>,
    /// Row after row, the leaf reached in each tree, as the number of its node in the file.
    pub leaves: Vec<u32>,
}

/// The margins and leaves of `rows`, tree after tree: one tree's nodes are near for all of them.
#[must_use]
pub fn answers(booster: &Booster, rows: &[&[f32]]) -> Answers {
    let trees = match &booster.model {
        Model::Linear(linear) => {
            let margins = |row| (0..booster.targets).map(move |target| linear_margin(booster, linear, row, target));
            return Answers { margins: rows.iter().flat_map(|row| margins(row)).collect(), leaves: Vec::new() };
        }
        Model::Trees(trees) => trees,
    };
    let starts = match booster.sum_order {
        SumOrder::BaseThenLeaves => booster.base_margins.clone(),
        SumOrder::LeavesThenBase => vec![0.0; booster.targets],
    };
    let mut margins = starts.repeat(rows.len());
    let mut leaves = vec![0; rows.len() * trees.len()];
    for (at, tree) in trees.iter().enumerate() {
        for (number, row) in rows.iter().enumerate() {
            let leaf = leaf(tree, row);
            leaves[number * trees.len() + at] = leaf;
            add_leaf(tree, leaf, &mut margins[number * booster.targets + tree.target as usize..]);
        }
    }
    if booster.sum_order == SumOrder::LeavesThenBase {
        for (margin, base) in margins.iter_mut().zip(booster.base_margins.iter().cycle()) {
            *margin += base;
        }
    }
    Answers { margins, leaves }
}

/// Appends the margins of one row to `out`: one for each target.
pub fn margins(booster: &Booster, row: &[f32], out: &mut Vec<f32>) {
    out.extend(answers(booster, &[row]).margins);
}

/// Appends the values of one row to `out`: as many as [`Booster::columns`].
pub fn values(booster: &Booster, row: &[f32], out: &mut Vec<f32>) {
    let mut row_margins = Vec::with_capacity(booster.targets);
    margins(booster, row, &mut row_margins);
    booster.link().apply(&row_margins, out);
}

/// Appends the leaf that the row reaches in each tree to `out`, as the number of its node in the file.
pub fn leaves(booster: &Booster, row: &[f32], out: &mut Vec<u32>) {
    out.extend(answers(booster, &[row]).leaves);
}

fn linear_margin(booster: &Booster, linear: &Linear, row: &[f32], target: usize) -> f32 {
    let targets = booster.targets;
    let bias = linear.weights[booster.features * targets + target];
    let products = row.iter().take(booster.features).enumerate().filter(|(_, value)| !value.is_nan());
    products.fold(bias + booster.base_margins[target], |sum, (feature, value)| {
        sum + value * linear.weights[feature * targets + target]
    })
}

fn add_leaf(tree: &Tree, leaf: u32, sums: &mut [f32]) {
    for (sum, value) in sums.iter_mut().zip(tree.leaf_values(leaf as usize)) {
        *sum += value;
    }
}

fn leaf(tree: &Tree, row: &[f32]) -> u32 {
    let mut node = 0;
    while !tree.is_leaf(node as usize) {
        let at = node as usize;
        let value = value_of(row, tree.feature[at] as usize);
        node = if goes_left(tree, node, value) { tree.left[at] } else { tree.right[at] };
    }
    node
}

fn value_of(row: &[f32], column: usize) -> f32 {
    row.get(column).copied().unwrap_or(f32::NAN)
}

fn goes_left(tree: &Tree, node: u32, value: f32) -> bool {
    if value.is_nan() {
        return tree.default_left[node as usize];
    }
    match tree.categories.get(&node) {
        None => value < tree.condition[node as usize],
        Some(right) => category(value).is_none_or(|category| right.binary_search(&category).is_err()),
    }
}

/// The category that XGBoost takes a number for: its whole part, or none where that cannot be one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bounds are checked before the cast")]
#[expect(clippy::cast_precision_loss, reason = "the bound is a power of two")]
fn category(value: f32) -> Option<u32> {
    (0.0..CATEGORIES_MAX as f32).contains(&value).then_some(value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_to_categories() {
        assert_eq!(category(0.0), Some(0));
        assert_eq!(category(-0.0), Some(0));
        assert_eq!(category(2.9), Some(2));
        assert_eq!(category(-0.5), None);
        assert_eq!(category(16_777_216.0), None);
        assert_eq!(category(f32::INFINITY), None);
    }
}
