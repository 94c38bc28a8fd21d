//! What batches ask of each kind of processor, against what is plainly right.

use super::{
    super::{
        batch::blocks_of,
        crown::{ABREAST, Crown, Slots},
        lanes::{Leaves, byte},
        unit::{Portable, Unit},
        walk::{Aligned, Grove, HALF, Lanes, ROWS, is_leaf},
    },
    *,
};
#[cfg(target_arch = "x86_64")]
use crate::kernel::{avx2::Avx2, avx512::Avx512};

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

fn check_leaves(unit: impl Unit, random: &mut Random) {
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
fn check_trees<U: Unit>(unit: U, shape: Shape, random: &mut Random) -> usize {
    let draft = draft(shape, random).with_second_form();
    let pack = Pack::from_bytes(&draft.write()).unwrap();
    let forest = pack.sections();
    let (grove, width) = (Grove::of(&forest), forest.columns.len());
    let (mut crown, mut slots, mut whole) = (Crown::default(), Slots::default(), 0);
    for (at, &root) in forest.roots.iter().enumerate().filter(|(_, root)| grove.levels > 0 || !is_leaf(**root)) {
        let columns: Vec<Aligned<Lanes<i8>>> = (0..width * ABREAST)
            .map(|_| Aligned(std::array::from_fn(|_| byte(random.below(shape.thresholds) as u32))))
            .collect();
        let mut check = |crown: &Crown, levels| {
            let ranks = std::array::from_fn(|group| grove.ranks(&columns[group * width..], ROWS));
            let is_even = levels != u32::MAX;
            let many = is_even.then(|| unit.numbers(crown, &ranks, &mut slots.many));
            for (group, ranks) in ranks.into_iter().enumerate() {
                let [one] = unit.numbers(crown, &[ranks], &mut slots.one);
                assert!(many.is_none_or(|many| many[group] == one));
                let few = grove.ranks(&columns[group * width..], HALF);
                let [few] = unit.numbers(crown, &[few], &mut slots.one);
                assert_eq!(few.0[..HALF], one.0[..HALF]);
                for row in 0..ROWS {
                    let expected = plain_way(grove, root, levels, &columns[group * width..], row);
                    let value = |at| if is_even { at } else { grove.leaf_value(at).to_bits() };
                    assert_eq!(crown.leaves.bits[usize::from(one.0[row])], value(expected), "{shape:?}");
                }
            }
        };
        if (U::IS_WIDE || grove.levels > 0) && crown.set(unit, grove, blocks_of(&forest, at), root) {
            check(&crown, if grove.levels == 0 { u32::MAX } else { grove.levels });
            whole += 1;
        }
        if grove.levels != 1 {
            crown.set_top(unit, grove, grove.block(root));
            check(&crown, 2);
        }
    }
    whole
}

/// Compares what `unit` does with what is plainly right.
fn check_unit<U: Unit>(unit: U) {
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
    assert!(if U::IS_WIDE { uneven[0] > 4 && uneven[1] > 4 } else { uneven == [0, 0] }, "{uneven:?} trees as a whole");
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
