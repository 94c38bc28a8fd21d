//! What batches ask of each kind of processor, against what is plainly right.

use super::{
    super::{
        lanes::byte,
        top::Top,
        unit::{Narrow, Portable, Tree, Unit},
        walk::{Aligned, Grove, HALF, Half, Lanes, is_leaf},
    },
    *,
};
#[cfg(target_arch = "x86_64")]
use crate::kernel::{
    avx2::Avx2,
    avx512::Avx512,
    leaves::Leaves,
    walk::ROWS,
    wide::{ABREAST, Wide},
};

/// Where a row leaves `block` that has these ranks.
fn plain_exit(block: &Block, columns: &[Aligned<Lanes<i8>>], row: usize) -> u32 {
    let mut slot = 1;
    while slot < Block::EXITS {
        let split = block.0[slot];
        let is_right = columns[(split & 0xffff) as usize / 8].0[row] >= byte(split >> 16);
        slot = 2 * slot + usize::from(is_right);
    }
    block.0[slot]
}

/// Where a row that is at `at` is so many levels of blocks below, or at a leaf before.
fn plain_way(grove: Grove<'_>, mut at: u32, levels: u32, columns: &[Aligned<Lanes<i8>>], row: usize) -> u32 {
    for _ in 0..levels {
        if grove.levels == 0 && is_leaf(at) {
            break;
        }
        at = plain_exit(grove.block(at), columns, row);
    }
    at
}

fn check_marks(unit: impl Unit, random: &mut Random) {
    for count in 0..=16 {
        let mut marks = [0; 16].map(|_: i32| random.below(40) as i32);
        marks.sort_unstable();
        marks[count..].fill(i32::MAX);
        for value in (-1..41).chain([i32::MIN, i32::MAX - 1]) {
            assert_eq!(unit.not_above(&marks, value), marks.iter().filter(|mark| **mark <= value).count());
        }
    }
}

/// Ranks of random rows for one group, column by column.
fn random_ranks(columns: usize, shape: Shape, random: &mut Random) -> Vec<Aligned<Lanes<i8>>> {
    (0..columns).map(|_| Aligned(std::array::from_fn(|_| byte(random.below(shape.thresholds) as u32)))).collect()
}

