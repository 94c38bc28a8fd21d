//! The members of XGBoost's JSON and UBJSON files, of every version since 1.0.
//!
//! What changed on the way: `base_score` is a list since 3.1; dart's trees and weights lay in `gbtree` and beside it up
//! to 3.3 and lie together in `model` since; leaf vectors lie in `base_weights` by node up to 3.1 and in `leaf_weights`
//! by the leaf's number, which is its right child, since.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{GradientBooster, Learner};
use crate::error::{Error, Result};
use crate::form::Form;
use crate::tree::{NO_CHILD, Nodes};
use crate::value::{Member, Value, each};
use crate::version::Version;

/// Reads a whole model file: version and learner.
pub(super) fn read(root: &Value<'_>, form: Form) -> Result<Learner> {
    let version = root.read_if("version", version)?.unwrap_or(Version::new(1, 0));
    root.read("learner", |learner| {
        let parameters = learner.member("learner_model_param")?;
        let count = |name| parameters.read_if(name, Value::count).map_err(|error| error.within("learner_model_param"));
        Ok(Learner {
            version,
            form,
            objective: learner
                .read("objective", |objective| objective.read("name", |name| name.text().map(str::to_owned)))?,
            features: count("num_feature")?.unwrap_or(0),
            classes: count("num_class")?.unwrap_or(0),
            targets: count("num_target")?.unwrap_or(0),
            base_scores: learner
                .read("learner_model_param", |parameters| parameters.read("base_score", base_scores))?,
            gradient_booster: learner.read("gradient_booster", gradient_booster)?,
            feature_names: learner.read_if("feature_names", Value::texts)?.unwrap_or_default(),
            feature_types: learner.read_if("feature_types", Value::texts)?.unwrap_or_default(),
            attributes: learner.read_if("attributes", attributes)?.unwrap_or_default(),
        })
    })
}

fn version(value: &Value<'_>) -> Result<Version> {
    let numbers = value.integers()?;
    let number = |at: usize| numbers.get(at).and_then(|&number| u32::try_from(number).ok());
    match (number(0), number(1)) {
        (Some(major), Some(minor)) => Ok(Version { patch: number(2), ..Version::new(major, minor) }),
        _ => Err(Error::malformed("", "expected major, minor and patch level")),
    }
}

/// A number, or a text that holds a number or numbers in brackets.
fn base_scores(value: &Value<'_>) -> Result<Vec<f32>> {
    let Value::Text(text) = value else {
        return value.float().map(|score| vec![score]);
    };
    let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let scores = list.map(|list| list.split(',').map(|text| base_score(text.trim())).collect());
    scores.unwrap_or_else(|| base_score(text).map(|score| vec![score]))
}

/// XGBoost writes at most nine digits, which are enough for any `f32`, and takes a longer or other text for 0.5.
fn base_score(text: &str) -> Result<f32> {
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text).bytes();
    let digits = mantissa.filter(u8::is_ascii_digit).skip_while(|&digit| digit == b'0').count();
    let is_number = digits <= 9 && text.starts_with(['-', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    let score = is_number.then(|| text.parse().ok()).flatten().filter(|_| !text.ends_with(char::is_alphabetic));
    score.ok_or_else(|| Error::malformed("", "expected a number of at most nine digits, or such numbers in brackets"))
}

fn attributes(value: &Value<'_>) -> Result<Vec<(String, String)>> {
    let attribute = |(name, value): &Member<'_>| match value.text() {
        Ok(text) => Ok((name.clone().into_owned(), text.to_owned())),
        Err(error) => Err(error.within(name)),
    };
    value.members()?.iter().map(attribute).collect()
}

fn gradient_booster(value: &Value<'_>) -> Result<GradientBooster> {
    match value.read("name", Value::text)? {
        "gblinear" => {
            let weights =
                value.read("model", |model| model.read("weights", |weights| weights.floats().map(Cow::into_owned)))?;
            Ok(GradientBooster::Linear(weights))
        }
        "gbtree" => value.read("model", |model| forest(model, model)),
        "dart" => value.read("gbtree", |inner| inner.read("model", |model| forest(model, value))),
        name => {
            Err(Error::unsupported("name", format_args!("expected `gbtree`, `dart` or `gblinear`, found `{name}`")))
        }
    }
}

/// The trees of `model`, with the weights that stand in `around` if it is a dart booster.
fn forest(model: &Value<'_>, around: &Value<'_>) -> Result<GradientBooster> {
    let mut trees = model.read("trees", |trees| each(trees.elements()?, tree))?;
    let targets = model.read("tree_info", Value::integers)?;
    expect_length("tree_info", targets.len(), trees.len())?;
    for (tree, &target) in trees.iter_mut().zip(&*targets) {
        tree.target = index(target);
    }
    let weights = around.read_if("weight_drop", Value::floats)?;
    if let Some(weights) = &weights {
        expect_length("weight_drop", weights.len(), trees.len())?;
        trees.iter_mut().zip(&**weights).for_each(|(tree, &weight)| tree.weight = weight);
    }
    model.read_if("iteration_indptr", |rounds| check_rounds(rounds, trees.len()))?;
    let parameters = model.member("gbtree_model_param");
    let parallel_trees = parameters.map_or(Ok(None), |found| found.read_if("num_parallel_tree", Value::count));
    let parallel_trees = parallel_trees.map_err(|error| error.within("gbtree_model_param"))?.unwrap_or(1);
    Ok(GradientBooster::Trees { trees, parallel_trees, is_dart: weights.is_some() })
}

