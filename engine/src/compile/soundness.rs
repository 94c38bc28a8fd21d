//! Whether an ensemble's indices lead somewhere. ONNX Runtime follows them unasked, and a library's crash is the server's.

mod older;

use thicket_converters::onnx::{AttributeProto, DataType, GraphProto, ModelProto, NodeProto, TensorProto};

use super::{
    Reason,
    attributes::{bytes, floats},
    layout::BRANCH_MEMBER,
};

/// The most levels a tree may have: ONNX Runtime goes down them by recursion.
const LEVELS_MAX: usize = 1_000;

/// Checks every ensemble of the model's graph and of the graphs within it.
///
/// # Errors
/// What is broken, in words.
pub(crate) fn check(model: &ModelProto) -> Result<(), Reason> {
    let mut graphs: Vec<&GraphProto> = model.graph.iter().collect();
    while let Some(graph) = graphs.pop() {
        for node in &graph.node {
            match node.op_type.as_str() {
                "TreeEnsemble" => check_ensemble(node)?,
                "TreeEnsembleRegressor" | "TreeEnsembleClassifier" => older::check(node)?,
                _ => {}
            }
            let within = |attribute: &'_ AttributeProto| attribute.g.is_some() || !attribute.graphs.is_empty();
            for attribute in node.attribute.iter().filter(|attribute| within(attribute)) {
                graphs.extend(attribute.g.as_deref().into_iter().chain(&attribute.graphs));
            }
        }
    }
    Ok(())
}

/// The attributes of a node by name.
#[derive(Clone, Copy)]
struct Find<'a>(&'a NodeProto);

impl<'a> Find<'a> {
    fn attribute(self, name: &str) -> Option<&'a AttributeProto> {
        self.0.attribute.iter().find(|attribute| attribute.name == name)
    }

    fn integer(self, name: &str) -> i64 {
        self.attribute(name).map_or(0, |attribute| attribute.i)
    }

    fn integers(self, name: &str) -> &'a [i64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.ints)
    }

    fn texts(self, name: &str) -> &'a [Vec<u8>] {
        self.attribute(name).map_or(&[], |attribute| &attribute.strings)
    }

    fn tensor(self, name: &str) -> Option<&'a TensorProto> {
        self.attribute(name)?.t.as_deref()
    }

    /// How many numbers the older operators have under `name`, as floats or as a tensor.
    fn numbers(self, name: &str) -> Option<usize> {
        match self.attribute(name) {
            Some(attribute) => Some(attribute.floats.len()),
            None => length(self.tensor(&format!("{name}_as_tensor"))),
        }
    }
}

fn check_ensemble(node: &NodeProto) -> Result<(), Reason> {
    let find = Find(node);
    let (splits, leaves) = (find.integers("nodes_featureids").len(), find.integers("leaf_targetids").len());
    expect_below("nodes_featureids", find.integers("nodes_featureids"), i64::from(u32::MAX))?;
    expect_below("leaf_targetids", find.integers("leaf_targetids"), find.integer("n_targets"))?;
    let modes = find.tensor("nodes_modes").and_then(bytes);
    expect_length("nodes_modes", modes.as_ref().map(|modes| modes.len()), splits)?;
    let members = modes.iter().flat_map(|modes| modes.iter()).filter(|&&mode| mode == BRANCH_MEMBER).count();
    expect_sets(members, find.tensor("membership_values"))?;
    expect_length("nodes_splits", length(find.tensor("nodes_splits")), splits)?;
    expect_length("leaf_weights", length(find.tensor("leaf_weights")), leaves)?;
    let mut parents = vec![0_u8; splits];
    let mut children = vec![[None; 2]; splits];
    let ways = [["nodes_truenodeids", "nodes_trueleafs"], ["nodes_falsenodeids", "nodes_falseleafs"]];
    for (side, [numbers, flags]) in ways.into_iter().enumerate() {
        expect_length(numbers, Some(find.integers(numbers).len()), splits)?;
        expect_length(flags, Some(find.integers(flags).len()), splits)?;
        for (at, (&number, &is_leaf)) in find.integers(numbers).iter().zip(find.integers(flags)).enumerate() {
            children[at][side] = reach(number, is_leaf != 0, leaves, &mut parents)?;
        }
    }
    let mut roots = Vec::new();
    for &root in find.integers("tree_roots") {
        roots.extend(reach(root, false, leaves, &mut parents)?);
    }
    expect_levels(roots, |at| children[at])
}

/// A split by a set of values has one, which ends in NaN: ONNX Runtime looks for that end.
fn expect_sets(splits: usize, values: Option<&TensorProto>) -> Result<(), Reason> {
    let is_end: Vec<bool> = values.map(ends).unwrap_or_default();
    let ends = is_end.iter().filter(|&&is_end| is_end).count();
    if ends == splits && is_end.last().is_none_or(|&last| last) {
        return Ok(());
    }
    Err(Reason::new(format!("expected membership_values to hold {splits} sets, each ended by NaN, found {ends}")))
}

