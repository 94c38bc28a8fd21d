//! Writes a booster as an ONNX graph.

mod ensemble;
mod linear;
mod links;
mod nothing;
mod older;

use super::metadata;
use super::proto::{
    AttributeProto, AttributeType, DataType, Dimension, DimensionValue, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto, TensorType, TypeProto, TypeValue,
    ValueInfoProto,
};
use crate::booster::{Booster, Model};
use crate::error::{Error, Result};
use crate::link::Link;
use crate::rules::SumOrder;
use crate::tree::Tree;
use ensemble::Ensemble;

/// The graph's input: `float[N, features]`, missing values as NaN.
pub const INPUT: &str = "input";
/// The graph's first output: `float[N, targets]`.
pub const MARGIN: &str = "margin";
/// The graph's second output: `float[N, columns]`.
pub const VALUE: &str = "value";

const SUMS: &str = "sums";
const BASE_MARGINS: &str = "base_margins";

/// Which operators a graph is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operators {
    /// Those of `ai.onnx.ml` 5, the oldest that have `TreeEnsemble`.
    #[default]
    Current,
    /// Those of `ai.onnx.ml` 3, with `TreeEnsembleRegressor`, for runtimes as old as ONNX Runtime 1.12. They have no splits
    /// by categories.
    Older,
}

impl Operators {
    /// The version of the file format.
    const fn ir_version(self) -> i64 {
        match self {
            Self::Current => 10,
            Self::Older => 7,
        }
    }

    /// The versions of ONNX's own operators and of those of `ai.onnx.ml`.
    const fn opsets(self) -> (i64, i64) {
        match self {
            Self::Current => (17, 5),
            Self::Older => (13, 3),
        }
    }
}

const ML_DOMAIN: &str = "ai.onnx.ml";

/// Writes `booster` as an ONNX model, with the names in [`metadata`](super::metadata).
///
/// # Errors
///
/// Unsupported, with the part of the booster that ONNX cannot express.
pub fn lower(booster: &Booster) -> Result<ModelProto> {
    lower_with(booster, Operators::default())
}

/// The same with a choice of operators.
///
/// # Errors
///
/// As [`lower`].
pub fn lower_with(booster: &Booster, operators: Operators) -> Result<ModelProto> {
    let link = booster.link();
    let (metadata, graph) = match &booster.model {
        Model::Linear(weights) => {
            let (weights, starts) = linear::split(booster, weights)?;
            (metadata(booster, None), graph(booster, linear(&weights, &starts, link)))
        }
        Model::Trees(trees) if trees.is_empty() => {
            (metadata(booster, None), graph(booster, treeless(&booster.base_margins, link)))
        }
        Model::Trees(trees) => {
            if booster.features == 0 {
                return Err(Error::unsupported("num_feature", "ONNX has no ensemble without features"));
            }
            let (metadata, ensemble) = match operators {
                Operators::Current => {
                    let ensemble = Ensemble::new(trees, booster.targets)?;
                    (metadata(booster, Some(&ensemble)), ensemble.node())
                }
                Operators::Older => (metadata(booster, None), older::node(trees, booster.targets)?),
            };
            let (around, constants) = around_ensemble(&booster.base_margins, link);
            (metadata, graph(booster, (std::iter::once(ensemble).chain(around).collect(), constants)))
        }
    };
    let (opset_version, ml_opset_version) = operators.opsets();
    Ok(ModelProto {
        ir_version: operators.ir_version(),
        producer_name: "thicket".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        opset_import: vec![opset("", opset_version), opset(ML_DOMAIN, ml_opset_version)],
        metadata_props: metadata,
        graph: Some(graph),
        ..ModelProto::default()
    })
}

fn opset(domain: &str, version: i64) -> OperatorSetIdProto {
    OperatorSetIdProto { domain: domain.to_owned(), version }
}

/// The nodes and the constants of a graph.
type Parts = (Vec<NodeProto>, Vec<TensorProto>);

fn graph(booster: &Booster, (node, initializer): Parts) -> GraphProto {
    GraphProto {
        name: "booster".to_owned(),
        node,
        initializer,
        input: vec![matrix(INPUT, booster.features)],
        output: vec![matrix(MARGIN, booster.targets), matrix(VALUE, booster.columns())],
        ..GraphProto::default()
    }
}

/// Every node of a lowered graph behind the ensemble, and every constant: what adds the base margins and the link.
///
/// Whoever reads a lowered graph back compares with these, and so knows that it does nothing else.
#[must_use]
pub fn around_ensemble(base_margins: &[f32], link: Link) -> Parts {
    let mut constants = vec![floats(BASE_MARGINS, base_margins)];
    let mut nodes = vec![operator("Add", &[SUMS, BASE_MARGINS], MARGIN, Vec::new())];
    links::append(link, base_margins.len(), &mut nodes, &mut constants);
    (nodes, constants)
}

/// Every node of a lowered linear booster and every constant, the first of them where the sums start, the last the
/// `weights`: for each feature one a target. Who follows the order of XGBoost's sums adds the products onto the start, in
/// the order of the features.
#[must_use]
pub fn linear(weights: &[f32], starts: &[f32], link: Link) -> Parts {
    after(linear::products(weights, starts.len()), around_ensemble(starts, link))
}

/// Every node and every constant of a lowered booster without trees.
#[must_use]
pub fn treeless(base_margins: &[f32], link: Link) -> Parts {
    after(nothing::zeros(base_margins.len()), around_ensemble(base_margins, link))
}

