//! The check that every model passes before it is used: on probe rows, what a pack or another engine answers must equal
//! the booster's own arithmetic, bit for bit, and what the fast kernels answer what the plain one does.
//!
//! Probe rows are what conversions go wrong at: everything missing, each threshold met, the numbers next to it, and
//! numbers beyond all bounds.

use thicket_converters::{Booster, Model, Tree, arithmetic};

use ndarray::{Array2, Axis, aview1};

use crate::{
    foreign::Ensemble,
    kernel,
    pack::{Sections, format::Node},
    radix,
};

/// How many rows are tried.
pub(crate) const PROBES: usize = 64;

/// Compares margins, and leaves where they have numbers.
///
/// # Errors
/// The first difference in words.
pub(crate) fn verify(booster: &Booster, forest: &Sections<'_>) -> Result<(), String> {
    if (forest.forest.features as usize, forest.base.len()) != (booster.features, booster.targets) {
        return Err("the pack does not verify: it has other features or targets than the booster".to_owned());
    }
    let rows = Probes::new(booster).rows();
    let slices = slices(&rows);
    let expected = arithmetic::answers(booster, &slices);
    let (margins, leaves) = kernel::answers(forest, &slices);
    if let Some((probe, expected, found)) = difference(&expected.margins, &margins, is_same) {
        return Err(format!(
            "the pack does not verify: on probe row {probe} it answers {found:?}, the booster {expected:?}"
        ));
    }
    let has_numbers = forest.forest.values_per_leaf > 0;
    if let Some((probe, ..)) = difference(&expected.leaves, &leaves, is_leaf_for_leaf).filter(|_| has_numbers) {
        return Err(format!("the pack does not verify: on probe row {probe} it reaches other leaves"));
    }
    compare_kernels(forest, &rows, &margins)
}

/// The first probe row that is not answered as expected: its number and both answers.
fn difference<'a, T>(
    expected: &'a [T],
    found: &'a [f32],
    is_right: impl Fn(&[T], &[f32]) -> bool,
) -> Option<(usize, &'a [T], &'a [f32])> {
    let of_row = |length: usize, row: usize| length / PROBES * row..length / PROBES * (row + 1);
    let both = |row| (row, &expected[of_row(expected.len(), row)], &found[of_row(found.len(), row)]);
    (0..PROBES).map(both).find(|(_, expected, found)| !is_right(expected, found))
}

#[expect(clippy::cast_precision_loss, reason = "answers are f32")]
fn is_leaf_for_leaf(expected: &[u32], found: &[f32]) -> bool {
    expected.len() == found.len()
        && expected.iter().zip(found).all(|(&leaf, found)| (leaf as f32).to_bits() == found.to_bits())
}

/// Compares `forest` with the plain evaluation of the ensemble that it was compiled from.
///
/// A pack sums in `f32`, leaf after leaf, as ONNX Runtime does for single rows: an average, and an ensemble of doubles, may
/// differ in the last bits.
///
/// # Errors
/// The first difference in words.
pub(crate) fn verify_ensemble(ensemble: &Ensemble, forest: &Sections<'_>) -> Result<(), String> {
    let rows = Probes::over(ensemble.splits(), ensemble.features()).rows();
    let slices = slices(&rows);
    let expected: Vec<f32> = slices.iter().flat_map(|row| ensemble.sums(row)).collect();
    let (margins, _) = kernel::answers(forest, &slices);
    let is_right =
        |expected: &[f32], found: &[f32]| is_same(expected, found) || is_close(expected, found, ensemble.tolerance());
    if let Some((probe, expected, found)) = difference(&expected, &margins, is_right) {
        return Err(format!(
            "the pack does not verify: on probe row {probe} it answers {found:?}, the graph {expected:?}"
        ));
    }
    compare_kernels(forest, &rows, &margins)
}

/// Compares what the fast kernels answer with what the plain one does, where no more is known of a pack.
///
/// # Errors
/// The first difference in words.
pub(crate) fn verify_kernels(forest: &Sections<'_>) -> Result<(), String> {
    if !forest.has_blocks() {
        return Ok(());
    }
    let splits = forest.nodes.iter().filter(|node| !node.is_leaf() && !node.is_category_split());
    let splits = splits.map(|split| (split.tag & Node::FEATURE, split.value));
    let rows = Probes::over(splits, forest.forest.features as usize).rows();
    let slices = slices(&rows);
    compare_kernels(forest, &rows, &kernel::answers(forest, &slices).0)
}

