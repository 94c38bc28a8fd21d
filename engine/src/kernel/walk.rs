//! The way through a block: three splits that ask three keys, without a branch.
//!
//! Several walks go on side by side, so that a processor works on one while another waits for memory. Having a
//! [`Grove`] is the proof that every index on the way is good: the pack was checked, and the keys are as many as its columns.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
use std::hint::select_unpredictable;

use crate::pack::{Sections, format::Block};

#[cfg(target_arch = "x86_64")]
pub(super) mod sixteen;

/// The blocks of a checked pack.
#[derive(Clone, Copy)]
pub(super) struct Grove<'a> {
    blocks: &'a [Block],
    leaf_values: &'a [f32],
    columns: usize,
    /// Blocks on every way; 0 where ways differ.
    pub(super) levels: u32,
}

/// Keys of so many rows: that of a column and a row is number `column * STRIDE + row`.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a, const STRIDE: usize>(&'a [u32]);

/// Blocks up to so many are near enough to every processor: they take 256 KiB.
const NEAR_BLOCKS_MAX: usize = 4096;

/// One of a block's exits: the slot that holds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exit(u8);

/// The exit that a row takes, by the splits where it goes right: bit `i` for slot `i`.
pub(super) const EXITS: [Exit; 256] = {
    let mut exits = [Exit(0); 256];
    let mut rights = 0;
    while rights < exits.len() {
        let mut slot = 1;
        while slot < Block::EXITS {
            slot = 2 * slot + (rights >> slot & 1);
        }
        exits[rights] = Exit(slot.to_le_bytes()[0]);
        rights += 1;
    }
    exits
};

impl Exit {
    /// Where it leads from `block`.
    #[inline(always)]
    pub(super) fn of(self, block: &Block) -> u32 {
        // SAFETY: exits are made above alone, of slots behind those of splits and below twice as many, which is what a block has.
        unsafe { *block.0.get_unchecked(usize::from(self.0)) }
    }
}

/// Rows of a batch that go down a tree together: as many bytes as a cache line has, and the longest vectors.
pub(super) const ROWS: usize = 64;

/// Rows of a batch whose keys lie together, and that walk side by side below the lanes.
pub(super) const KEYED: usize = 8;

/// Something of each of these rows.
pub(super) type Lanes<T> = [T; ROWS];

/// Something that begins where a cache line does, so that no vector of it lies in two.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub(super) struct Aligned<T>(pub(super) T);

/// Half of them: shorter vectors ask for no rows that are not there.
pub(super) const HALF: usize = ROWS / 2;

/// Something of each row of half a group.
pub(super) type Half<T> = [T; HALF];

/// Ranks of so many rows, column by column.
#[derive(Clone, Copy)]
pub(super) struct Ranks<'a>(&'a [Aligned<Lanes<i8>>]);

/// Those of half of the rows: the first half or the latter.
#[derive(Clone, Copy)]
pub(super) struct HalfRanks<'a> {
    ranks: Ranks<'a>,
    is_latter: bool,
}

impl<'a> Grove<'a> {
    pub(super) fn of(forest: &Sections<'a>) -> Self {
        Self {
            blocks: forest.blocks,
            leaf_values: forest.leaf_values,
            columns: forest.columns.len(),
            levels: forest.forest.block_levels,
        }
    }

    /// How many columns splits name.
    pub(super) fn columns(self) -> usize {
        self.columns
    }