/// Where each round's trees begin, and behind the last one where they end: XGBoost uses no others.
fn check_rounds(rounds: &Value<'_>, trees: usize) -> Result<()> {
    let starts = rounds.integers()?;
    let is_whole = starts.first() == Some(&0) && starts.last().is_some_and(|&end| usize::try_from(end) == Ok(trees));
    if is_whole && starts.is_sorted() {
        return Ok(());
    }
    Err(Error::malformed("", format_args!("expected ascending numbers from 0 to {trees}, the number of trees")))
}

fn expect_length(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::malformed(name, format_args!("expected {expected} entries, found {found}")))
}

fn tree(value: &Value<'_>) -> Result<Nodes> {
    let indices = |name| value.read(name, |array| Ok(array.integers()?.iter().copied().map(index).collect::<Vec<_>>()));
    let values_per_leaf =
        value.read("tree_param", |parameters| parameters.read_if("size_leaf_vector", Value::count))?;
    let mut nodes = Nodes {
        left: indices("left_children")?,
        right: indices("right_children")?,
        feature: indices("split_indices")?,
        default_left: value.read("default_left", |array| flags(&array.integers()?))?,
        condition: value.read("split_conditions", |array| array.floats().map(Cow::into_owned))?,
        categories: categories(value)?,
        values_per_leaf: values_per_leaf.unwrap_or(1).max(1),
        cover: value.read_if("sum_hessian", |array| array.floats().map(Cow::into_owned))?.unwrap_or_default(),
        weight: 1.0,
        ..Nodes::default()
    };
    if nodes.values_per_leaf > 1 {
        nodes.leaf_vectors = leaf_vectors(value, &nodes)?;
    }
    Ok(nodes)
}

/// Truth values. XGBoost keeps one byte of other numbers, which no two versions need take for the same.
fn flags(numbers: &[i64]) -> Result<Vec<bool>> {
    match numbers.iter().position(|number| !(0..=1).contains(number)) {
        None => Ok(numbers.iter().map(|&number| number == 1).collect()),
        Some(at) => {
            let found = numbers[at];
            Err(Error::malformed(format_args!("[{at}]"), format_args!("expected 0 or 1, found {found}")))
        }
    }
}

/// A node's number, -1 standing for none; other numbers that no node can have stay such numbers, for the tree's check.
fn index(number: i64) -> u32 {
    match number {
        -1 => NO_CHILD,
        _ => u32::try_from(number).unwrap_or(NO_CHILD - 1),
    }
}

/// The leaf vectors in the order of the nodes, zeros where a node is no leaf.
fn leaf_vectors(tree: &Value<'_>, nodes: &Nodes) -> Result<Vec<f32>> {
    let width = nodes.values_per_leaf;
    let Some(by_leaf) = tree.read_if("leaf_weights", Value::floats)? else {
        return tree.read("base_weights", |array| array.floats().map(Cow::into_owned));
    };
    let is_leaf = |&(_, &left): &(usize, &u32)| left == NO_CHILD;
    let leaves = nodes.left.iter().enumerate().filter(is_leaf);
    if nodes.left.len().saturating_mul(width) > by_leaf.len().saturating_mul(4) {
        return Err(Error::malformed(
            "leaf_weights",
            format_args!("expected {width} entries for each of about {} leaves", nodes.left.len() / 2),
        ));
    }
    let mut vectors = vec![0.0; nodes.left.len() * width];
    for (node, _) in leaves {
        let leaf = nodes.right.get(node).map_or(usize::MAX, |&leaf| leaf as usize);
        let start = leaf.saturating_mul(width);
        let Some(vector) = by_leaf.get(start..start.saturating_add(width)) else {
            return Err(Error::malformed(
                format_args!("right_children[{node}]"),
                "expected the number of a leaf's vector",
            ));
        };
        vectors[node * width..][..width].copy_from_slice(vector);
    }
    Ok(vectors)
}

/// The categories that go right, for each node whose split is one of categories.
fn categories(tree: &Value<'_>) -> Result<BTreeMap<u32, Vec<u32>>> {
    let numbers = |name| tree.read_if(name, Value::integers).map(Option::unwrap_or_default);
    let (kinds, nodes) = (numbers("split_type")?, numbers("categories_nodes")?);
    let (segments, sizes, all) =
        (numbers("categories_segments")?, numbers("categories_sizes")?, numbers("categories")?);
    expect_length("categories_segments", segments.len(), nodes.len())?;
    expect_length("categories_sizes", sizes.len(), nodes.len())?;
    let split = |(node, _): (usize, bool)| u32::try_from(node).ok().map(|node| (node, Vec::new()));
    let kinds = flags(&kinds).map_err(|error| error.within("split_type"))?;
    let mut sets: BTreeMap<_, _> = kinds.into_iter().enumerate().filter(|kind| kind.1).filter_map(split).collect();
    let mut taken = 0;
    for (at, &node) in nodes.iter().enumerate() {
        let Some(set) = sets.get_mut(&index(node)) else { continue };
        let refused = |message: &str| Error::malformed(format_args!("categories_nodes[{at}]"), message);
        let range = usize::try_from(segments[at]).ok().zip(usize::try_from(sizes[at]).ok());
        let found = range.and_then(|(start, size)| all.get(start..start.checked_add(size)?));
        let found = found.ok_or_else(|| refused("expected a segment of `categories`"))?;
        taken += found.len();
        if taken > all.len() {
            return Err(refused("expected segments of `categories` that do not overlap"));
        }
        *set = found.iter().map(|&category| index(category)).collect();
        set.sort_unstable();
        set.dedup();
    }
    Ok(sets)
}
