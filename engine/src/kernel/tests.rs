//! Every kernel against the plain one, on forests of all shapes.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "small numbers"
)]

use ndarray::Array2;

use super::{processor::Processor, *};
use crate::pack::{
    Pack,
    draft::{Draft, SecondForm},
    format::{Block, CategorySet, Forest, Node, Tree, WordBlock},
};

mod units;

/// The sequence "splitmix64" (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 33) as usize % bound
    }

    /// One of the first `count` of a few thousand numbers, ascending and with both zeros among them.
    fn number(&mut self, count: usize) -> f32 {
        let number = self.below(count) as f32 - (count / 2) as f32;
        if number == 0.0 && self.below(2) == 0 { -0.0 } else { number * 0.37 }
    }
}

/// What a random forest looks like.
#[derive(Clone, Copy, Debug)]
struct Shape {
    trees: usize,
    height_max: usize,
    /// Of 100 nodes that may be splits, how many are.
    splits: usize,
    features: usize,
    thresholds: usize,
    targets: usize,
    /// Of 100 splits, how many ask for a category.
    categories: usize,
    sum_order: u32,
}

const PLAIN: Shape = Shape {
    trees: 21,
    height_max: 6,
    splits: 90,
    features: 7,
    thresholds: 60,
    targets: 1,
    categories: 0,
    sum_order: 0,
};

fn draft(shape: Shape, random: &mut Random) -> Draft {
    let mut draft = Draft {
        forest: Forest {
            features: shape.features as u32,
            targets: shape.targets as u32,
            sum_order: shape.sum_order,
            ..Forest::default()
        },
        base: (0..shape.targets).map(|target| target as f32 * 0.3 - 0.1).collect(),
        trees: Vec::new(),
        nodes: Vec::new(),
        category_sets: vec![CategorySet { first_word: 0, words: 2 }, CategorySet { first_word: 2, words: 1 }],
        category_bits: vec![0x8000_0005, 0x11, 0x2a],
        properties: "{}".to_owned(),
        weights: Vec::new(),
        covers: Vec::new(),
        second_form: SecondForm::default(),
    };
    for tree in 0..shape.trees {
        let root = draft.nodes.len();
        draft.trees.push(Tree { root: root as u32, target: (tree % shape.targets) as u32 });
        draft.nodes.push(Node::default());
        let mut ahead = vec![(root, 0)];
        while let Some((at, height)) = ahead.pop() {
            let is_large = draft.nodes.len() - root > 1000;
            if is_large || height == shape.height_max || random.below(100) >= shape.splits {
                draft.nodes[at] = Node { tag: Node::LEAF, next: 0, value: random.number(4000) / 7.0 };
                continue;
            }
            let is_category = random.below(100) < shape.categories;
            let missing = if random.below(2) == 0 { Node::MISSING_LEFT } else { 0 };
            let kind = if is_category { Node::CATEGORIES } else { 0 };
            let value =
                if is_category { f32::from_bits(random.below(2) as u32) } else { random.number(shape.thresholds) };
            let next = draft.nodes.len();
            draft.nodes[at] =
                Node { tag: random.below(shape.features) as u32 | missing | kind, next: next as u32, value };
            draft.nodes.extend([Node::default(); 2]);
            ahead.extend([(next, height + 1), (next + 1, height + 1)]);
        }
    }
    draft
}

/// Compares all kernels on packs of that shape; the last one's draft.
fn check(shape: Shape) -> Draft {
    check_rows(shape, &[1, 12, 32, 33, 64, 65, 120, 256, 300])
}

/// As [`check`], with so many rows in turn.
fn check_rows(shape: Shape, counts: &[usize]) -> Draft {
    let random = &mut Random(shape.trees as u64 * 31 + shape.height_max as u64);
    let mut last = None;
    for &count in counts {
        let draft = draft(shape, random).with_second_form();
        let pack = Pack::from_bytes(&draft.write()).unwrap();
        let forest = *pack.sections();
        let value = |random: &mut Random| match random.below(12) {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => f32::NEG_INFINITY,
            3 => random.below(70) as f32 - 2.5,
            4 => random.below(70) as f32,
            _ => random.number(shape.thresholds),
        };
        let rows = Array2::from_shape_simple_fn((count, shape.features), || value(random));
        let mut expected = Vec::new();
        for row in rows.rows() {
            let mut sums = vec![0.0; shape.targets];
            margins(&forest, row.to_slice().unwrap(), &mut sums);
            expected.extend(sums.iter().map(|sum| sum.to_bits()));
        }
        let mut found = Vec::new();
        each_margins(&forest, rows.view(), |margins| found.extend(margins.iter().map(|margin| margin.to_bits())));
        assert_eq!(found, expected, "{shape:?}, {count} rows");
        let turned = rows.t().as_standard_layout().into_owned();
        found.clear();
        each_margins(&forest, turned.t(), |margins| found.extend(margins.iter().map(|margin| margin.to_bits())));
        assert_eq!(found, expected, "{shape:?}, {count} rows, column by column");
        for processor in Processor::available() {
            let (mut batch, mut at) = (Batch::on(processor), 0);
            found.clear();
            while at < count && forest.has_blocks() && batch::fits(&forest) {
                let each = &mut |margins: &[f32]| found.extend(margins.iter().map(|margin| margin.to_bits()));
                at += batch.margins(&forest, rows.slice(ndarray::s![at.., ..]), each);
            }
            assert!(at == 0 || found == expected, "{shape:?}, {count} rows on {processor:?}");
        }
        last = Some(draft);
    }
    last.unwrap()
}

