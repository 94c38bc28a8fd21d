//! The way through a graph from its input to its answer, which has to lead through one ensemble and change nothing else.

use thicket_converters::{
    FEATURES_MAX,
    onnx::{
        AttributeProto, DataType, Dimension, DimensionValue, GraphProto, MapType, NodeProto, SequenceType, TensorType,
        TypeProto, TypeValue, ValueInfoProto,
    },
};

use super::{ML_DOMAIN, Precision, attributes::numbers};
use crate::{answer, compile::Reason};

/// An ensemble and what its graph does around it.
#[derive(Debug)]
pub(super) struct Path<'a> {
    pub(super) ensemble: &'a NodeProto,
    /// Columns of the graph's input.
    pub(super) features: u32,
    /// Of the numbers that the ensemble takes.
    pub(super) precision: Precision,
    /// How many classes the answer's maps name, where it is given as maps.
    classes: Option<usize>,
}

impl<'a> Path<'a> {
    pub(super) fn of(graph: &'a GraphProto) -> Result<Self, Reason> {
        let (input, features, precision) = input(graph)?;
        let answer = answer(graph)?;
        let (ensemble, classes) = back_to_ensemble(graph, answer)?;
        let precision = back_to_input(graph, ensemble, input)?.unwrap_or(precision);
        Ok(Self { ensemble, features, precision, classes })
    }

    /// Checks that an answer in maps names as many classes as the ensemble gives.
    pub(super) fn check_columns(&self, columns: usize) -> Result<(), Reason> {
        if self.classes.is_none_or(|classes| classes == columns) {
            return Ok(());
        }
        Err(Reason::new(format!("the graph names another number of classes than the {columns} of its ensemble")))
    }
}

/// The name, the columns and the precision of the graph's one input.
fn input(graph: &GraphProto) -> Result<(&str, u32, Precision), Reason> {
    let no_matrix = || Reason::new("the graph's input is no matrix of floats of known width");
    let mut inputs = graph.input.iter().filter(|input| !is_constant(graph, &input.name));
    let (Some(input), None) = (inputs.next(), inputs.next()) else { return Err(no_matrix()) };
    let tensor = tensor_type(input).ok_or_else(no_matrix)?;
    let precision = precision(tensor.elem_type).ok_or_else(no_matrix)?;
    let [rows, columns] = &tensor.shape.as_ref().ok_or_else(no_matrix)?.dim[..] else { return Err(no_matrix()) };
    let (None | Some(1), Some(columns)) = (size(rows), size(columns)) else { return Err(no_matrix()) };
    let is_bounded = |columns: &u32| (1..=FEATURES_MAX).contains(&(*columns as usize));
    let columns = u32::try_from(columns).ok().filter(is_bounded).ok_or_else(no_matrix)?;
    Ok((&input.name, columns, precision))
}

/// Whether `name` is a constant of the graph.
fn is_constant(graph: &GraphProto, name: &str) -> bool {
    graph.initializer.iter().any(|tensor| tensor.name == name)
}

fn size(dimension: &Dimension) -> Option<i64> {
    match dimension.value {
        Some(DimensionValue::Value(size)) => Some(size),
        _ => None,
    }
}

fn tensor_type(value: &ValueInfoProto) -> Option<&TensorType> {
    match value.r#type.as_ref()?.value.as_ref()? {
        TypeValue::Tensor(tensor) => Some(tensor),
        _ => None,
    }
}

fn precision(elem_type: i32) -> Option<Precision> {
    match DataType::try_from(elem_type) {
        Ok(DataType::Float) => Some(Precision::Single),
        Ok(DataType::Double) => Some(Precision::Double),
        _ => None,
    }
}

/// The name of the output that is the answer.
fn answer(graph: &GraphProto) -> Result<&str, Reason> {
    let mut best = None;
    for output in &graph.output {
        let kind = kind(output)
            .ok_or_else(|| Reason::new(format!("the graph's output {:?} is of another type", output.name)))?;
        let rank = answer::rank(&output.name, kind);
        if best.is_none_or(|(least, _)| rank < least) {
            best = Some((rank, output.name.as_str()));
        }
    }
    best.map(|(_, name)| name).ok_or_else(|| Reason::new("the graph has no output"))
}

/// What an output holds; `None` for what the graph does not declare plainly.
fn kind(output: &ValueInfoProto) -> Option<answer::Kind> {
    match output.r#type.as_ref()?.value.as_ref()? {
        TypeValue::Tensor(tensor) if tensor.shape.as_ref().is_none_or(|shape| shape.dim.len() <= 2) => {
            match DataType::try_from(tensor.elem_type).ok()? {
                DataType::Float | DataType::Double => Some(answer::Kind::Floats),
                DataType::Int64 | DataType::String => Some(answer::Kind::Labels),
                _ => None,
            }
        }
        TypeValue::Sequence(item) => is_map_of_floats(item).then_some(answer::Kind::Maps),
        _ => None,
    }
}

