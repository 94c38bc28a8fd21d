//! Whether an ensemble's indices lead somewhere. ONNX Runtime follows them unasked, and a library's crash is the server's.

use thicket_converters::onnx::{AttributeProto, DataType, ModelProto, NodeProto, TensorProto};

use super::{
    Reason,
    attributes::{bytes, floats},
};

/// Checks every `TreeEnsemble` of the model's graph.
///
/// # Errors
/// What is broken, in words.
pub(crate) fn check(model: &ModelProto) -> Result<(), Reason> {
    let nodes = model.graph.iter().flat_map(|graph| &graph.node);
    nodes.filter(|node| node.op_type == "TreeEnsemble").try_for_each(check_ensemble)
}

fn check_ensemble(node: &NodeProto) -> Result<(), Reason> {
    let find = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name);
    let integers = |name: &str| find(name).map_or(&[][..], |attribute: &AttributeProto| &attribute.ints[..]);
    let tensor = |name: &str| find(name).and_then(|attribute| attribute.t.as_deref());
    let (splits, leaves) = (integers("nodes_featureids").len(), integers("leaf_targetids").len());
    let features = i64::from(u32::MAX);
    let targets = find("n_targets").map_or(0, |attribute| attribute.i);
    expect_below("nodes_featureids", integers("nodes_featureids"), features)?;
    expect_below("leaf_targetids", integers("leaf_targetids"), targets)?;
    expect_length("nodes_modes", tensor("nodes_modes").and_then(bytes).map(|modes| modes.len()), splits)?;
    expect_length("nodes_splits", length(tensor("nodes_splits")), splits)?;
    expect_length("leaf_weights", length(tensor("leaf_weights")), leaves)?;
    let mut parents = vec![0_u8; splits];
    for [numbers, flags] in [["nodes_truenodeids", "nodes_trueleafs"], ["nodes_falsenodeids", "nodes_falseleafs"]] {
        expect_length(numbers, Some(integers(numbers).len()), splits)?;
        expect_length(flags, Some(integers(flags).len()), splits)?;
        for (&number, &is_leaf) in integers(numbers).iter().zip(integers(flags)) {
            reach(number, is_leaf != 0, leaves, &mut parents)?;
        }
    }
    integers("tree_roots").iter().try_for_each(|&root| reach(root, false, leaves, &mut parents))
}

/// Goes to a leaf or a split. A split to which one way leads at most, roots included, cannot lead back to a root.
fn reach(number: i64, is_leaf: bool, leaves: usize, parents: &mut [u8]) -> Result<(), Reason> {
    let count = if is_leaf { leaves } else { parents.len() };
    let at = usize::try_from(number).ok().filter(|&at| at < count);
    let at = at.ok_or_else(|| Reason::new(format!("the ensemble leads to node {number} of {count}")))?;
    if is_leaf {
        return Ok(());
    }
    parents[at] += 1;
    if parents[at] > 1 { Err(Reason::new(format!("more than one way leads to node {number}"))) } else { Ok(()) }
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

    const MODEL: &str = r#"{"version":[1,7,6],"learner":{
        "learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"2","num_target":"1"},
        "objective":{"name":"reg:squarederror"},
        "gradient_booster":{"name":"gbtree","model":{"tree_info":[0],"trees":[{
            "tree_param":{"size_leaf_vector":"0"},"left_children":[1,3,-1,-1,-1],"right_children":[2,4,-1,-1,-1],
            "split_indices":[0,1,0,0,0],"split_conditions":[1.5,1,2,3,4],"default_left":[0,0,0,0,0]}]}}}}"#;

    fn verdict(name: &str, change: impl Fn(&mut AttributeProto)) -> Result<(), Reason> {
        let mut model = onnx::lower(&read_booster(MODEL.as_bytes()).unwrap()).unwrap();
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
        assert!(verdict("nodes_trueleafs", |attribute| attribute.ints = vec![0, 0]).is_err());
        assert!(verdict("nodes_truenodeids", |attribute| attribute.ints.truncate(1)).is_err());
        assert!(verdict("nodes_splits", |attribute| attribute.t.as_mut().unwrap().raw_data.truncate(4)).is_err());
    }
}
