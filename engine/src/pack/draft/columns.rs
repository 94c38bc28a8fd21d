//! What splits ask of a row, numbered: thresholds become ranks, and each feature as many columns as its splits tell apart.

use std::collections::HashMap;

use super::{Block, Column, Draft, Node, Ruler, WordBlock};
use crate::{
    pack::{
        format::{add_layers, ruler_length},
        key::sortable,
    },
    radix,
};

/// The most columns that are spent on ranks being bytes.
const BYTE_COLUMNS_MAX: usize = 1024;
/// Sets of categories are asked before the walk, so there may be this many, or one a tree.
const SETS_MAX: usize = 64;

/// Rulers and columns, and the word of each split in blocks of words.
#[expect(clippy::struct_field_names, reason = "they are what the sections are called")]
pub(super) struct Columns {
    pub(super) rulers: Vec<Ruler>,
    pub(super) columns: Vec<Column>,
    pub(super) marks: Vec<i32>,
    pub(super) rank_max: u32,
    /// For each node that is a split, what wide blocks say of it.
    pub(super) words: Vec<u32>,
}

/// The distinct thresholds of all features, ascending: `feature << 32 | threshold`.
struct Thresholds {
    sorted: Vec<u64>,
    /// For each of them, the index of its feature's ruler.
    rulers: Vec<u32>,
    /// For each ruler, the index of its first threshold, and where the last one's end.
    starts: Vec<usize>,
    /// For each node that splits by a number, which threshold is its own.
    of_nodes: Vec<u32>,
}

impl Columns {
    /// The columns of `draft`, where blocks can name what its splits ask.
    pub(super) fn of(draft: &Draft) -> Option<Self> {
        let mut thresholds = Thresholds::of(&draft.nodes)?;
        let rank_max = thresholds.rank_max();
        let mut columns = Self {
            rulers: Vec::new(),
            columns: Vec::new(),
            marks: Vec::new(),
            rank_max,
            words: std::mem::take(&mut thresholds.of_nodes),
        };
        columns.add_rulers(&thresholds, &draft.nodes)?;
        columns.add_categories(draft)?;
        (1..=WordBlock::COLUMNS_MAX).contains(&columns.columns.len()).then_some(columns)
    }

    /// Adds the columns of numbers and gives their splits words.
    fn add_rulers(&mut self, thresholds: &Thresholds, nodes: &[Node]) -> Option<()> {
        // A slot is a column that there would be if a split asked for it: two for each `rank_max` marks of a ruler.
        let mut first_slots = Vec::with_capacity(thresholds.starts.len());
        let mut slots = 0;
        for run in thresholds.starts.windows(2) {
            first_slots.push(slots);
            slots += (run[1] - run[0]).div_ceil(self.rank_max as usize) * 2;
        }
        let mut column_of_slot = vec![u32::MAX; slots];
        for (word, node) in self.words.iter_mut().zip(nodes).filter(|(_, node)| is_numeric(**node)) {
            // Until now, the word is the index of the threshold.
            let at = *word as usize;
            let ruler = thresholds.rulers[at] as usize;
            let rank = at - thresholds.starts[ruler];
            let slot = first_slots[ruler] + rank / self.rank_max as usize * 2 + usize::from(node.missing_goes_left());
            column_of_slot[slot] = 0;
            // Until columns have numbers, the word holds the slot behind the rank.
            *word = u32::try_from(rank % self.rank_max as usize + 1).ok()? << 16
                | u32::try_from(slot).ok().filter(|slot| *slot <= 0xffff)?;
        }
        for (index, run) in thresholds.starts.windows(2).enumerate() {
            let (first_slot, marks) = (first_slots[index], &thresholds.sorted[run[0]..run[1]]);
            let last_slot = first_slots.get(index + 1).copied().unwrap_or(slots);
            self.add_ruler(marks, &mut column_of_slot[first_slot..last_slot])?;
        }
        for (word, _) in self.words.iter_mut().zip(nodes).filter(|(_, node)| is_numeric(**node)) {
            *word = (*word & 0xffff_0000) | (column_of_slot[(*word & 0xffff) as usize] * 8);
        }
        Some(())
    }

