//! Every kernel against the plain one, on forests of all shapes.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "small numbers"
)]

use ndarray::Array2;

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use super::{
    batch::Processor,
    lanes::{Top, byte},
    unit::{Leaves, Portable, Unit},
    walk::{Grove, Lanes, ROWS, is_leaf},
    *,
};
use crate::pack::{
    Pack,
    draft::{Draft, SecondForm},
    format::{Block, CategorySet, Forest, Node, Tree},
};

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
    let random = &mut Random(shape.trees as u64 * 31 + shape.height_max as u64);
    let mut last = None;
    for count in [1, 2, 11, 12, 31, 32, 33, 255, 256, 257, 300] {
        let draft = draft(shape, random).with_second_form();
        let pack = Pack::from_bytes(&draft.write()).unwrap();
        let forest = pack.sections();
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
    assert!(draft.forest.block_levels == 0 && !draft.second_form.leaf_values.is_empty());
    check(Shape { height_max: 400, splits: 100, ..PLAIN });
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
    assert!(draft.second_form.columns.len() > 8 && draft.forest.rank_max == Block::BYTE_RANK_MAX);
}

#[test]
fn where_bytes_would_take_too_many_columns_ranks_are_words() {
    let shape = Shape { thresholds: 3_000_000, trees: 500, height_max: 13, splits: 100, features: 1, ..PLAIN };
    let draft = check(Shape { sum_order: 1, ..shape });
    assert!(draft.forest.rank_max == Block::RANK_MAX && draft.second_form.columns.len() > 2);
}

#[test]
fn a_forest_without_splits_has_no_second_form() {
    assert!(check(Shape { splits: 0, ..PLAIN }).second_form.blocks.is_empty());
}

#[test]
fn the_portable_code_answers_as_that_for_this_processor() {
    let draft = draft(Shape { targets: 2, height_max: 8, ..PLAIN }, &mut Random(9)).with_second_form();
    let pack = Pack::from_bytes(&draft.write()).unwrap();
    let mut random = Random(4);
    let rows = Array2::from_shape_simple_fn((200, PLAIN.features), || random.number(PLAIN.thresholds));
    let answers = Processor::available().into_iter().map(|processor| {
        let mut answers = Vec::new();
        let each = &mut |margins: &[f32]| answers.extend_from_slice(margins);
        Batch::on(processor).margins(&pack.sections(), rows.view(), each);
        answers
    });
    let answers: Vec<_> = answers.collect();
    assert!(answers.iter().all(|answer| answer.len() == 400 && *answer == answers[0]));
}

/// Where a row leaves `block` that has these ranks.
fn plain_exit(block: &Block, columns: &[Lanes<i8>], row: usize) -> u32 {
    let mut slot = 1;
    while slot < Block::EXITS {
        let split = block.0[slot];
        let is_right = columns[(split & 0xffff) as usize / 8][row] >= byte(split >> 16);
        slot = 2 * slot + usize::from(is_right);
    }
    block.0[slot]
}

