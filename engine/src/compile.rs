//! From an ONNX tree ensemble or linear model to a pack in the making.
//!
//! Compiled are the graphs that [`onnx::lower`] writes: the sums of a `TreeEnsemble`, of columns times weights or of
//! nothing, the base margins, and a link. Those of other tools are read by [`foreign`](crate::foreign).

mod attributes;
mod layout;
mod origins;
pub(crate) mod soundness;

use std::{borrow::Cow, fmt};

use thicket_converters::{
    Link,
    onnx::{self, GraphProto, ModelProto, NodeProto, metadata},
};

use crate::pack::{
    draft::{Draft, SecondForm},
    format::{Forest, Node},
};
use attributes::Attributes;
pub(crate) use attributes::{bytes, floats};
use layout::Layout;
use origins::Origins;

/// Why a graph cannot be compiled, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason(Cow<'static, str>);

impl Reason {
    pub(crate) fn new(words: impl Into<Cow<'static, str>>) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `model` says that [`onnx::lower`] wrote it.
pub(crate) fn is_lowered(model: &ModelProto) -> bool {
    property(model, metadata::LINK).is_some()
}

/// Whether the trees of `model`, which [`onnx::lower_with`] wrote, are in the operators before `TreeEnsemble`.
pub(crate) fn is_older(model: &ModelProto) -> bool {
    let first = model.graph.as_ref().and_then(|graph| graph.node.first());
    first.is_some_and(|node| node.domain == "ai.onnx.ml" && node.op_type == "TreeEnsembleRegressor")
}

/// Gives `draft`, which sums the leaves of `model`'s older ensemble, everything else that a lowered model says.
///
/// # Errors
/// Why `model` is more than an ensemble, base margins and a link.
pub(crate) fn complete(mut draft: Draft, model: &ModelProto) -> Result<Draft, Reason> {
    let graph = model.graph.as_ref().ok_or_else(|| Reason::new("the model has no graph"))?;
    let (_, base, link) = parts(model, graph)?;
    if base.len() != draft.base.len() || features(graph)? != draft.forest.features {
        return Err(Reason::new("the ensemble and what stands around it have different widths"));
    }
    draft.forest.sum_order = sum_order(model)?;
    draft.forest.link = link.code();
    draft.base = base;
    draft.properties = properties(model);
    Ok(draft)
}

/// Compiles `model`.
///
/// # Errors
/// Why it is none of the graphs that can be compiled.
pub(crate) fn compile(model: &ModelProto) -> Result<Draft, Reason> {
    let graph = model.graph.as_ref().ok_or_else(|| Reason::new("the model has no graph"))?;
    let (sums, base, link) = parts(model, graph)?;
    let features = features(graph)?;
    let (layout, weights, sum_order) = match sums {
        Sums::Ensemble(node) => (layout(model, node)?, Vec::new(), sum_order(model)?),
        Sums::Older => return Err(Reason::new("the graph's ensemble is of an older operator")),
        Sums::Products(weights) => (Layout::default(), weights, 0),
        Sums::Nothing => (Layout::default(), Vec::new(), sum_order(model)?),
    };
    Ok(Draft {
        forest: Forest {
            features,
            targets: u32::try_from(base.len()).map_err(|_| Reason::new("the ensemble has too many targets"))?,
            sum_order,
            link: link.code(),
            values_per_leaf: layout.values_per_leaf,
            ..Forest::default()
        },
        base,
        trees: layout.trees,
        nodes: layout.nodes,
        category_sets: layout.category_sets,
        category_bits: layout.category_bits,
        properties: properties(model),
        weights,
        covers: layout.covers,
        second_form: SecondForm::default(),
    })
}

/// What a graph sums before it adds the base margins.
enum Sums<'a> {
    /// The leaves of an ensemble.
    Ensemble(&'a NodeProto),
    /// The leaves of an ensemble of an older operator.
    Older,
    /// The columns times these weights.
    Products(Vec<f32>),
    Nothing,
}

/// The sums, the base margins and the link of a graph that is nothing else.
fn parts<'a>(model: &'a ModelProto, graph: &'a GraphProto) -> Result<(Sums<'a>, Vec<f32>, Link), Reason> {
    let link = property(model, metadata::LINK).and_then(|code| Link::from_code(code.parse().ok()?));
    let link = link.ok_or_else(|| Reason::new("the model does not say which link its margins have"))?;
    let sums = sums(graph)?;
    let base =
        graph.initializer.first().and_then(floats).ok_or_else(|| Reason::new("the graph has no base margins"))?;
    let (own, (nodes, constants)) = match &sums {
        Sums::Ensemble(_) | Sums::Older => (1, onnx::around_ensemble(&base, link)),
        Sums::Products(weights) => (0, onnx::linear(weights, &base, link)),
        Sums::Nothing => (0, onnx::treeless(&base, link)),
    };
    if graph.node[own..] != nodes || graph.initializer != constants {
        return Err(Reason::new("the graph does more than add base margins and a link to its sums"));
    }
    Ok((sums, base, link))
}

/// What the graph's first node begins to sum.
fn sums(graph: &GraphProto) -> Result<Sums<'_>, Reason> {
    let [first, ..] = &graph.node[..] else { return Err(Reason::new("the graph has no nodes")) };
    match (&first.domain[..], &first.op_type[..]) {
        ("ai.onnx.ml", "TreeEnsemble") => Ok(Sums::Ensemble(first)),
        ("ai.onnx.ml", "TreeEnsembleRegressor") => Ok(Sums::Older),
        ("", "IsNaN") => {
            let weights = graph.initializer.last().and_then(floats);
            weights.map(Sums::Products).ok_or_else(|| Reason::new("the graph has no weights"))
        }
        ("", "Shape") => Ok(Sums::Nothing),
        (_, other) => Err(Reason::new(format!("the graph begins with {other:?}, which is no TreeEnsemble"))),
    }
}