/// The sums and what is made of them; the constants of the sums come last.
fn after((mut nodes, sums): (Vec<NodeProto>, [TensorProto; 2]), (around, mut constants): Parts) -> Parts {
    nodes.extend(around);
    constants.extend(sums);
    (nodes, constants)
}

/// How many columns a value has that is declared as a matrix of floats; `None` for every other declaration.
#[must_use]
pub fn columns(value: &ValueInfoProto) -> Option<usize> {
    let Some(TypeValue::Tensor(tensor)) = &value.r#type.as_ref()?.value else { return None };
    let [_, Dimension { value: Some(DimensionValue::Value(columns)) }] = &tensor.shape.as_ref()?.dim[..] else {
        return None;
    };
    if tensor.elem_type() == DataType::Float { usize::try_from(*columns).ok() } else { None }
}

/// The declaration of a matrix of any number of rows.
fn matrix(name: &str, columns: usize) -> ValueInfoProto {
    let dimension = |value| Dimension { value: Some(value) };
    let rows = dimension(DimensionValue::Parameter("N".to_owned()));
    let shape = TensorShapeProto { dim: vec![rows, dimension(DimensionValue::Value(signed(columns)))] };
    let tensor = TensorType { elem_type: DataType::Float.into(), shape: Some(shape) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { value: Some(TypeValue::Tensor(tensor)) }) }
}

/// A node of ONNX's own domain with one output.
fn operator(op_type: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        name: output.to_owned(),
        op_type: op_type.to_owned(),
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute,
        ..NodeProto::default()
    }
}

/// A vector of floats.
fn floats(name: &str, floats: &[f32]) -> TensorProto {
    let raw_data: Vec<_> = floats.iter().map(|float| float.to_le_bytes()).collect();
    tensor(name, DataType::Float, floats.len(), raw_data.into_flattened())
}

fn tensor(name: &str, data_type: DataType, length: usize, raw_data: Vec<u8>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        data_type: data_type.into(),
        dims: vec![signed(length)],
        raw_data,
        ..TensorProto::default()
    }
}

fn integer_attribute(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Int.into(), i, ..AttributeProto::default() }
}

fn integers_attribute(name: &str, ints: Vec<i64>) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Ints.into(), ints, ..AttributeProto::default() }
}

fn tensor_attribute(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Tensor.into(),
        t: Some(Box::new(tensor)),
        ..AttributeProto::default()
    }
}

/// A count as ONNX keeps it.
fn signed(count: usize) -> i64 {
    i64::try_from(count).expect("counts of things in memory fit into 63 bits")
}

/// How many values every leaf of all trees has, where that is one number.
fn values_per_leaf(trees: &[Tree]) -> Option<usize> {
    let values = trees.first()?.values_per_leaf;
    trees.iter().all(|tree| tree.values_per_leaf == values).then_some(values)
}

fn metadata(booster: &Booster, ensemble: Option<&Ensemble>) -> Vec<StringStringEntryProto> {
    let form =
        if booster.is_pickled { format!("{}{}", booster.form, metadata::PICKLED) } else { booster.form.to_string() };
    let sum_order = match booster.sum_order {
        SumOrder::BaseThenLeaves => metadata::BASE_THEN_LEAVES,
        SumOrder::LeavesThenBase => metadata::LEAVES_THEN_BASE,
    };
    let is_linear = matches!(booster.model, Model::Linear(_));
    let has_categories = booster.trees().iter().any(|tree| !tree.categories.is_empty());
    let json = |texts: &[String]| serde_json::Value::from(texts).to_string();
    let leaf_covers = ensemble.and_then(Ensemble::leaf_covers);
    let leaf_covers = leaf_covers.map(|covers| metadata::pack(covers.iter().map(|cover| cover.to_le_bytes())));
    let values_per_leaf = values_per_leaf(booster.trees());
    let numbered = ensemble.filter(|_| values_per_leaf.is_some());
    let leaf_numbers =
        numbered.map(|ensemble| metadata::pack(ensemble.leaf_numbers().iter().map(|number| number.to_le_bytes())));
    let entries = [
        (metadata::WRITER, Some(format!("xgboost {}", booster.version))),
        (metadata::FORM, Some(form)),
        (metadata::OBJECTIVE, Some(booster.objective.to_string())),
        (metadata::LINK, Some(booster.link().code().to_string())),
        (metadata::SUM_ORDER, (!is_linear).then(|| sum_order.to_owned())),
        (metadata::CATEGORIES, has_categories.then(|| metadata::TRUNCATE.to_owned())),
        (metadata::BEST_NTREE_LIMIT, booster.best_ntree_limit.map(|limit| limit.to_string())),
        (metadata::FEATURE_NAMES, (!booster.feature_names.is_empty()).then(|| json(&booster.feature_names))),
        (metadata::FEATURE_TYPES, (!booster.feature_types.is_empty()).then(|| json(&booster.feature_types))),
        (metadata::LEAF_COVERS, leaf_covers),
        (metadata::LEAF_NUMBERS, leaf_numbers),
        (metadata::VALUES_PER_LEAF, values_per_leaf.map(|values| values.to_string())),
    ];
    let entry =
        |(key, value): (&str, Option<String>)| Some(StringStringEntryProto { key: key.to_owned(), value: value? });
    entries.into_iter().filter_map(entry).collect()
}