    /// Adds the ruler of `thresholds`, all of one feature, and numbers those of its slots that are not [`u32::MAX`].
    fn add_ruler(&mut self, thresholds: &[u64], slots: &mut [u32]) -> Option<()> {
        let feature = u32::try_from(thresholds[0] >> 32).ok()?;
        let first_column = self.columns.len();
        for (at, slot) in slots.iter_mut().enumerate().filter(|(_, slot)| **slot != u32::MAX) {
            *slot = column_index(self.columns.len())?;
            let flags = if at % 2 == 1 { Column::MISSING_LEFT } else { 0 };
            let from = u32::try_from(at / 2).ok()? * self.rank_max;
            self.columns.push(Column { feature, flags, from, reserved: 0 });
        }
        self.rulers.push(Ruler {
            feature,
            first_mark: u32::try_from(self.marks.len()).ok()?,
            marks: u32::try_from(thresholds.len()).ok()?,
            columns: u32::try_from(self.columns.len() - first_column).ok()?,
        });
        let start = self.marks.len();
        self.marks.extend(thresholds.iter().map(|&threshold| mark(threshold)));
        add_layers(&mut self.marks, start);
        debug_assert_eq!(self.marks.len() - start, ruler_length(thresholds.len()));
        Some(())
    }

    /// Adds a column for each different set that is asked of a feature, and gives its splits words.
    fn add_categories(&mut self, draft: &Draft) -> Option<()> {
        let mut known = HashMap::new();
        let splits = draft.nodes.iter().enumerate().filter(|(_, node)| !node.is_leaf() && node.is_category_split());
        for (index, node) in splits {
            let set = draft.category_sets[node.category_set()];
            let words = &draft.category_bits[set.first_word as usize..][..set.words as usize];
            let column = *known.entry((node.feature(), node.missing_goes_left(), words)).or_insert_with(|| {
                let flags = if node.missing_goes_left() { Column::MISSING_LEFT } else { 0 };
                let (feature, from) = (node.tag & Node::FEATURE, node.value.to_bits());
                self.columns.push(Column { feature, flags, from, reserved: 0 });
                self.columns.len() - 1
            });
            self.words[index] = (1 << 16) | (column_index(column)? * 8);
        }
        (known.len() <= SETS_MAX.max(draft.trees.len())).then_some(())
    }
}

/// The index of a column, if splits can name it.
fn column_index(column: usize) -> Option<u32> {
    u32::try_from(column).ok().filter(|_| column < WordBlock::COLUMNS_MAX)
}

impl Thresholds {
    /// Those of `nodes`.
    fn of(nodes: &[Node]) -> Option<Self> {
        let numeric = (0..).zip(nodes).filter(|(_, node)| is_numeric(**node));
        let mut splits: Vec<(u64, u32)> = numeric.map(|(index, node)| (threshold(*node), index)).collect();
        radix::sort_by_key(&mut splits, |split| split.0);
        let (mut sorted, mut rulers, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        let mut of_nodes = vec![0; nodes.len()];
        for (threshold, node) in splits {
            if sorted.last() != Some(&threshold) {
                if sorted.last().is_none_or(|last| last >> 32 != threshold >> 32) {
                    starts.push(sorted.len());
                }
                rulers.push(u32::try_from(starts.len() - 1).ok()?);
                sorted.push(threshold);
            }
            of_nodes[node as usize] = u32::try_from(sorted.len() - 1).ok()?;
        }
        starts.push(sorted.len());
        Some(Self { sorted, rulers, starts, of_nodes })
    }

    /// Bytes, where that takes not too many columns more.
    fn rank_max(&self) -> u32 {
        let columns = |rank_max: u32| -> usize {
            let more = |run: &[usize]| (run[1] - run[0] - 1) / rank_max as usize * 2;
            self.starts.windows(2).map(more).sum()
        };
        if columns(Block::RANK_MAX) <= BYTE_COLUMNS_MAX { Block::RANK_MAX } else { WordBlock::RANK_MAX }
    }
}

fn is_numeric(node: Node) -> bool {
    !node.is_leaf() && !node.is_category_split()
}

/// The feature and the threshold of a split on a number, as one number that sorts by both.
///
/// Nothing is less than NaN, and nothing is less than minus infinity.
fn threshold(node: Node) -> u64 {
    let threshold = if node.value.is_nan() { f32::NEG_INFINITY } else { node.value };
    (node.feature() as u64) << 32 | u64::from(sortable(threshold).cast_unsigned() ^ 1 << 31)
}

/// The mark that a threshold is.
#[expect(clippy::cast_possible_truncation, reason = "the feature stands in the upper half")]
fn mark(threshold: u64) -> i32 {
    (threshold as u32 ^ 1 << 31).cast_signed()
}