/// Compares what `unit` does with what is plainly right.
fn check_unit(unit: impl Unit) {
    let mut random = Random(11);
    for count in 0..=16 {
        let mut marks: [i32; 16] = std::array::from_fn(|_| random.below(40) as i32);
        marks.sort_unstable();
        marks[count..].fill(i32::MAX);
        for value in (-1..41).chain([i32::MIN, i32::MAX - 1]) {
            assert_eq!(unit.not_above(&marks, value), marks.iter().filter(|mark| **mark <= value).count());
        }
    }
    let mut leaves = Leaves::default();
    for _ in 0..50 {
        let values: [f32; 64] = std::array::from_fn(|_| random.number(4000) / 7.0);
        leaves.set(&values.map(f32::to_bits));
        let exits: Lanes<u8> = std::array::from_fn(|_| random.below(64) as u8);
        let before: Lanes<f32> = std::array::from_fn(|_| random.number(300));
        let mut after = before;
        unit.add_leaves(&leaves, &exits, &mut after);
        for row in 0..ROWS {
            let expected = before[row] + values[usize::from(exits[row])];
            assert_eq!(after[row].to_bits(), expected.to_bits());
        }
    }
    for (height_max, splits) in (1..=9).map(|height| (height, 100)).chain([(12, 70)]) {
        let draft = draft(Shape { trees: 40, height_max, splits, ..PLAIN }, &mut random).with_second_form();
        let pack = Pack::from_bytes(&draft.write()).unwrap();
        let forest = pack.sections();
        let grove = Grove::of(&forest);
        let mut top = Top::default();
        for root in forest.roots.iter().filter(|root| grove.levels > 0 || !is_leaf(**root)) {
            let columns: Vec<Lanes<i8>> =
                forest.columns.iter().map(|_| std::array::from_fn(|_| byte(random.below(60) as u32))).collect();
            let (root, ranks) = (grove.block(*root), grove.ranks(&columns));
            top.set(grove, root);
            let first = unit.exits(&top.root, ranks).map(|exit| root.0[Block::EXITS + usize::from(exit)]);
            assert_eq!(first, std::array::from_fn(|row| plain_exit(root, &columns, row)), "height {height_max}");
            if grove.levels == 1 {
                continue;
            }
            let second = unit.top_exits(&top, ranks).map(|exit| top.exits[usize::from(exit)]);
            let expected: Lanes<u32> = std::array::from_fn(|row| match first[row] {
                exit if grove.levels == 0 && is_leaf(exit) => exit,
                exit => plain_exit(grove.block(exit), &columns, row),
            });
            assert_eq!(second, expected, "height {height_max}");
        }
    }
}

#[test]
fn what_batches_ask_of_a_processor_is_answered_rightly() {
    check_unit(Portable);
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        check_unit(avx2);
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = Avx512::detect() {
        check_unit(avx512);
    }
}

#[test]
fn one_row_is_answered_however_many_columns_it_has() {
    for features in [1, 8, 9, 16, 17, 32, 33, 64, 65, 128, 129] {
        for (height_max, splits) in [(3, 100), (6, 100), (9, 100), (14, 80)] {
            let draft = check(Shape { trees: 67, height_max, splits, features, thresholds: 40, ..PLAIN });
            assert!(draft.second_form.columns.len() <= 2 * features);
            let is_full = height_max < 6 || draft.second_form.columns.len() == 2 * features;
            assert!(is_full && draft.forest.rank_max == Block::BYTE_RANK_MAX);
        }
    }
}

#[test]
fn one_row_is_answered_portably_as_by_this_processor() {
    for (height_max, splits, targets) in [(3, 100, 1), (6, 100, 3), (9, 100, 1), (14, 70, 2), (30, 65, 1)] {
        let mut random = Random(height_max as u64);
        let draft = draft(Shape { height_max, splits, targets, categories: 5, ..PLAIN }, &mut random);
        let pack = Pack::from_bytes(&draft.with_second_form().write()).unwrap();
        for _ in 0..200 {
            let row: Vec<f32> = (0..PLAIN.features)
                .map(|_| if random.below(9) == 0 { f32::NAN } else { random.number(PLAIN.thresholds) })
                .collect();
            let (mut portable, mut chosen, mut keys) = (vec![0.25; targets], vec![0.25; targets], Vec::new());
            single::add_portably(&pack.sections(), &row, &mut keys, &mut portable);
            single::add_leaves(&pack.sections(), &row, &mut keys, &mut chosen);
            assert_eq!(portable, chosen);
            #[cfg(target_arch = "x86_64")]
            for looker in tables::Looker::available() {
                chosen.fill(0.25);
                looker.add_leaves(&pack.sections(), &row, &mut chosen);
                assert_eq!(portable, chosen, "{looker:?}");
            }
        }
    }
}
