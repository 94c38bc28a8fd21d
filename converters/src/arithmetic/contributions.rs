//! What each column adds to a margin: Shapley values, as their definition has them.
//!
//! The game is that of Lundberg, Erion and Lee (2018, "Consistent individualized feature attribution for tree
//! ensembles"): a tree asked with only some columns known goes both ways at a split of an unknown one, weighted by how
//! many training rows went there (their covers). XGBoost plays the same.

use super::{goes_left, value_of};
use crate::booster::{Booster, Linear, Model};
use crate::error::{Error, Result};
use crate::tree::Tree;

/// Appends, for each target, what each column of the row contributes to its margin and then the bias: `features + 1`
/// numbers, whose sum is the margin up to rounding. Sums are taken in `f64`.
///
/// The time grows with the cube of a tree's depth.
///
/// # Errors
///
/// Unsupported where a tree does not know the covers of its nodes, or has a split that no training rows reached.
pub fn contributions(booster: &Booster, row: &[f32], out: &mut Vec<f32>) -> Result<()> {
    let width = booster.features + 1;
    let mut sums = vec![0.0; width * booster.targets];
    for (target, base) in sums.chunks_exact_mut(width).zip(&booster.base_margins) {
        target[booster.features] = f64::from(*base);
    }
    match &booster.model {
        Model::Linear(linear) => add_linear(linear, row, width, &mut sums),
        Model::Trees(trees) => add_trees(trees, row, width, &mut sums)?,
    }
    #[expect(clippy::cast_possible_truncation, reason = "the answer has the precision of a margin")]
    out.extend(sums.into_iter().map(|sum| sum as f32));
    Ok(())
}

/// A column contributes its product and the bias itself; what is missing contributes nothing.
fn add_linear(linear: &Linear, row: &[f32], width: usize, sums: &mut [f64]) {
    let targets = sums.len() / width;
    for (at, sum) in sums.iter_mut().enumerate() {
        let (target, column) = (at / width, at % width);
        let value = if column + 1 == width { 1.0 } else { value_of(row, column) };
        if !value.is_nan() {
            *sum += f64::from(value) * f64::from(linear.weights[column * targets + target]);
        }
    }
}

fn add_trees(trees: &[Tree], row: &[f32], width: usize, sums: &mut [f64]) -> Result<()> {
    for (at, tree) in trees.iter().enumerate() {
        if tree.cover.is_empty() {
            let place = format_args!("trees[{at}].sum_hessian").to_string();
            return Err(Error::unsupported(place, "the model does not say how many rows reached each node"));
        }
        if let Some(node) = tree.reachable().iter().find(|&&node| !is_shared(tree, node as usize)) {
            let place = format_args!("trees[{at}].sum_hessian[{node}]").to_string();
            return Err(Error::unsupported(place, "no training rows reached this split"));
        }
        let sums = &mut sums[tree.target as usize * width..];
        for (leaf, path) in paths(tree, row) {
            for (value, sums) in tree.leaf_values(leaf).zip(sums.chunks_exact_mut(width)) {
                add_leaf(f64::from(value), &path, sums);
            }
        }
    }
    Ok(())
}

/// Whether the shares of the training rows that went each way from `node` are numbers; true of a leaf.
fn is_shared(tree: &Tree, node: usize) -> bool {
    let is_number = |child: u32| (tree.cover[child as usize] / tree.cover[node]).is_finite();
    tree.is_leaf(node) || (is_number(tree.left[node]) && is_number(tree.right[node]))
}

/// One column on the way from the root to a leaf.
#[derive(Debug, Clone, Copy)]
struct Step {
    column: usize,
    /// How much of the tree goes this way at the column's splits while the column is unknown.
    unknown: f64,
    /// The same once it is known: all of it, or nothing.
    known: f64,
}

/// Every leaf with the columns that lead to it, each once.
fn paths(tree: &Tree, row: &[f32]) -> Vec<(usize, Vec<Step>)> {
    let mut leaves = Vec::new();
    let mut ahead = vec![(0, Vec::new())];
    while let Some((node, path)) = ahead.pop() {
        let at = node as usize;
        if tree.is_leaf(at) {
            leaves.push((at, path));
            continue;
        }
        let column = tree.feature[at] as usize;
        let is_left = goes_left(tree, node, value_of(row, column));
        for (child, is_taken) in [(tree.left[at], is_left), (tree.right[at], !is_left)] {
            let share = f64::from(tree.cover[child as usize]) / f64::from(tree.cover[at]);
            ahead.push((child, extended(&path, column, share, is_taken)));
        }
    }
    leaves
}

