//! The way through blocks whose ranks are bytes, and the ranks of many rows.
//!
//! Having a [`Grove`] is the proof that every index on the way is good: the pack was checked, and there are as many ranks as it
//! has columns.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

use super::lanes::rank;
use crate::pack::{Sections, format::Block};

/// The blocks of a checked pack.
#[derive(Clone, Copy)]
pub(super) struct Grove<'a> {
    blocks: &'a [Block],
    columns: usize,
    /// Blocks on every way; 0 where ways differ.
    pub(super) levels: u32,
}

/// Blocks up to so many are near enough to every processor: they take 256 KiB.
const NEAR_BLOCKS_MAX: usize = 4096;

/// One of a block's exits. Its number is as wide as an index: bytes would be packed into one register, and unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Exit(usize);

/// The exit of a block of whole levels that a row takes, by the splits where it goes right: bit `i` for slot `i`.
static EXITS: [u8; 256] = {
    let mut exits = [0; 256];
    let mut rights = 0;
    while rights < exits.len() {
        let mut slot = 1;
        while slot < Block::SLOTS {
            slot = 2 * slot + (rights >> slot & 1);
        }
        exits[rights] = (slot - Block::SLOTS).to_le_bytes()[0];
        rights += 1;
    }
    exits
};

impl Exit {
    /// Of a block of whole levels, by the splits where a row goes right: bit `i` for slot `i`.
    #[inline(always)]
    pub(super) fn by_rights(rights: u8) -> Self {
        Self(EXITS[usize::from(rights)].into())
    }

    /// The first that is not ruled out. The last never is, since no split has it on its left.
    #[inline(always)]
    pub(super) fn first_left(ruled_out: u8) -> Self {
        Self((!ruled_out | 0x80).trailing_zeros() as usize)
    }

    /// By which a row leaves `block`, of whole levels, that has these ranks where its splits ask.
    #[inline(always)]
    pub(super) fn of_whole(block: &Block, rank: impl Fn(usize) -> u8) -> Self {
        let mut slot = 1;
        for _ in 0..Block::DEPTH {
            // The slot is below 8 here: this is no question to the processor.
            let at = slot % Block::SLOTS;
            slot = 2 * slot + usize::from(rank(at) >= block.ranks[at]);
        }
        Self(slot % Block::SLOTS)
    }

    /// By which a row leaves `block` that has these ranks where its splits ask.
    #[inline(always)]
    pub(super) fn of_any(block: &Block, rank: impl Fn(usize) -> u8) -> Self {
        let mut ruled_out = 0;
        for slot in 1..Block::SLOTS {
            let is_right = rank(slot) >= block.ranks[slot];
            ruled_out |= block.ruled_out[slot] & 0_u8.wrapping_sub(u8::from(is_right));
        }
        Self::first_left(ruled_out)
    }

    /// Where it leads from `block`: to that block, or to a leaf that adds what has these bits.
    #[inline(always)]
    pub(super) fn leads_to(self, block: &Block) -> u32 {
        debug_assert!(self.0 < 8);
        // SAFETY: exits are made above alone: of slots 8 to 15, of a number modulo 8, and of the zeros below the lowest
        // bit of a byte that has the highest.
        unsafe { *block.exits.get_unchecked(self.0) }
    }

    /// Whether it leads to a leaf from `block`.
    #[inline(always)]
    pub(super) fn leads_to_leaf(self, block: &Block) -> bool {
        block.is_leaf(self.0)
    }
}

/// Rows of a batch that go down a tree together: as many bytes as a cache line has, and the longest vectors.
pub(super) const ROWS: usize = 64;

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
        Self { blocks: forest.blocks, columns: forest.columns.len(), levels: forest.forest.block_levels }
    }

    /// How many columns splits name.
    pub(super) fn columns(self) -> usize {
        self.columns
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
        // SAFETY: indices come from the roots and the exits of this pack, which lead to blocks of it (`check_exits`, `check_even`),
        // and leaves are told apart before. Of a file that was cut short some are 0, and a pack that has roots has a block.
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

    /// The most blocks that a way can have: each leads to later ones. A file that is cut short reads as zeros, which lead in
    /// circles, and walks end there too.
    #[inline(always)]
    pub(super) fn blocks_on_a_way(self) -> usize {
        self.blocks.len()
    }

    /// What the leaf adds that a row with these ranks reaches below the block at `at`. A file that is cut short reads as
    /// zeros, which lead in circles, and ways end there too.
    #[inline(always)]
    pub(super) fn leaf(self, mut at: u32, rank: impl Fn(usize) -> u8) -> f32 {
        for _ in 0..self.blocks_on_a_way() {
            let block = self.block(at);
            let exit = Exit::of_any(block, |slot| rank(block.column(slot)));
            at = exit.leads_to(block);
            if exit.leads_to_leaf(block) {
                return f32::from_bits(at);
            }
        }
        f32::NAN
    }
}

impl<'a> Ranks<'a> {
    /// Those in the column that a split of this pack names, or in the first, of whose number this is eight times.
    #[inline(always)]
    pub(super) fn column(self, column: u32) -> &'a Lanes<i8> {
        self.part(0, column)
    }

    /// That of a row, below [`ROWS`], in a column of this pack.
    #[inline(always)]
    pub(super) fn rank(self, column: usize, row: usize) -> u8 {
        debug_assert!(column < self.0.len() && row < ROWS);
        // SAFETY: the columns of splits are below `columns` (`check_splits`), and `Grove::ranks` asked for as many.
        let ranks = unsafe { self.0.get_unchecked(column) };
        rank(ranks.0[row % ROWS])
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