#[test]
fn trees_of_one_height_are_even() {
    for height_max in 1..=9 {
        for trees in [1, 7, 8, 9, 40] {
            let draft = check(Shape { trees, height_max, splits: 100, ..PLAIN });
            assert_eq!(draft.forest.block_levels as usize, height_max.div_ceil(Block::DEPTH));
        }
    }
}

#[test]
fn trees_of_any_height_are_answered() {
    check(Shape { splits: 70, ..PLAIN });
    let draft = check(Shape { height_max: 40, splits: 62, ..PLAIN });
    assert!(draft.forest.block_levels == 0 && !draft.second_form.blocks.is_empty());
    check(Shape { height_max: 400, splits: 100, ..PLAIN });
}

#[test]
fn more_rows_than_go_down_a_tree_at_once_are_answered() {
    for splits in [70, 100] {
        check_rows(Shape { splits, ..PLAIN }, &[2048 + 65]);
    }
}

#[test]
fn targets_and_both_orders_of_summation_are_kept() {
    check(Shape { targets: 3, ..PLAIN });
    check(Shape { targets: 3, height_max: 14, splits: 60, sum_order: 1, ..PLAIN });
    check(Shape { sum_order: 1, ..PLAIN });
}

#[test]
fn categories_are_columns_too() {
    let draft = check(Shape { categories: 30, ..PLAIN });
    assert!(draft.second_form.columns.len() > draft.second_form.rulers.len() * 2);
    check(Shape { categories: 100, height_max: 12, splits: 75, ..PLAIN });
}

#[test]
fn features_with_many_thresholds_have_several_columns() {
    let draft = check(Shape { thresholds: 3000, trees: 60, features: 2, splits: 100, ..PLAIN });
    assert!(draft.second_form.columns.len() > 8 && draft.forest.rank_max == Block::RANK_MAX);
}

#[test]
fn where_bytes_would_take_too_many_columns_ranks_are_words() {
    let shape = Shape { thresholds: 3_000_000, trees: 500, height_max: 13, splits: 100, features: 1, ..PLAIN };
    let draft = check(Shape { sum_order: 1, ..shape });
    assert!(draft.forest.rank_max == WordBlock::RANK_MAX && draft.second_form.columns.len() > 2);
}

#[test]
fn a_forest_without_splits_has_no_second_form() {
    assert!(check(Shape { splits: 0, ..PLAIN }).second_form.blocks.is_empty());
}

#[test]
fn one_row_is_answered_however_many_columns_it_has() {
    for features in [1, 8, 9, 16, 17, 32, 33, 64, 65, 128, 129] {
        for (height_max, splits) in [(3, 100), (6, 100), (9, 100), (14, 80)] {
            let draft = check(Shape { trees: 67, height_max, splits, features, thresholds: 40, ..PLAIN });
            assert!(draft.second_form.columns.len() <= 2 * features);
            let is_full = height_max < 6 || draft.second_form.columns.len() == 2 * features;
            assert!(is_full && draft.forest.rank_max == Block::RANK_MAX);
        }
    }
}

#[test]
fn one_row_is_answered_by_all_that_this_processor_has() {
    for (height_max, splits, targets) in [(3, 100, 1), (6, 100, 3), (9, 100, 1), (14, 70, 2), (30, 65, 1)] {
        let mut random = Random(height_max as u64);
        let draft = draft(Shape { height_max, splits, targets, categories: 5, ..PLAIN }, &mut random);
        let pack = Pack::from_bytes(&draft.with_second_form().write()).unwrap();
        for _ in 0..200 {
            let row: Vec<f32> = (0..PLAIN.features)
                .map(|_| if random.below(9) == 0 { f32::NAN } else { random.number(PLAIN.thresholds) })
                .collect();
            let forest = *pack.sections();
            let (mut expected, mut found, mut room) = (vec![0.0; targets], vec![0.0; targets], Vec::new());
            margins(&forest, &row, &mut expected);
            for processor in Processor::available() {
                found.copy_from_slice(forest.base);
                tables::add_leaves(processor, &forest, &row, &mut room, &mut found);
                assert_eq!(expected, found, "{processor:?}");
            }
        }
    }
}