/// Calls `each` with every tree of that shape that does not begin with a leaf, and how many columns there are.
fn each_tree(shape: Shape, random: &mut Random, mut each: impl FnMut(Tree<'_>, usize, &mut Random)) {
    let draft = draft(shape, random).with_second_form();
    let pack = Pack::from_bytes(&draft.write()).unwrap();
    let forest = pack.sections();
    let grove = Grove::of(&forest);
    for (at, _) in forest.roots.iter().enumerate().filter(|(_, root)| grove.levels > 0 || !is_leaf(**root)) {
        each(Tree { forest: &forest, grove, at }, forest.columns.len(), random);
    }
}

fn check_top_leaves(unit: impl Narrow, random: &mut Random) {
    let mut top = Top::default();
    for _ in 0..50 {
        let values: [f32; 64] = std::array::from_fn(|_| random.number(4000) / 7.0);
        top.exits = values.map(f32::to_bits);
        unit.spread(&mut top);
        let exits: Half<u8> = std::array::from_fn(|_| random.below(64) as u8);
        let before: Half<f32> = std::array::from_fn(|_| random.number(300));
        let mut after = before;
        unit.add_leaves(&top, &exits, &mut after);
        for row in 0..HALF {
            let expected = before[row] + values[usize::from(exits[row])];
            assert_eq!(after[row].to_bits(), expected.to_bits());
        }
    }
}

/// Compares what `unit` does half a group at a time with what is plainly right.
fn check_narrow(unit: impl Narrow + Unit) {
    let mut random = Random(11);
    check_marks(unit, &mut random);
    check_top_leaves(unit, &mut random);
    let mut top = Top::default();
    for (height_max, splits) in (1..=9).map(|height| (height, 100)).chain([(8, 90), (12, 70)]) {
        let shape = Shape { trees: 20, height_max, splits, ..PLAIN };
        each_tree(shape, &mut random, |tree, width, random| {
            let columns = random_ranks(width, shape, random);
            let levels = if tree.grove.levels == 1 { 1 } else { 2 };
            assert_eq!(top.set(unit, tree), matches!(tree.grove.levels, 1 | 2));
            for half in 0..2 {
                let ranks = tree.grove.ranks(&columns).half(half > 0);
                let exits = if levels == 1 { unit.exits(&top.root, ranks) } else { unit.top_exits(&top, ranks) };
                let expected: Half<u32> =
                    std::array::from_fn(|row| plain_way(tree.grove, tree.root(), levels, &columns, half * HALF + row));
                assert_eq!(exits.map(|exit| top.exits[usize::from(exit)]), expected, "height {height_max}");
            }
        });
    }
}

#[cfg(target_arch = "x86_64")]
fn check_leaves(unit: Avx512, random: &mut Random) {
    let mut leaves = Leaves::default();
    for count in [8, 56, 64, 72, 120, 128, 136, 192, 200, 256] {
        let values: [f32; 256] = std::array::from_fn(|_| random.number(4000) / 7.0);
        (leaves.bits, leaves.count) = (values.map(f32::to_bits), count);
        unit.spread(&mut leaves);
        let exits = Aligned(std::array::from_fn(|_| random.below(count) as u8));
        let before: Lanes<f32> = std::array::from_fn(|_| random.number(300));
        let mut after = before;
        unit.add_leaves(&leaves, &exits, &mut after);
        for row in 0..ROWS {
            let expected = before[row] + values[usize::from(exits.0[row])];
            assert_eq!(after[row].to_bits(), expected.to_bits(), "{count} leaves");
        }
    }
}

/// Compares where trees of that shape lead rows; how many trees were done as a whole.
#[cfg(target_arch = "x86_64")]
fn check_trees(unit: Avx512, shape: Shape, random: &mut Random) -> usize {
    let (mut wide, mut whole) = (Wide::default(), 0);
    each_tree(shape, random, |tree, width, random| {
        let (grove, columns) = (tree.grove, random_ranks(width * ABREAST, shape, random));
        let check = |wide: &mut Wide, levels| {
            let (crown, slots) = (&wide.crown, &mut wide.slots);
            let ranks = std::array::from_fn(|group| grove.ranks(&columns[group * width..]));
            let is_even = levels != u32::MAX;
            let many = is_even.then(|| unit.numbers(crown, &ranks, &mut slots.many));
            for (group, ranks) in ranks.into_iter().enumerate() {
                let [one] = unit.numbers(crown, &[ranks], &mut slots.one);
                assert!(many.is_none_or(|many| many[group] == one));
                for row in 0..ROWS {
                    let expected = plain_way(grove, tree.root(), levels, &columns[group * width..], row);
                    let value = |at| if is_even { at } else { grove.leaf_value(at).to_bits() };
                    assert_eq!(crown.leaves.bits[usize::from(one.0[row])], value(expected), "{shape:?}");
                }
            }
        };
        if wide.set(unit, tree) {
            check(&mut wide, if grove.levels == 0 { u32::MAX } else { grove.levels });
            whole += 1;
        }
        if grove.levels != 1 {
            wide.crown.set_top(unit, grove, grove.block(tree.root()));
            check(&mut wide, 2);
        }
    });
    whole
}

/// Compares what AVX-512 does with what is plainly right.
#[cfg(target_arch = "x86_64")]
fn check_wide(unit: Avx512) {
    let mut random = Random(11);
    check_marks(unit, &mut random);
    check_leaves(unit, &mut random);
    for height_max in 1..=8 {
        let shape = Shape { height_max, splits: 100, trees: 10, ..PLAIN };
        assert_eq!(check_trees(unit, shape, &mut random), 10);
        check_trees(unit, Shape { splits: 90, ..shape }, &mut random);
    }
    let deep = Shape { height_max: 9, splits: 100, trees: 10, ..PLAIN };
    assert_eq!(check_trees(unit, deep, &mut random), 0);
    check_trees(unit, Shape { splits: 90, ..deep }, &mut random);
    let uneven = [(30, 66, 60), (11, 80, 20)]
        .map(|(height_max, splits, trees)| check_trees(unit, Shape { trees, height_max, splits, ..deep }, &mut random));
    assert!(uneven[0] > 4 && uneven[1] > 4, "{uneven:?} trees as a whole");
}

#[test]
fn what_batches_ask_of_a_processor_is_answered_rightly() {
    check_narrow(Portable);
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        check_narrow(avx2);
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = Avx512::detect() {
        check_wide(avx512);
    }
}
