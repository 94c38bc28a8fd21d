//! The names under which a lowered model's metadata says what its graph cannot.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The program that wrote the booster: `xgboost 1.7.6`.
pub const WRITER: &str = "thicket.writer";
/// The form of the booster's file, in words.
pub const FORM: &str = "thicket.form";
/// How the value of [`FORM`] ends when the file is a pickle.
pub const PICKLED: &str = " in a pickle";
/// The objective's name in XGBoost's files.
pub const OBJECTIVE: &str = "thicket.objective";
/// The number of the link that leads from `margin` to `value`: [`Link::code`](crate::Link::code).
pub const LINK: &str = "thicket.link";
/// The order in which XGBoost sums a margin: [`BASE_THEN_LEAVES`] or [`LEAVES_THEN_BASE`]; absent from
/// linear models.
///
/// The graph always sums the leaves first, so a runtime that follows it can differ in a margin's last bits.
pub const SUM_ORDER: &str = "thicket.sum_order";
/// A value of [`SUM_ORDER`].
pub const BASE_THEN_LEAVES: &str = "base_then_leaves";
/// A value of [`SUM_ORDER`].
pub const LEAVES_THEN_BASE: &str = "leaves_then_base";
/// Present where splits ask categories: how a number becomes one. The only value is [`TRUNCATE`].
pub const CATEGORIES: &str = "thicket.categories";
/// The whole part of a number is its category; a negative number or one from 2^24 on is in no set.
///
/// The graph compares the number itself, so a runtime that follows it differs for numbers that are not whole.
pub const TRUNCATE: &str = "truncate";
/// How many trees a target early stopping found best, where the booster's pickle says. The graph has no more than these.
pub const BEST_NTREE_LIMIT: &str = "thicket.best_ntree_limit";
/// The columns' names, a JSON array of text.
pub const FEATURE_NAMES: &str = "thicket.feature_names";
/// The columns' types in XGBoost's words, a JSON array of text.
pub const FEATURE_TYPES: &str = "thicket.feature_types";
/// The covers of the leaves in the order of the graph's leaves, little-endian `f32` in base64; present only where every
/// tree knows its covers. Those of the splits are the attribute `nodes_hitrates`.
pub const LEAF_COVERS: &str = "thicket.leaf_covers";
/// The numbers that the leaves' nodes have in their trees in the trainer's file, in the order of the graph's leaves,
/// little-endian `u32` in base64.
pub const LEAF_NUMBERS: &str = "thicket.leaf_numbers";
/// Present beside [`LEAF_NUMBERS`]: how many trees of the graph, one behind the other, are one tree of the trainer's file.
pub const VALUES_PER_LEAF: &str = "thicket.values_per_leaf";

/// The text for numbers of four bytes each.
pub(super) fn pack(words: impl Iterator<Item = [u8; 4]>) -> String {
    BASE64.encode(words.collect::<Vec<_>>().as_flattened())
}

/// The four bytes of each number in such a text; `None` where it is none.
#[must_use]
pub fn unpack(text: &str) -> Option<Vec<[u8; 4]>> {
    let bytes = BASE64.decode(text).ok()?;
    let (words, rest) = bytes.as_chunks();
    rest.is_empty().then(|| words.to_vec())
}
