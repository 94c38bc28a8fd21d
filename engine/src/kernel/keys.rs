//! Keys: what blocks ask of a row. Numbers are measured with their feature's ruler, categories looked up in their sets.

use super::{
    plain::is_member,
    unit::{Portable, Unit},
};
use crate::pack::{
    Sections,
    format::{Column, Ruler},
    key::sortable,
};

/// Ranks that a missing value has in columns where it goes left, and where it goes right: below and above all others.
const BELOW: i32 = -1;
const ABOVE: i32 = i32::MAX / 2;

/// What `rank` is in a column that begins at `from`.
#[inline(always)]
pub(super) fn local(rank: i32, from: u32, rank_max: u32) -> u32 {
    (rank - from.cast_signed()).clamp(0, rank_max.cast_signed()).cast_unsigned()
}

/// Gives `each` the ranks of `row`, column by column.
#[inline(always)]
pub(super) fn each_rank(unit: impl Unit, forest: &Sections<'_>, row: &[f32], mut each: impl FnMut(usize, u32)) {
    let rank_max = forest.forest.rank_max;
    let mut at = 0;
    for ruler in forest.rulers {
        let (left, right) = ranks(unit, forest, *ruler, row[ruler.feature as usize]);
        let rank =
            |column: &Column| local(if column.missing_goes_left() { left } else { right }, column.from, rank_max);
        match &forest.columns[at..at + ruler.columns as usize] {
            // Nearly all: no loop, which would be made ready for many.
            [one] => each(at, rank(one)),
            [one, two] => {
                each(at, rank(one));
                each(at + 1, rank(two));
            }
            columns => columns.iter().zip(at..).for_each(|(column, at)| each(at, rank(column))),
        }
        at += ruler.columns as usize;
    }
    for (column, at) in forest.columns[at..].iter().zip(at..) {
        each(at, category_rank(forest, *column, row[column.feature as usize]));
    }
}

/// The rank of `value`, in columns where missing values go left and where they go right.
#[inline(always)]
fn ranks(unit: impl Unit, forest: &Sections<'_>, ruler: Ruler, value: f32) -> (i32, i32) {
    if value.is_nan() {
        return (BELOW, ABOVE);
    }
    let (sixteens, _) = forest.marks.as_chunks();
    let rank = rank(unit, &sixteens[ruler.first_mark as usize / 16..], ruler.marks as usize, sortable(value));
    (rank, rank)
}

/// The ranks of the first `rows` of `values`, as those of [`ranks`].
#[inline(always)]
pub(super) fn ranks_of_rows<const LANES: usize>(
    unit: impl Unit,
    forest: &Sections<'_>,
    ruler: Ruler,
    values: &[f32; LANES],
    rows: usize,
) -> ([i32; LANES], [i32; LANES]) {
    let (sixteens, _) = forest.marks.as_chunks();
    let (sixteens, count) = (&sixteens[ruler.first_mark as usize / 16..], ruler.marks as usize);
    let sorted = values.map(sortable);
    let (mut left, mut right) = ([0; LANES], [0; LANES]);
    for row in 0..rows.min(LANES) {
        left[row] = rank(unit, sixteens, count, sorted[row]);
    }
    for row in 0..LANES {
        right[row] = if values[row].is_nan() { ABOVE } else { left[row] };
        left[row] = if values[row].is_nan() { BELOW } else { left[row] };
    }
    (left, right)
}

/// The rank of a category: the greatest for members of the column's set, which go right, and 0 for others.
pub(super) fn category_rank(forest: &Sections<'_>, column: Column, value: f32) -> u32 {
    let goes_left =
        if value.is_nan() { column.missing_goes_left() } else { !is_member(forest, column.from as usize, value) };
    if goes_left { 0 } else { forest.forest.rank_max }
}

/// How many of a ruler's `count` marks are not above `value`. The ruler's marks are the first of `sixteens`.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a pack counts marks in 32 bits")]
#[inline(always)]
fn rank(unit: impl Unit, sixteens: &[[i32; 16]], count: usize, value: i32) -> i32 {
    if count <= 16 {
        return unit.not_above(&sixteens[0], value) as i32;
    }
    if count <= 256 {
        let groups = count.div_ceil(16);
        let group = unit.not_above(&sixteens[groups], value).saturating_sub(1).min(groups - 1);
        return (group * 16 + unit.not_above(&sixteens[group], value)) as i32;
    }
    rank_of_many(sixteens, count, value)
}

/// As [`rank`], where two steps are not enough.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a pack counts marks in 32 bits")]
fn rank_of_many(sixteens: &[[i32; 16]], count: usize, value: i32) -> i32 {
    // Layers stand one behind the other, the finest first; the way down is that of a tree of sixteens.
    let mut ends = [0; 8];
    let (mut depth, mut layer) = (0, count.div_ceil(16));
    loop {
        ends[depth] = if depth == 0 { layer } else { ends[depth - 1] + layer };
        if layer == 1 {
            break;
        }
        (depth, layer) = (depth + 1, layer.div_ceil(16));
    }
    let mut group = 0;
    for depth in (0..=depth).rev() {
        let first = if depth == 0 { 0 } else { ends[depth - 1] };
        let at = (first + group).min(ends[depth] - 1);
        let within = Portable.not_above(&sixteens[at], value);
        group = if depth == 0 { (at - first) * 16 + within } else { (at - first) * 16 + within.saturating_sub(1) };
    }
    group as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::format::{add_layers, ruler_length};

    #[test]
    fn ranks_are_those_of_a_plain_count() {
        for count in [1, 2, 15, 16, 17, 31, 255, 256, 257, 300, 4095, 4096, 4097, 5000, 70_000] {
            let marks: Vec<i32> = (0..count).map(|mark| mark * 3 - 700).collect();
            let mut layers = marks.clone();
            add_layers(&mut layers, 0);
            assert_eq!(layers.len(), ruler_length(marks.len()));
            let step = (count / 500).max(1).cast_unsigned() as usize;
            for value in (-705..marks[marks.len() - 1] + 5).step_by(step).chain([i32::MIN, i32::MAX - 1]) {
                let expected = marks.iter().filter(|mark| **mark <= value).count();
                assert_eq!(
                    rank(Portable, layers.as_chunks().0, marks.len(), value),
                    i32::try_from(expected).unwrap(),
                    "{count}: {value}"
                );
            }
        }
    }

    #[test]
    fn a_column_has_its_part_of_the_ranks() {
        assert_eq!([BELOW, 0, 255, 300, ABOVE].map(|rank| local(rank, 255, 255)), [0, 0, 0, 45, 255]);
    }
}