fn extended(path: &[Step], column: usize, share: f64, is_taken: bool) -> Vec<Step> {
    let mut path = path.to_vec();
    let known = f64::from(u8::from(is_taken));
    match path.iter_mut().find(|step| step.column == column) {
        Some(step) => {
            step.unknown *= share;
            step.known *= known;
        }
        None => path.push(Step { column, unknown: share, known }),
    }
    path
}

fn add_leaf(value: f64, path: &[Step], sums: &mut [f64]) {
    let bias = sums.len() - 1;
    sums[bias] += value * path.iter().map(|step| step.unknown).product::<f64>();
    for (at, step) in path.iter().enumerate() {
        let others: Vec<_> = path.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, step)| *step).collect();
        sums[step.column] += value * (step.known - step.unknown) * mean_over_orders(&others);
    }
}

/// How much of the tree reaches the leaf on the mean over all orders in which columns become known, at the moment before
/// one column's turn; `others` are all but that one.
fn mean_over_orders(others: &[Step]) -> f64 {
    // By how many of the others are known: the sum over all sets of so many.
    let mut by_count = vec![1.0];
    for step in others {
        by_count.push(0.0);
        for count in (0..by_count.len()).rev() {
            let with = if count > 0 { by_count[count - 1] * step.known } else { 0.0 };
            by_count[count] = by_count[count] * step.unknown + with;
        }
    }
    // Of `n + 1` columns' orders, the share in which exactly a given set of `count` comes first, then the one column.
    let mut share = 1.0 / to_float(others.len() + 1);
    let mut mean = 0.0;
    for (count, sum) in by_count.iter().enumerate() {
        mean += share * sum;
        share *= to_float(count + 1) / to_float(others.len().saturating_sub(count).max(1));
    }
    mean
}

#[expect(clippy::cast_precision_loss, reason = "paths have far fewer columns than f64 can count")]
fn to_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::margins;
    use crate::artifact::read_booster;

    /// Feature 0 below 1.5 gives 1, else feature 1 below 0 gives 2 or 4; covers 4 = 1 + (1 + 2).
    fn booster(covers: &str) -> Booster {
        let text = format!(
            r#"{{"version":[1,7,6],"learner":{{
            "learner_model_param":{{"base_score":"5E-1","num_class":"0","num_feature":"3","num_target":"1"}},
            "objective":{{"name":"reg:squarederror"}},
            "gradient_booster":{{"name":"gbtree","model":{{"tree_info":[0],"trees":[{{
                "tree_param":{{"size_leaf_vector":"0"}},"left_children":[1,-1,3,-1,-1],
                "right_children":[2,-1,4,-1,-1],"split_indices":[0,0,1,0,0],{covers}
                "split_conditions":[1.5,1,0,2,4],"default_left":[1,0,0,0,0]}}]}}}}}}}}"#
        );
        read_booster(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_mean_over_both_orders_of_two_columns() {
        let booster = booster(r#""sum_hessian":[4,1,3,1,2],"#);
        let mut found = Vec::new();
        contributions(&booster, &[2.0, 1.0, 9.0], &mut found).unwrap();
        // Nothing known: (1 + 2 + 4 + 4) / 4. Column 0 known: (2 + 4 + 4) / 3. Column 1 known: 1 / 4 + 3. Both: 4.
        let (none, first, second, both) = (11.0 / 4.0, 10.0 / 3.0, 13.0 / 4.0, 4.0);
        let of_first = f64::midpoint(first - none, both - second);
        let of_second = f64::midpoint(second - none, both - first);
        for (found, expected) in found.iter().zip([of_first, of_second, 0.0, none + 0.5]) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn what_is_missing_contributes_too_and_the_sum_is_the_margin() {
        let booster = booster(r#""sum_hessian":[4,1,3,1,2],"#);
        for row in [&[][..], &[f32::NAN, -1.0], &[7.0], &[0.0, 1.0, 2.0]] {
            let (mut found, mut margin) = (Vec::new(), Vec::new());
            contributions(&booster, row, &mut found).unwrap();
            margins(&booster, row, &mut margin);
            assert!((found.iter().sum::<f32>() - margin[0]).abs() < 1e-6, "{row:?}: {found:?} {margin:?}");
        }
    }

    #[test]
    fn a_tree_without_covers_has_no_contributions() {
        let error = contributions(&booster(""), &[], &mut Vec::new()).unwrap_err();
        assert!(error.is_unsupported() && error.to_string().contains("trees[0].sum_hessian"), "{error}");
    }
}