/// Gives rows, for which the plain kernel found `margins`, to the fast kernels, one by one and all at once.
fn compare_kernels(forest: &Sections<'_>, rows: &Array2<f32>, margins: &[f32]) -> Result<(), String> {
    for size in [1, PROBES] {
        let mut found = Vec::with_capacity(margins.len());
        for rows in rows.axis_chunks_iter(Axis(0), size) {
            kernel::each_margins(forest, rows, |margins| found.extend_from_slice(margins));
        }
        if !is_same(margins, &found) {
            return Err(format!("the pack does not verify: {size} rows at once are answered as the trees are not"));
        }
    }
    Ok(())
}

fn slices(rows: &Array2<f32>) -> Vec<&[f32]> {
    rows.rows().into_iter().map(|row| row.to_slice().expect("rows that were made here lie in one piece")).collect()
}

/// Whether numbers differ by `tolerance` at the most; NaN is close to NaN.
fn is_close(expected: &[f32], found: &[f32], tolerance: f32) -> bool {
    let is_close = |(one, other): (&f32, &f32)| (one - other).abs() <= tolerance || (one.is_nan() && other.is_nan());
    expected.iter().zip(found).all(is_close)
}

/// Whether numbers are equal to the bit.
pub(crate) fn is_same(expected: &[f32], found: &[f32]) -> bool {
    expected.iter().map(|number| number.to_bits()).eq(found.iter().map(|number| number.to_bits()))
}

/// An endless supply of rows that are awkward for one booster; the same ones every time.
pub(crate) struct Probes {
    /// Features of splits, ascending, and their thresholds or categories, as often as trees ask them.
    splits: Vec<(u32, f32)>,
    row: Vec<f32>,
    is_first: bool,
    state: u64,
}

impl Probes {
    pub(crate) fn new(booster: &Booster) -> Self {
        let of_trees = booster.trees().iter().flat_map(splits);
        let is_linear = matches!(booster.model, Model::Linear(_));
        let of_columns = (0..booster.features).take_while(|_| is_linear);
        let of_columns = of_columns.map(|feature| (u32::try_from(feature).unwrap_or(u32::MAX), 1.5));
        Self::over(of_trees.chain(of_columns), booster.features)
    }

    /// Rows of `features` columns that are awkward for those splits: `(feature, threshold or category)`.
    pub(crate) fn over(splits: impl Iterator<Item = (u32, f32)>, features: usize) -> Self {
        let mut splits: Vec<_> = splits.collect();
        radix::sort_by_key(&mut splits, |(feature, _)| feature.into());
        Self { splits, row: vec![f32::NAN; features], is_first: true, state: 0 }
    }

    /// The first [`PROBES`] rows.
    fn rows(mut self) -> Array2<f32> {
        let mut rows = Array2::zeros((PROBES, self.row.len()));
        rows.rows_mut().into_iter().for_each(|mut row| row.assign(&aview1(self.next_row())));
        rows
    }

    /// The next row; in the first one everything is missing.
    pub(crate) fn next_row(&mut self) -> &[f32] {
        if !std::mem::take(&mut self.is_first) {
            self.fill();
        }
        &self.row
    }

    /// Gives each feature a value that one of its splits turns on; features without splits stay missing.
    fn fill(&mut self) {
        let mut start = 0;
        while start < self.splits.len() {
            let (feature, _) = self.splits[start];
            let count = self.splits[start..].partition_point(|split| split.0 == feature);
            let chosen = start + self.below(count);
            let (_, value) = self.splits[chosen];
            self.row[feature as usize] = match self.below(10) {
                0 | 1 => value,
                2 | 3 => value.next_down(),
                4 | 5 => value.next_up(),
                6 => -value,
                7 => 1e10,
                8 => -1e10,
                _ => f32::NAN,
            };
            start += count;
        }
    }

    /// A number of the sequence "splitmix64" (Steele, Lea, Flood 2014), below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = (u128::from(mixed ^ (mixed >> 31)) * bound as u128) >> 64;
        usize::try_from(share).expect("a share of the bound is below it")
    }
}