fn is_map_of_floats(sequence: &SequenceType) -> bool {
    let Some(TypeProto { value: Some(TypeValue::Map(map)) }) = &sequence.elem_type else { return false };
    let MapType { key_type, value_type: Some(TypeProto { value: Some(TypeValue::Tensor(value)) }) } = &**map else {
        return false;
    };
    let is_key = matches!(DataType::try_from(*key_type), Ok(DataType::Int64 | DataType::String));
    is_key && value.elem_type == i32::from(DataType::Float)
}

/// Follows the answer back to the ensemble that gives it; also how many classes its maps name.
fn back_to_ensemble<'a>(graph: &'a GraphProto, answer: &str) -> Result<(&'a NodeProto, Option<usize>), Reason> {
    let mut classes = None;
    let (mut name, mut end) = (answer, graph.node.len());
    loop {
        let at = producer(graph, name, end)?;
        let node = &graph.node[at];
        if is_ensemble(node) {
            let output = usize::from(node.op_type == "TreeEnsembleClassifier");
            if node.output.get(output).is_some_and(|output| output == name) {
                return Ok((node, classes));
            }
            return Err(Reason::new("the graph's answer is not the scores of its ensemble"));
        }
        if node.op_type == "ZipMap" && node.domain == ML_DOMAIN && name == answer {
            classes = Some(classes_in_order(node)?);
        } else if !changes_nothing(graph, node) {
            return Err(Reason::new(format!("the graph's answer goes through {:?}", node.op_type)));
        }
        (name, end) = (first_input(node)?, at);
    }
}

/// Follows the ensemble's input back to the graph's; also the precision that the last cast on the way leaves.
fn back_to_input(graph: &GraphProto, ensemble: &NodeProto, input: &str) -> Result<Option<Precision>, Reason> {
    let mut cast = None;
    let (mut name, mut end) = (first_input(ensemble)?, graph.node.len());
    while name != input {
        let at = producer(graph, name, end)?;
        let node = &graph.node[at];
        if !changes_nothing(graph, node) {
            return Err(Reason::new(format!("the ensemble's input goes through {:?}", node.op_type)));
        }
        cast = cast.or_else(|| cast_to(node));
        (name, end) = (first_input(node)?, at);
    }
    Ok(cast)
}

/// The place of the one node that gives `name`, which has to stand before `end`.
fn producer(graph: &GraphProto, name: &str, end: usize) -> Result<usize, Reason> {
    let gives = |node: &NodeProto| node.output.iter().any(|output| output == name);
    let mut producers = graph.node.iter().enumerate().filter(|(_, node)| gives(node)).map(|(at, _)| at);
    match (producers.next(), producers.next()) {
        (Some(at), None) if at < end => Ok(at),
        _ => Err(Reason::new(format!("not one node before its use gives {name:?}"))),
    }
}

fn first_input(node: &NodeProto) -> Result<&str, Reason> {
    node.input.first().map(String::as_str).ok_or_else(|| Reason::new(format!("a {:?} has no input", node.op_type)))
}

fn is_ensemble(node: &NodeProto) -> bool {
    let is_known = matches!(&*node.op_type, "TreeEnsemble" | "TreeEnsembleRegressor" | "TreeEnsembleClassifier");
    is_known && node.domain == ML_DOMAIN
}

/// Whether a node leaves floats as they are.
fn changes_nothing(graph: &GraphProto, node: &NodeProto) -> bool {
    match (node.domain.as_str(), node.op_type.as_str()) {
        ("" | "ai.onnx", "Identity") => true,
        ("" | "ai.onnx", "Cast") => cast_to(node).is_some(),
        // LightGBM's converter gives a tensor its name so.
        ("" | "ai.onnx", "Mul") => matches!(&node.input[..], [_, factor] if is_one(graph, factor)),
        _ => false,
    }
}

/// What a node casts floats to, if it does; a cast to doubles and back changes none.
fn cast_to(node: &NodeProto) -> Option<Precision> {
    let to = node.attribute.iter().find(|attribute| node.op_type == "Cast" && attribute.name == "to")?;
    precision(i32::try_from(to.i).ok()?)
}

/// Whether `name` is the constant 1, as a number and not as a matrix.
fn is_one(graph: &GraphProto, name: &str) -> bool {
    let mut constants = graph.initializer.iter().filter(|tensor| tensor.name == name);
    let Some(constant) = constants.next() else { return false };
    matches!(constant.dims[..], [] | [1]) && numbers(constant).is_some_and(|numbers| *numbers == [1.0])
}

/// How many classes a `ZipMap` names. Maps are answered in the order of their keys, which has to be theirs.
fn classes_in_order(node: &NodeProto) -> Result<usize, Reason> {
    let find = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name);
    let integers = find("classlabels_int64s").map_or(&[][..], |attribute: &AttributeProto| &attribute.ints[..]);
    let texts = find("classlabels_strings").map_or(&[][..], |attribute: &AttributeProto| &attribute.strings[..]);
    if integers.is_empty() == texts.is_empty() {
        return Err(Reason::new("a ZipMap names its classes twice or not at all"));
    }
    if !(integers.is_sorted_by(|one, next| one < next) && texts.is_sorted_by(|one, next| one < next)) {
        return Err(Reason::new("a ZipMap names its classes out of order"));
    }
    Ok(integers.len() + texts.len())
}