    /// The keys in `keys`, which are at least as many as all columns have.
    pub(super) fn keys<const STRIDE: usize>(self, keys: &'a [u32]) -> Keys<'a, STRIDE> {
        assert!(keys.len() >= self.columns * STRIDE, "{} keys for {} columns", keys.len(), self.columns);
        Keys(keys)
    }

    /// The ranks in `columns`, of which there are at least as many as splits name.
    pub(super) fn ranks(self, columns: &'a [Aligned<Lanes<i8>>]) -> Ranks<'a> {
        assert!(columns.len() >= self.columns, "{} of {} columns", columns.len(), self.columns);
        Ranks(columns)
    }

    /// The block that an exit or a root of this pack leads to.
    #[inline(always)]
    pub(super) fn block(self, index: u32) -> &'a Block {
        debug_assert!((index as usize) < self.blocks.len());
        // SAFETY: indices come from the roots and the exits of this pack, which lead to blocks of it (`check_even`,
        // `check_uneven`), and leaves are told apart before. Of a file that was cut short some are 0, and a pack that has roots
        // has a block.
        unsafe { self.blocks.get_unchecked(index as usize) }
    }

    /// Whether there are so many blocks that memory should be asked for them before it is their turn.
    #[inline(always)]
    pub(super) fn is_far(self) -> bool {
        self.blocks.len() > NEAR_BLOCKS_MAX
    }

    /// Asks memory for the block that an exit leads to, before it is that block's turn. Any number will do.
    #[inline(always)]
    pub(super) fn ask_for(self, index: u32) {
        let block = self.blocks.as_ptr().wrapping_add(index as usize);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch is a hint, which reads nothing and does not fail, wherever it points.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(block.cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = block;
    }

    /// What the leaf adds that an exit leads to where ways differ in length.
    #[inline(always)]
    pub(super) fn leaf_value(self, exit: u32) -> f32 {
        if !is_leaf(exit) {
            // Only in what is left of a file that was cut short: no way is longer than `blocks_on_a_way`.
            return f32::NAN;
        }
        debug_assert!(((exit & !Block::LEAF) as usize) < self.leaf_values.len());
        // SAFETY: exits that are marked as leaves lead to leaf values of this pack (`check_uneven`).
        unsafe { *self.leaf_values.get_unchecked((exit & !Block::LEAF) as usize) }
    }

    /// What so many leaves add from one on, where ways differ in length; nothing where there are not as many.
    #[inline(always)]
    pub(super) fn leaf_values(self, first: usize, count: usize) -> &'a [f32] {
        self.leaf_values.get(first..first.saturating_add(count)).unwrap_or(&[])
    }

    /// The most blocks that a way can have: each leads to later ones. A file that is cut short reads as zeros, which lead in
    /// circles, and walks end there too.
    #[inline(always)]
    pub(super) fn blocks_on_a_way(self) -> usize {
        self.blocks.len()
    }

    /// What the leaves add that walks end at which are at `at`, `LEVELS` levels of blocks above the leaves, or at exits from
    /// where ways differ, where that is 0.
    #[inline(always)]
    pub(super) fn down<const LEVELS: usize, const WALKS: usize, const STRIDE: usize>(
        self,
        mut at: [u32; WALKS],
        keys: Keys<'_, STRIDE>,
        rows: [usize; WALKS],
    ) -> [f32; WALKS] {
        if LEVELS == 0 {
            return self.down_uneven(at, keys, rows);
        }
        for _ in 0..LEVELS {
            at = through(at.map(|index| self.block(index)), keys, rows);
        }
        at.map(f32::from_bits)
    }

    /// Where walks that are at `at` end, where some are longer than others.
    #[inline(always)]
    fn down_uneven<const WALKS: usize, const STRIDE: usize>(
        self,
        mut at: [u32; WALKS],
        keys: Keys<'_, STRIDE>,
        rows: [usize; WALKS],
    ) -> [f32; WALKS] {
        for _ in 0..self.blocks_on_a_way() {
            if is_leaf(at.iter().fold(Block::LEAF, |all, exit| all & exit)) {
                break;
            }
            // Walks that have ended go through the first block again and again, and nobody asks where to. Which walk has
            // ended is nothing that a processor could foresee, so these are no branches.
            let blocks = at.map(|exit| self.block(select_unpredictable(is_leaf(exit), 0, exit)));
            let next = through(blocks, keys, rows);
            at = std::array::from_fn(|walk| select_unpredictable(is_leaf(at[walk]), at[walk], next[walk]));
        }
        at.map(|exit| self.leaf_value(exit))
    }
}

/// Where `walks` side by side leave the blocks at `at`.
#[inline(always)]
fn through<const WALKS: usize, const STRIDE: usize>(
    at: [&Block; WALKS],
    keys: Keys<'_, STRIDE>,
    rows: [usize; WALKS],
) -> [u32; WALKS] {
    let mut slots = [1; WALKS];
    for _ in 0..Block::DEPTH {
        for walk in 0..WALKS {
            let split = at[walk].0[slots[walk]];
            let is_right = split < keys.get(split, rows[walk]);
            slots[walk] = 2 * slots[walk] + usize::from(is_right);
        }
    }
    std::array::from_fn(|walk| at[walk].0[slots[walk]])
}

impl<const STRIDE: usize> Keys<'_, STRIDE> {
    /// The key that `split` asks of a row.
    #[inline(always)]
    fn get(self, split: u32, row: usize) -> u32 {
        let index = (split & 0xffff) as usize / (8 / STRIDE) + row;
        debug_assert!(index < self.0.len() && row < STRIDE);
        // SAFETY: the columns of splits are below `columns` (`check_splits`), rows below `STRIDE`, and `Grove::keys` asked
        // for as many keys as there are columns times `STRIDE`.
        unsafe { *self.0.get_unchecked(index) }
    }
}

impl<'a> Ranks<'a> {
    /// Those in the column that a split of this pack names, or in the first, of whose number this is eight times.
    #[inline(always)]
    pub(super) fn column(self, column: u32) -> &'a Lanes<i8> {
        self.part(0, column)
    }

    /// Those of half of the rows.
    #[inline(always)]
    pub(super) fn half(self, is_latter: bool) -> HalfRanks<'a> {
        HalfRanks { ranks: self, is_latter }
    }

    /// As [`Self::column`], of `PART` rows from `first` on.
    #[inline(always)]
    fn part<const PART: usize>(self, first: usize, column: u32) -> &'a [i8; PART] {
        debug_assert!(column.is_multiple_of(8) && (column as usize) < self.0.len() * 8 && first + PART <= ROWS);
        // So written, it is an address that needs no arithmetic.
        let (bytes, columns) = (column as usize * (ROWS / 8), self.0.as_ptr());
        // SAFETY: `Grove::ranks` asked for as many columns as splits name, each of `ROWS` bytes, of which both callers begin at
        // the first or in the middle.
        let first = unsafe { columns.byte_add(first) };
        // SAFETY: the columns of splits are below `columns` (`check_splits`), as is the first, so this is as far into another.
        let part = unsafe { first.byte_add(bytes) };
        // SAFETY: no caller asks for more ranks than one of the columns has from there on.
        unsafe { &*part.cast() }
    }
}

impl<'a> HalfRanks<'a> {
    /// As [`Ranks::column`].
    #[inline(always)]
    pub(super) fn column(self, column: u32) -> &'a Half<i8> {
        self.ranks.part(usize::from(self.is_latter) * HALF, column)
    }
}

/// Whether an exit leads to a leaf, where ways differ in length.
#[inline(always)]
pub(super) fn is_leaf(exit: u32) -> bool {
    exit & Block::LEAF != 0
}
