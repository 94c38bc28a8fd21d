//! The legacy binary form of XGBoost 0.4 to 3.0: C structures as they lay in memory, little-endian.

use super::{GradientBooster, Learner};
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::form::{Form, LEGACY_SIGNATURE};
use crate::tree::{NO_CHILD, Nodes};
use crate::version::Version;

/// The longest text accepted, of objectives, attributes and their like.
const TEXT_MAX: u64 = 1 << 20;

/// Bytes of a node and of its statistics.
const NODE_BYTES: usize = 20;
const STATISTICS_BYTES: usize = 16;

/// Where a file's parameter block stores what counts, and how long it is: the rest is reserved.
const LEARNER_BYTES: usize = 136;
const FOREST_BYTES: usize = 160;
const TREE_BYTES: usize = 148;
const LINEAR_BYTES: usize = 136;

/// Reads the file, with or without its signature.
pub(super) fn read(bytes: &[u8], form: Form) -> Result<Learner> {
    let mut cursor = Cursor::new(bytes);
    if bytes.starts_with(LEGACY_SIGNATURE) {
        cursor.take(LEGACY_SIGNATURE.len())?;
    }
    let mut parameters = block(&mut cursor, LEARNER_BYTES)?;
    let base_score = parameters.f32_little()?;
    let features = parameters.u32_little()? as usize;
    let classes = count(&cursor, &mut parameters, "classes")?;
    let has_attributes = parameters.i32_little()? != 0;
    parameters.i32_little()?;
    let version = Version::new(parameters.u32_little()?, parameters.u32_little()?);
    let targets = count(&cursor, &mut parameters, "targets")?;
    let objective = text(&mut cursor)?;
    let gradient_booster = gradient_booster(&mut cursor)?;
    let attributes = if has_attributes { attributes(&mut cursor)? } else { Vec::new() };
    Ok(Learner {
        version,
        form,
        objective,
        features,
        classes,
        targets,
        base_scores: vec![base_score],
        gradient_booster,
        feature_names: Vec::new(),
        feature_types: Vec::new(),
        attributes,
    })
}

/// A reader of the next `length` bytes.
fn block<'a>(cursor: &mut Cursor<'a>, length: usize) -> Result<Cursor<'a>> {
    cursor.take(length).map(Cursor::new)
}

/// The next number of a parameter block that ends where `file` stands.
fn count(file: &Cursor<'_>, block: &mut Cursor<'_>, what: &str) -> Result<usize> {
    let count = block.i32_little()?;
    usize::try_from(count).map_err(|_| file.complaint(format_args!("{count} {what} in the parameters before this")))
}

fn text(cursor: &mut Cursor<'_>) -> Result<String> {
    let length = cursor.u64_little()?;
    if length > TEXT_MAX {
        return Err(cursor.complaint(format_args!("expected a text, its length would be {length}")));
    }
    cursor.take_counted(length).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn attributes(cursor: &mut Cursor<'_>) -> Result<Vec<(String, String)>> {
    let count = cursor.u64_little()?;
    (0..count).map(|_| Ok((text(cursor)?, text(cursor)?))).collect()
}

fn gradient_booster(cursor: &mut Cursor<'_>) -> Result<GradientBooster> {
    match text(cursor)?.as_str() {
        "gbtree" => {
            let (trees, parallel_trees) = forest(cursor)?;
            Ok(GradientBooster::Trees { trees, parallel_trees, is_dart: false })
        }
        "dart" => {
            let (mut trees, parallel_trees) = forest(cursor)?;
            weigh(cursor, &mut trees)?;
            Ok(GradientBooster::Trees { trees, parallel_trees, is_dart: true })
        }
        "gblinear" => {
            cursor.take(LINEAR_BYTES)?;
            let count = cursor.u64_little()?;
            cursor.f32s_little(count).map(GradientBooster::Linear)
        }
        name => {
            Err(cursor.complaint(format_args!("expected `gbtree`, `dart` or `gblinear` before this, found `{name}`")))
        }
    }
}

/// The trees, and how many of them a round made for each target.
fn forest(cursor: &mut Cursor<'_>) -> Result<(Vec<Nodes>, usize)> {
    let mut parameters = block(cursor, FOREST_BYTES)?;
    let trees = count(cursor, &mut parameters, "trees")?;
    // Every file up to 1.2 says 1, for it counted roots here.
    let parallel_trees = parameters.u32_little()? as usize;
    let mut trees = (0..trees).map(|_| tree(cursor)).collect::<Result<Vec<_>>>()?;
    for tree in &mut trees {
        tree.target = cursor.u32_little()?;
    }
    Ok((trees, parallel_trees))
}

/// Reads the weight of each tree of a dart booster.
fn weigh(cursor: &mut Cursor<'_>, trees: &mut [Nodes]) -> Result<()> {
    let count = cursor.u64_little()?;
    if count != trees.len() as u64 {
        return Err(cursor.complaint(format_args!("expected the weights of {} trees, found {count}", trees.len())));
    }
    for tree in trees {
        tree.weight = cursor.f32_little()?;
    }
    Ok(())
}

fn tree(cursor: &mut Cursor<'_>) -> Result<Nodes> {
    let mut parameters = block(cursor, TREE_BYTES)?;
    parameters.i32_little()?;
    let count = parameters.u32_little()? as usize;
    parameters.take(12)?;
    let leaf_vector = parameters.i32_little()?;
    if leaf_vector > 1 {
        let place = format_args!("offset {}", cursor.offset()).to_string();
        return Err(Error::unsupported(
            place,
            format_args!("a tree with leaf vectors of {leaf_vector} values before this"),
        ));
    }
    let nodes = cursor.take(count.saturating_mul(NODE_BYTES))?;
    let statistics = cursor.take(count.saturating_mul(STATISTICS_BYTES))?;
    // The bytes of that many nodes are there.
    let mut tree = Nodes {
        left: Vec::with_capacity(count),
        right: Vec::with_capacity(count),
        feature: Vec::with_capacity(count),
        default_left: Vec::with_capacity(count),
        condition: Vec::with_capacity(count),
        values_per_leaf: 1,
        weight: 1.0,
        ..Nodes::default()
    };
    for node in nodes.as_chunks().0 {
        push_node(&mut tree, node);
    }
    tree.cover = statistics
        .as_chunks()
        .0
        .iter()
        .map(|statistics: &[u8; STATISTICS_BYTES]| word(statistics, 1))
        .map(f32::from_bits)
        .collect();
    Ok(tree)
}

/// Adds a node: parent, left and right child, feature with the default direction in its highest bit, condition or value.
fn push_node(tree: &mut Nodes, node: &[u8; NODE_BYTES]) {
    const _: () = assert!(u32::MAX == NO_CHILD, "-1, which stands for no child in the file, is NO_CHILD");
    let feature = word(node, 3);
    tree.left.push(word(node, 1));
    tree.right.push(word(node, 2));
    tree.feature.push(feature & 0x7fff_ffff);
    tree.default_left.push(feature >> 31 == 1);
    tree.condition.push(f32::from_bits(word(node, 4)));
}

/// The little-endian word number `at`.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.as_chunks().0.get(at).map_or(0, |&word| u32::from_le_bytes(word))
}
