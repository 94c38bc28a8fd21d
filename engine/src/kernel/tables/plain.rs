//! One block after the other, for every processor.

#![allow(unsafe_code)]

use super::{Exit, Tables};
use crate::pack::{Sections, format::Block};

/// Blocks that are left side by side, as many walks as a processor can overlap.
const BLOCKS: usize = 8;

/// The ranks of a row, as many as its pack has columns.
pub(super) struct Plain<'a>(&'a [u8]);

impl<'a> Plain<'a> {
    /// The `ranks` of a row of `forest`.
    pub(super) fn of(forest: &Sections<'_>, ranks: &'a [u8]) -> Self {
        assert!(ranks.len() >= forest.columns.len(), "{} ranks for {} columns", ranks.len(), forest.columns.len());
        Self(ranks)
    }

    #[inline(always)]
    fn rank(&self, column: usize) -> u8 {
        debug_assert!(column < self.0.len());
        // SAFETY: the columns of splits are below `columns` (`check_splits`), and `Plain::of` asked for as many ranks.
        unsafe { *self.0.get_unchecked(column) }
    }
}

impl Tables<BLOCKS> for Plain<'_> {
    #[inline(always)]
    fn leave_whole(&self, blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS] {
        blocks.map(|block| Exit::of_whole(block, |slot| self.rank(block.column(slot))))
    }

    #[inline(always)]
    fn leave_any(&self, blocks: [&Block; BLOCKS]) -> [Exit; BLOCKS] {
        blocks.map(|block| Exit::of_any(block, |slot| self.rank(block.column(slot))))
    }
}
