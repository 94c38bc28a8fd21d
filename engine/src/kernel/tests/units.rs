//! What batches ask of each kind of processor, against what is plainly right.

use super::{
    super::{
        lanes::byte,
        top::Top,
        unit::{Narrow, Portable, Tree, Unit},
        walk::{Aligned, Grove, HALF, Half, Lanes},
    },
    *,
};
#[cfg(target_arch = "x86_64")]
use crate::kernel::{
    avx2::Avx2,
    avx512::Avx512,
    doubled::Doubled,
    leaves::Leaves,
    walk::ROWS,
    wide::{ABREAST_MAX, Long, Wide},
};

/// Where a row is that is at `at` so many blocks below, or at a leaf before: the bits of what that adds.
fn plain_way(grove: Grove<'_>, mut at: u32, levels: usize, columns: &[Aligned<Lanes<i8>>], row: usize) -> u32 {
    for _ in 0..levels {
        let block = grove.block(at);
        let is_right = |slot: &usize| columns[block.column(*slot)].0[row] >= byte(block.ranks[*slot].into());
        let ruled_out = (1..Block::SLOTS).filter(is_right).fold(0, |all, slot| all | block.ruled_out[slot]);
        let exit = ruled_out.trailing_ones() as usize;
        at = block.exits[exit];
        if block.is_leaf(exit) {
            break;
        }
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

/// Calls `each` with every tree of that shape, and how many columns there are.
fn each_tree(shape: Shape, random: &mut Random, mut each: impl FnMut(Tree<'_>, usize, &mut Random)) {
    let draft = draft(shape, random).with_second_form();
    let pack = Pack::from_bytes(&draft.write()).unwrap();
    let forest = *pack.sections();
    let grove = Grove::of(&forest);
    for at in 0..forest.roots.len() {
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
    for (height_max, splits) in (1..=9).map(|height| (height, 100)) {
        let shape = Shape { trees: 20, height_max, splits, ..PLAIN };
        each_tree(shape, &mut random, |tree, width, random| {
            let (columns, grove) = (random_ranks(width, shape, random), tree.grove);
            let all = grove.ranks(&columns);
            top.set(unit, tree);
            let levels = if grove.levels == 1 { 1 } else { 2 };
            for half in 0..2 {
                let ranks = all.half(half > 0);
                let exits = if levels == 1 { unit.exits(&top.root, ranks) } else { unit.top_exits(&top, ranks) };
                let way = |row| plain_way(grove, tree.root(), levels, &columns, half * HALF + row);
                let expected: Half<u32> = std::array::from_fn(way);
                assert_eq!(exits.map(|exit| top.exits[usize::from(exit)]), expected, "height {height_max}");
            }
        });
    }
}

#[cfg(target_arch = "x86_64")]
fn check_leaves(unit: impl Long, random: &mut Random) {
    let mut leaves = Leaves::default();
    for count in [8, 56, 64, 72, 120, 128, 136, 192, 200, 256] {
        let values: [f32; 256] = std::array::from_fn(|_| random.number(4000) / 7.0);
        leaves.bits[..256].copy_from_slice(&values.map(f32::to_bits));
        leaves.count = count;
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
fn check_trees(unit: impl Long + Unit<Ready = Wide>, shape: Shape, random: &mut Random) -> usize {
    let (mut wide, mut whole) = (Wide::default(), 0);
    each_tree(shape, random, |tree, width, random| {
        let (grove, columns) = (tree.grove, random_ranks(width * ABREAST_MAX, shape, random));
        wide.set(unit, tree);
        let levels = if wide.is_whole { usize::MAX } else { 2 };
        whole += usize::from(wide.is_whole);
        let all: [_; ABREAST_MAX] = std::array::from_fn(|group| grove.ranks(&columns[group * width..]));
        let many = (grove.levels > 0).then(|| unit.numbers(&wide.crown, &all, wide.slots.of()));
        for (group, ranks) in all.into_iter().enumerate() {
            let one = if grove.levels > 0 {
                unit.numbers(&wide.crown, &[ranks], wide.slots.of())[0]
            } else if wide.is_whole {
                let (steps, slots) = wide.steps.parts();
                unit.take(steps, &[ranks], slots);
                let alone = *wide.steps.numbers()[0];
                let (steps, slots) = wide.steps.parts();
                unit.take(steps, &[all[(group + 1) % ABREAST_MAX], ranks], slots);
                assert_eq!(*wide.steps.numbers()[1], alone);
                alone
            } else {
                continue;
            };
            assert!(many.is_none_or(|many| many[group] == one));
            for row in 0..ROWS {
                let expected = plain_way(grove, tree.root(), levels, &columns[group * width..], row);
                assert_eq!(wide.crown.leaves.bits[usize::from(one.0[row])], expected, "{shape:?}");
            }
        }
    });
    whole
}

/// Compares what is done with whole groups with what is plainly right.
#[cfg(target_arch = "x86_64")]
fn check_wide(unit: impl Long + Unit<Ready = Wide>) {
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
        check_wide(Doubled(avx2));
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = Avx512::detect() {
        check_wide(avx512);
    }
}