/// What the reachable splits of `tree` turn on.
fn splits(tree: &Tree) -> Vec<(u32, f32)> {
    let mut splits = Vec::new();
    for node in tree.reachable().iter().copied().filter(|&node| !tree.is_leaf(node as usize)) {
        let feature = tree.feature[node as usize];
        match tree.categories.get(&node) {
            None => splits.push((feature, tree.condition[node as usize])),
            #[expect(clippy::cast_precision_loss, reason = "categories are below 2^24")]
            Some(categories) => splits.extend(categories.iter().map(|&category| (feature, category as f32))),
        }
    }
    splits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        compile, foreign,
        pack::{Pack, draft::SecondForm},
        sample::TREE,
    };
    use thicket_converters::{onnx, read_booster};

    fn verdict(change: impl Fn(&mut crate::pack::draft::Draft)) -> Result<(), String> {
        let booster = read_booster(TREE.as_bytes()).unwrap();
        let mut draft = compile::compile(&onnx::lower(&booster).unwrap()).unwrap().with_second_form();
        change(&mut draft);
        verify(&booster, Pack::from_bytes(&draft.write()).unwrap().sections())
    }

    /// The same trees as another tool would write them: an ensemble and nothing around it.
    fn verdict_of_ensemble(change: impl Fn(&mut crate::pack::draft::Draft)) -> Result<(), String> {
        let mut model = onnx::lower(&read_booster(TREE.as_bytes()).unwrap()).unwrap();
        model.metadata_props.clear();
        let graph = model.graph.as_mut().unwrap();
        graph.node.truncate(1);
        graph.output.truncate(1);
        graph.output[0].name.clone_from(&graph.node[0].output[0]);
        let ensemble = foreign::read(&model).unwrap();
        let mut draft = foreign::compile(&ensemble, &model).unwrap();
        change(&mut draft);
        verify_ensemble(&ensemble, Pack::from_bytes(&draft.write()).unwrap().sections())
    }

    #[test]
    fn a_planted_fault_in_an_ensemble_is_found() {
        assert_eq!(verdict_of_ensemble(|_| ()), Ok(()));
        let found = |change: fn(&mut crate::pack::draft::Draft)| assert!(verdict_of_ensemble(change).is_err());
        found(|draft| draft.nodes[0].value = draft.nodes[0].value.next_up());
        found(|draft| draft.nodes[0].value = draft.nodes[0].value.next_down());
        found(|draft| draft.nodes[0].tag ^= crate::pack::format::Node::MISSING_LEFT);
        found(|draft| draft.nodes[2].value = draft.nodes[2].value.next_up());
        found(|draft| draft.base[0] = 1.0);
        found(|draft| draft.trees.clear());
    }

    #[test]
    fn a_right_pack_verifies_and_every_planted_fault_is_found() {
        assert_eq!(verdict(|_| ()), Ok(()));
        let found = |change: fn(&mut crate::pack::draft::Draft)| assert!(verdict(change).is_err());
        found(|draft| draft.nodes[0].value = draft.nodes[0].value.next_up());
        found(|draft| draft.nodes[0].value = draft.nodes[0].value.next_down());
        found(|draft| draft.nodes[0].tag ^= crate::pack::format::Node::MISSING_LEFT);
        found(|draft| draft.nodes[0].tag |= 1);
        found(|draft| draft.nodes[2].value = draft.nodes[2].value.next_up());
        found(|draft| draft.base[0] = 0.0);
        found(|draft| draft.forest.features = 3);
        found(|draft| {
            draft.trees.clear();
            draft.second_form = SecondForm::default();
        });
        found(|draft| draft.nodes[2].next = 1);
        found(|draft| draft.second_form.blocks[0].exits[7] ^= 1);
        found(|draft| {
            // The splits above it only fill the block up, and there all rows go right.
            let rank = draft.second_form.blocks[0].ranks.iter_mut().rev().find(|rank| **rank > 0);
            *rank.unwrap() += 1;
        });
        found(|draft| draft.second_form.marks[0] += 1);
        found(|draft| draft.second_form.columns[0].flags ^= 1);
    }
}