fn layout(model: &ModelProto, ensemble: &NodeProto) -> Result<Layout, Reason> {
    let attributes = Attributes::read(ensemble)?;
    let has_members = !attributes.members.is_empty();
    if has_members && property(model, metadata::CATEGORIES) != Some(metadata::TRUNCATE) {
        return Err(Reason::new("the model does not say how numbers become categories"));
    }
    Layout::of(&attributes, &Origins::read(model, &attributes))
}

/// The columns of the graph's one input.
fn features(graph: &GraphProto) -> Result<u32, Reason> {
    let no_matrix = || Reason::new("the graph's input is no matrix of floats of known width");
    let [input] = &graph.input[..] else { return Err(no_matrix()) };
    let columns = onnx::columns(input).filter(|_| input.name == onnx::INPUT).ok_or_else(no_matrix)?;
    u32::try_from(columns).ok().filter(|&columns| columns <= Node::FEATURE).ok_or_else(no_matrix)
}

fn sum_order(model: &ModelProto) -> Result<u32, Reason> {
    match property(model, metadata::SUM_ORDER) {
        Some(metadata::BASE_THEN_LEAVES) => Ok(0),
        Some(metadata::LEAVES_THEN_BASE) => Ok(1),
        _ => Err(Reason::new("the model does not say in which order its leaves are summed")),
    }
}

fn property<'a>(model: &'a ModelProto, key: &str) -> Option<&'a str> {
    model.metadata_props.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
}

/// What the model says of itself, as a JSON object; not what the pack has in other sections.
fn properties(model: &ModelProto) -> String {
    let elsewhere = [metadata::LEAF_COVERS, metadata::LEAF_NUMBERS, metadata::VALUES_PER_LEAF];
    let entries = model.metadata_props.iter().filter(|entry| !elsewhere.contains(&entry.key.as_str()));
    let entries = entries.filter_map(|entry| {
        let name = entry.key.strip_prefix("thicket.")?;
        let is_list = entry.key == metadata::FEATURE_NAMES || entry.key == metadata::FEATURE_TYPES;
        let list = is_list.then(|| serde_json::from_str(&entry.value).ok()).flatten();
        Some((name.to_owned(), list.unwrap_or_else(|| entry.value.clone().into())))
    });
    serde_json::Value::Object(entries.collect()).to_string()
}
