//! What batches ask of a processor beyond plain loops, and the plain answers.

use super::{
    lanes::{Splits, Top},
    walk::{Grove, Lanes, ROWS, Ranks},
};

/// Rows whose keys lie together, and that walk side by side below the lanes.
pub(super) const WALKS: usize = 8;

/// A kind of vector unit.
pub(super) trait Unit: Copy {
    /// How many of sixteen ascending marks are not above `value`.
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize;

    /// Which of a block's eight exits each row leaves it through.
    fn exits(self, splits: &Splits, ranks: Ranks<'_>) -> Lanes<u8>;

    /// Which of its exits each row leaves the top of a tree through.
    fn top_exits(self, top: &Top, ranks: Ranks<'_>) -> Lanes<u8>;

    /// Adds to each row's sum the leaf that its exit leads to.
    fn add_leaves(self, leaves: &Leaves, exits: &Lanes<u8>, sums: &mut Lanes<f32>);

    /// Adds to `sums` the leaves that rows reach which leave the top of a tree by these exits; as many as there are exits, a
    /// multiple of [`ROWS`]. `keys` has those of each [`WALKS`] rows column by column.
    #[inline(always)]
    fn walk_on(self, grove: Grove<'_>, top: &Top, exits: &[u8], keys: &[[u32; WALKS]], sums: &mut [f32]) {
        walk_on(grove, top, exits, keys, sums);
    }
}

/// What up to 64 leaves add: byte `i` of each in plane `i`, so that one instruction looks up a byte for many rows.
#[derive(Debug)]
pub(super) struct Leaves(pub(super) [[u8; 64]; 4]);

impl Default for Leaves {
    fn default() -> Self {
        Self([[0; 64]; 4])
    }
}

impl Leaves {
    /// Replaces the leaves by those with these bits.
    #[inline(always)]
    pub(super) fn set(&mut self, bits: &[u32; 64]) {
        for (plane, shift) in self.0.iter_mut().zip([0, 8, 16, 24]) {
            for leaf in 0..64 {
                plane[leaf] = (bits[leaf] >> shift).to_le_bytes()[0];
            }
        }
    }
}

/// What every processor has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

impl Unit for Portable {
    #[inline(always)]
    fn not_above(self, marks: &[i32; 16], value: i32) -> usize {
        let mut count = 0;
        for mark in marks {
            count += i32::from(*mark <= value);
        }
        count.cast_unsigned() as usize
    }

    #[inline(always)]
    fn exits(self, splits: &Splits, ranks: Ranks<'_>) -> Lanes<u8> {
        splits.exits(ranks)
    }

    #[inline(always)]
    fn top_exits(self, top: &Top, ranks: Ranks<'_>) -> Lanes<u8> {
        top.exits(ranks)
    }

    #[inline(always)]
    fn add_leaves(self, leaves: &Leaves, exits: &Lanes<u8>, sums: &mut Lanes<f32>) {
        for row in 0..ROWS {
            let exit = usize::from(exits[row] & 63);
            sums[row] += f32::from_le_bytes(leaves.0.each_ref().map(|plane| plane[exit]));
        }
    }
}

/// As [`Unit::walk_on`]. A function of its own has enough registers.
#[inline(never)]
pub(super) fn walk_on(grove: Grove<'_>, top: &Top, exits: &[u8], keys: &[[u32; WALKS]], sums: &mut [f32]) {
    let keys = keys.chunks_exact(keys.len() / (exits.len() / WALKS));
    for ((keys, exits), sums) in keys.zip(exits.as_chunks::<WALKS>().0).zip(sums.as_chunks_mut::<WALKS>().0) {
        let keys = grove.keys::<WALKS>(keys.as_flattened());
        let at = exits.map(|exit| top.exits[usize::from(exit & 63)]);
        let rows = std::array::from_fn(|row| row);
        let values = match grove.levels {
            0 => grove.down::<0, _, _>(at, keys, rows),
            _ => grove.down::<1, _, _>(at, keys, rows),
        };
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
}
