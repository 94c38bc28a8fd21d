//! The same for the two older operators, whose nodes are named by their tree and their number in it.

use std::collections::HashMap;

use thicket_converters::onnx::NodeProto;

use super::{Find, Reason, expect_below, expect_length, expect_levels};

/// A node's tree and its number there.
type Name = (i64, i64);

/// Checks a `TreeEnsembleRegressor` or `TreeEnsembleClassifier`.
pub(super) fn check(node: &NodeProto) -> Result<(), Reason> {
    let find = Find(node);
    let names = names(find, "nodes_treeids", "nodes_nodeids")?;
    let mut places = HashMap::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        if places.insert(*name, at).is_some() {
            return Err(Reason::new(format!("the ensemble has node {} of tree {} twice", name.1, name.0)));
        }
    }
    expect_length("nodes_featureids", Some(find.integers("nodes_featureids").len()), names.len())?;
    expect_below("nodes_featureids", find.integers("nodes_featureids"), i64::from(u32::MAX))?;
    expect_length("nodes_values", find.numbers("nodes_values"), names.len())?;
    check_ways(find, &names, &places)?;
    check_weights(find, if node.op_type == "TreeEnsembleRegressor" { "target" } else { "class" }, &places)
}

fn names(find: Find<'_>, trees: &str, numbers: &str) -> Result<Vec<Name>, Reason> {
    let (trees, numbers_of) = (find.integers(trees), find.integers(numbers));
    expect_length(numbers, Some(numbers_of.len()), trees.len())?;
    Ok(trees.iter().copied().zip(numbers_of.iter().copied()).collect())
}

/// Every way of a split leads to a node of its tree, at most one way to each, and none to the first node of a tree.
fn check_ways(find: Find<'_>, names: &[Name], places: &HashMap<Name, usize>) -> Result<(), Reason> {
    let modes = find.texts("nodes_modes");
    expect_length("nodes_modes", Some(modes.len()), names.len())?;
    let mut children = vec![[None; 2]; names.len()];
    let mut has_parent = vec![false; names.len()];
    for (side, attribute) in ["nodes_truenodeids", "nodes_falsenodeids"].into_iter().enumerate() {
        let numbers = find.integers(attribute);
        expect_length(attribute, Some(numbers.len()), names.len())?;
        for (at, &number) in numbers.iter().enumerate().filter(|(at, _)| modes[*at] != b"LEAF") {
            let child = places.get(&(names[at].0, number)).copied();
            let child =
                child.ok_or_else(|| Reason::new(format!("node {at} leads to {number}, no node of its tree")))?;
            if std::mem::replace(&mut has_parent[child], true) {
                return Err(Reason::new(format!("more than one way leads to node {number} of tree {}", names[at].0)));
            }
            children[at][side] = Some(child);
        }
    }
    let is_first = |at: &usize| *at == 0 || names[at - 1].0 != names[*at].0;
    if let Some(at) = (0..names.len()).filter(is_first).find(|&at| has_parent[at]) {
        return Err(Reason::new(format!("the first node of tree {} is not its root", names[at].0)));
    }
    expect_levels((0..names.len()).filter(|&at| !has_parent[at]).collect(), |at| children[at])
}

/// Every weight belongs to a node and adds to a target or class that there is.
fn check_weights(find: Find<'_>, prefix: &str, places: &HashMap<Name, usize>) -> Result<(), Reason> {
    let attribute = |name: &str| format!("{prefix}_{name}");
    let names = names(find, &attribute("treeids"), &attribute("nodeids"))?;
    if let Some(name) = names.iter().find(|name| !places.contains_key(name)) {
        return Err(Reason::new(format!("a weight names node {} of tree {}", name.1, name.0)));
    }
    let targets = match prefix {
        "target" => find.integer("n_targets"),
        _ => find
            .integers("classlabels_int64s")
            .len()
            .max(find.texts("classlabels_strings").len())
            .try_into()
            .unwrap_or(0),
    };
    let ids = attribute("ids");
    expect_length(&ids, Some(find.integers(&ids).len()), names.len())?;
    expect_below(&ids, find.integers(&ids), targets)?;
    let weights = attribute("weights");
    expect_length(&weights, find.numbers(&weights), names.len())
}
