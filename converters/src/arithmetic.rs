//! A booster's own arithmetic, plainly right and slow: what every faster way is held against.
//!
//! Sums are taken in `f32` in the order of the version of XGBoost that wrote the file, so that margins equal XGBoost's
//! to the last bit. A row may be shorter than the booster's features: what it lacks is missing, as NaN is.

mod contributions;

use crate::booster::{Booster, Linear, Model};
use crate::rules::SumOrder;
use crate::tree::{CATEGORIES_MAX, Tree};

pub use contributions::contributions;

/// Appends the margins of one row to `out`: one for each target.
pub fn margins(booster: &Booster, row: &[f32], out: &mut Vec<f32>) {
    match &booster.model {
        Model::Linear(linear) => {
            out.extend((0..booster.targets).map(|target| linear_margin(booster, linear, row, target)));
        }
        Model::Trees(trees) => tree_margins(booster, trees, row, out),
    }
}

/// Appends the values of one row to `out`: as many as [`Booster::columns`].
pub fn values(booster: &Booster, row: &[f32], out: &mut Vec<f32>) {
    let mut row_margins = Vec::with_capacity(booster.targets);
    margins(booster, row, &mut row_margins);
    booster.link().apply(&row_margins, out);
}

/// Appends the leaf that the row reaches in each tree to `out`, as the number of its node in the file.
pub fn leaves(booster: &Booster, row: &[f32], out: &mut Vec<u32>) {
    out.extend(booster.trees().iter().map(|tree| leaf(tree, row)));
}

fn linear_margin(booster: &Booster, linear: &Linear, row: &[f32], target: usize) -> f32 {
    let targets = booster.targets;
    let bias = linear.weights[booster.features * targets + target];
    let products = row.iter().take(booster.features).enumerate().filter(|(_, value)| !value.is_nan());
    products.fold(bias + booster.base_margins[target], |sum, (feature, value)| {
        sum + value * linear.weights[feature * targets + target]
    })
}

fn tree_margins(booster: &Booster, trees: &[Tree], row: &[f32], out: &mut Vec<f32>) {
    let start = out.len();
    match booster.sum_order {
        SumOrder::BaseThenLeaves => out.extend_from_slice(&booster.base_margins),
        SumOrder::LeavesThenBase => out.resize(start + booster.targets, 0.0),
    }
    let sums = &mut out[start..];
    for tree in trees {
        add_leaf(tree, row, &mut sums[tree.target as usize..]);
    }
    if booster.sum_order == SumOrder::LeavesThenBase {
        for (sum, base) in sums.iter_mut().zip(&booster.base_margins) {
            *sum += base;
        }
    }
}

fn add_leaf(tree: &Tree, row: &[f32], sums: &mut [f32]) {
    for (sum, value) in sums.iter_mut().zip(tree.leaf_values(leaf(tree, row) as usize)) {
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