/// Which values of a tensor are NaN.
fn ends(tensor: &TensorProto) -> Vec<bool> {
    if tensor.data_type() != DataType::Double {
        return floats(tensor).unwrap_or_default().iter().map(|value| value.is_nan()).collect();
    }
    let raw = tensor.raw_data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes));
    tensor.double_data.iter().copied().chain(raw).map(f64::is_nan).collect()
}

/// No way from one of `roots` has more than so many levels. No two ways lead to one node.
fn expect_levels(roots: Vec<usize>, children: impl Fn(usize) -> [Option<usize>; 2]) -> Result<(), Reason> {
    let mut ahead: Vec<(usize, usize)> = roots.into_iter().map(|root| (root, 0)).collect();
    while let Some((at, level)) = ahead.pop() {
        if level > LEVELS_MAX {
            return Err(Reason::new(format!("a tree has more than {LEVELS_MAX} levels")));
        }
        ahead.extend(children(at).into_iter().flatten().map(|child| (child, level + 1)));
    }
    Ok(())
}

/// Goes to a leaf, or to a split and answers its place. A split to which one way leads at most, roots included, cannot lead
/// back to a root.
fn reach(number: i64, is_leaf: bool, leaves: usize, parents: &mut [u8]) -> Result<Option<usize>, Reason> {
    let count = if is_leaf { leaves } else { parents.len() };
    let at = usize::try_from(number).ok().filter(|&at| at < count);
    let at = at.ok_or_else(|| Reason::new(format!("the ensemble leads to node {number} of {count}")))?;
    if is_leaf {
        return Ok(None);
    }
    parents[at] += 1;
    if parents[at] > 1 { Err(Reason::new(format!("more than one way leads to node {number}"))) } else { Ok(Some(at)) }
}

/// How many numbers of the kinds that the operator takes a tensor holds; `None` where it holds something else.
fn length(tensor: Option<&TensorProto>) -> Option<usize> {
    let tensor = tensor?;
    match tensor.data_type() {
        DataType::Double => Some(tensor.double_data.len() + tensor.raw_data.len() / size_of::<f64>()),
        DataType::Float16 => Some(tensor.int32_data.len() + tensor.raw_data.len() / size_of::<u16>()),
        _ => floats(tensor).map(|floats| floats.len()),
    }
}

fn expect_length(name: &str, found: Option<usize>, expected: usize) -> Result<(), Reason> {
    match found {
        Some(found) if found == expected => Ok(()),
        _ => Err(Reason::new(format!("expected {expected} entries of {name}"))),
    }
}

fn expect_below(name: &str, numbers: &[i64], bound: i64) -> Result<(), Reason> {
    match numbers.iter().find(|number| !(0..bound).contains(number)) {
        None => Ok(()),
        Some(number) => Err(Reason::new(format!("{name} holds {number}, which is not below {bound}"))),
    }
}

#[cfg(test)]
mod tests {
    use thicket_converters::{onnx, read_booster};

    use super::*;
    use crate::sample::TREE;

    fn verdict(name: &str, change: impl Fn(&mut AttributeProto)) -> Result<(), Reason> {
        let mut model = onnx::lower(&read_booster(TREE.as_bytes()).unwrap()).unwrap();
        let attributes = &mut model.graph.as_mut().unwrap().node[0].attribute;
        change(attributes.iter_mut().find(|attribute| attribute.name == name).unwrap());
        check(&model)
    }

    #[test]
    fn indices_that_lead_nowhere_or_in_circles_are_found() {
        assert_eq!(verdict("tree_roots", |_| ()), Ok(()));
        for name in ["nodes_truenodeids", "nodes_falsenodeids", "leaf_targetids", "nodes_featureids", "tree_roots"] {
            for number in [-1, 19, i64::MIN] {
                let is_fine = name == "nodes_featureids" && number == 19;
                assert_eq!(verdict(name, |attribute| attribute.ints[0] = number).is_ok(), is_fine, "{name} {number}");
            }
        }
        let double = |attribute: &mut AttributeProto| {
            let tensor = attribute.t.as_mut().unwrap();
            tensor.set_data_type(DataType::Double);
            tensor.raw_data = vec![0; 16];
        };
        assert_eq!(verdict("nodes_splits", double), Ok(()));
        assert!(verdict("nodes_modes", |attribute| attribute.t.as_mut().unwrap().raw_data[0] = BRANCH_MEMBER).is_err());
        assert!(verdict("nodes_trueleafs", |attribute| attribute.ints = vec![0, 0]).is_err());
        assert!(verdict("nodes_truenodeids", |attribute| attribute.ints.truncate(1)).is_err());
        assert!(verdict("nodes_splits", |attribute| attribute.t.as_mut().unwrap().raw_data.truncate(4)).is_err());
    }
}
