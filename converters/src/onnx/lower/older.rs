//! All trees of a booster as the attributes of one `TreeEnsembleRegressor` (`ai.onnx.ml`, version 3).
//!
//! Nodes keep the numbers they have in the booster's file; pruned ones are left out. A leaf of that operator adds to as
//! many targets as its tree has.

use super::{
    AttributeProto, AttributeType, INPUT, ML_DOMAIN, NodeProto, SUMS, integer_attribute, integers_attribute, operator,
    signed,
};
use crate::error::{Error, Result};
use crate::tree::Tree;

/// The operator's attributes while they grow.
#[derive(Debug, Default)]
struct Ensemble {
    trees: Vec<i64>,
    nodes: Vec<i64>,
    features: Vec<i64>,
    modes: Vec<&'static str>,
    values: Vec<f32>,
    true_nodes: Vec<i64>,
    false_nodes: Vec<i64>,
    missing_is_true: Vec<i64>,
    leaf_trees: Vec<i64>,
    leaf_nodes: Vec<i64>,
    leaf_targets: Vec<i64>,
    leaf_weights: Vec<f32>,
}

/// The node that makes [`SUMS`] of [`INPUT`].
pub(super) fn node(trees: &[Tree], targets: usize) -> Result<NodeProto> {
    let mut ensemble = Ensemble::default();
    for (at, tree) in trees.iter().enumerate() {
        if let Some(node) = tree.categories.keys().next() {
            let place = format_args!("trees[{at}].categories of node {node}").to_string();
            return Err(Error::unsupported(place, "operators before ai.onnx.ml 5 have no splits by categories"));
        }
        ensemble.add(tree, signed(at));
    }
    Ok(ensemble.node(targets))
}

impl Ensemble {
    fn add(&mut self, tree: &Tree, number: i64) {
        for &node in tree.reachable() {
            self.trees.push(number);
            self.nodes.push(i64::from(node));
            if tree.is_leaf(node as usize) {
                self.add_leaf(tree, number, node);
            } else {
                self.add_split(tree, node as usize);
            }
        }
    }

    fn add_split(&mut self, tree: &Tree, node: usize) {
        self.features.push(i64::from(tree.feature[node]));
        self.modes.push("BRANCH_LT");
        self.values.push(tree.condition[node]);
        self.true_nodes.push(i64::from(tree.left[node]));
        self.false_nodes.push(i64::from(tree.right[node]));
        self.missing_is_true.push(i64::from(tree.default_left[node]));
    }

    fn add_leaf(&mut self, tree: &Tree, number: i64, node: u32) {
        self.features.push(0);
        self.modes.push("LEAF");
        self.values.push(0.0);
        self.true_nodes.push(0);
        self.false_nodes.push(0);
        self.missing_is_true.push(0);
        for (part, weight) in tree.leaf_values(node as usize).enumerate() {
            let target = if tree.values_per_leaf == 1 { tree.target as usize } else { part };
            self.leaf_trees.push(number);
            self.leaf_nodes.push(i64::from(node));
            self.leaf_targets.push(signed(target));
            self.leaf_weights.push(weight);
        }
    }

    fn node(self, targets: usize) -> NodeProto {
        let attributes = vec![
            strings("aggregate_function", &["SUM"], AttributeType::String),
            strings("post_transform", &["NONE"], AttributeType::String),
            integer_attribute("n_targets", signed(targets)),
            integers_attribute("nodes_treeids", self.trees),
            integers_attribute("nodes_nodeids", self.nodes),
            integers_attribute("nodes_featureids", self.features),
            strings("nodes_modes", &self.modes, AttributeType::Strings),
            floats("nodes_values", self.values),
            integers_attribute("nodes_truenodeids", self.true_nodes),
            integers_attribute("nodes_falsenodeids", self.false_nodes),
            integers_attribute("nodes_missing_value_tracks_true", self.missing_is_true),
            integers_attribute("target_treeids", self.leaf_trees),
            integers_attribute("target_nodeids", self.leaf_nodes),
            integers_attribute("target_ids", self.leaf_targets),
            floats("target_weights", self.leaf_weights),
        ];
        NodeProto { domain: ML_DOMAIN.to_owned(), ..operator("TreeEnsembleRegressor", &[INPUT], SUMS, attributes) }
    }
}

/// One text or a list of texts, as `kind` says.
fn strings(name: &str, texts: &[&str], kind: AttributeType) -> AttributeProto {
    let mut strings: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    let s = if kind == AttributeType::String { strings.pop().unwrap_or_default() } else { Vec::new() };
    AttributeProto { name: name.to_owned(), r#type: kind.into(), s, strings, ..AttributeProto::default() }
}

fn floats(name: &str, floats: Vec<f32>) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Floats.into(), floats, ..AttributeProto::default() }
}
