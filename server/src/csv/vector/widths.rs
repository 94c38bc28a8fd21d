//! Whether all rows are as wide as the first.

/// The width of rows, and where the row that is being read began.
#[derive(Debug)]
pub(super) struct Widths {
    /// Cells in a row; 0 before the first has ended.
    columns: usize,
    /// The cells of the row that stand before those counted now.
    pending: usize,
}

impl Widths {
    /// For rows of so many columns, or as many as the first has where that is 0.
    pub(super) fn new(columns: usize) -> Self {
        Self { columns, pending: 0 }
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Counts the next `ends` of cells, and ends a row at those of them that are `feeds`; `None` when one has another width.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    #[inline]
    pub(super) fn end_rows(&mut self, ends: u64, mut feeds: u64) -> Option<()> {
        let mut counted = 0;
        while feeds != 0 {
            let through = feeds ^ feeds.wrapping_sub(1);
            let cells = (ends & through).count_ones() as usize;
            let width = self.pending + cells - counted;
            if self.columns == 0 {
                self.columns = width;
            }
            if self.columns != width {
                return None;
            }
            (self.pending, counted) = (0, cells);
            feeds &= feeds.wrapping_sub(1);
        }
        self.pending += ends.count_ones() as usize - counted;
        Some(())
    }
}
