//! The check that every conversion passes before it is published: on probe rows, the pack's margins must equal those of
//! the booster's own arithmetic, bit for bit.
//!
//! Probe rows are what conversions go wrong at: everything missing, each threshold met, and the numbers next to it.

use thicket_converters::{Booster, Tree, arithmetic};

use crate::{kernel, pack::Sections};

/// How many rows are tried beside the one where everything is missing.
const PROBES: usize = 64;

/// Compares `forest` with `booster`.
///
/// # Errors
/// The first difference in words.
pub(crate) fn verify(booster: &Booster, forest: &Sections<'_>) -> Result<(), String> {
    if (forest.forest.features as usize, forest.base.len()) != (booster.features, booster.targets) {
        return Err("the pack does not verify: it has other features or targets than the booster".to_owned());
    }
    let mut probes = Probes::new(booster);
    let mut row = vec![f32::NAN; booster.features];
    let (mut expected, mut found) = (Vec::with_capacity(booster.targets), vec![0.0; booster.targets]);
    for probe in 0..=PROBES {
        expected.clear();
        arithmetic::margins(booster, &row, &mut expected);
        kernel::margins(forest, &row, &mut found);
        if !expected.iter().map(|x| x.to_bits()).eq(found.iter().map(|x| x.to_bits())) {
            return Err(format!("the pack does not verify: on probe row {probe} it answers {found:?}, the booster {expected:?}"));
        }
        probes.fill(&mut row);
    }
    Ok(())
}

/// An endless supply of rows that are awkward for one booster; the same ones every time.
struct Probes {
    /// `(feature, value)` of splits: thresholds and categories.
    splits: Vec<(u32, f32)>,
    state: u64,
}

impl Probes {
    fn new(booster: &Booster) -> Self {
        let mut splits: Vec<_> = booster.trees().iter().flat_map(splits).collect();
        splits.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        splits.dedup();
        Self { splits, state: 0x9e37_79b9_7f4a_7c15 }
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

    /// Gives each feature a value that one of its splits turns on; features without splits keep what they have.
    fn fill(&mut self, row: &mut [f32]) {
        let mut start = 0;
        while start < self.splits.len() {
            let feature = self.splits[start].0;
            let count = self.splits[start..].partition_point(|split| split.0 == feature);
            let chosen = start + self.below(count);
            let value = self.splits[chosen].1;
            row[feature as usize] = match self.below(8) {
                0 | 1 => value,
                2 | 3 => value.next_down(),
                4 | 5 => value.next_up(),
                6 => -value,
                _ => f32::NAN,
            };
            start += count;
        }
    }
}

/// What the reachable splits of `tree` turn on.
fn splits(tree: &Tree) -> Vec<(u32, f32)> {
    let mut splits = Vec::new();
    for node in tree.reachable().into_iter().filter(|&node| !tree.is_leaf(node as usize)) {
        let feature = tree.feature[node as usize];
        match tree.categories.get(&node) {
            None => splits.push((feature, tree.condition[node as usize])),
            #[expect(clippy::cast_precision_loss, reason = "categories are below 2^24")]
            Some(categories) => splits.extend(categories.iter().map(|&category| (feature, category as f32))),
        }
    }
    splits
}
