//! Matrices that requests leave to those after them, so that a warm request allocates none.

use std::sync::{Mutex, PoisonError};

use crate::matrix::Matrix;

/// Matrices kept; more than one is wanted only while work is on the compute threads.
const KEPT_MAX: usize = 8;

/// The largest matrix that is kept, in numbers: 256 KiB of them.
const KEPT_VALUES_MAX: usize = 64 << 10;

/// Used matrices.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Vec<Matrix>>);

impl Buffers {
    /// A matrix to read into.
    pub(crate) fn take(&self) -> Matrix {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps a matrix for the next request, unless that would pin much memory.
    pub(crate) fn give_back(&self, matrix: Matrix) {
        if matrix.values.capacity() > KEPT_VALUES_MAX {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.push(matrix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_buffers_come_back_and_large_ones_do_not() {
        let buffers = Buffers::default();
        buffers.give_back(Matrix { columns: 1, values: Vec::with_capacity(100) });
        assert_eq!(buffers.take().values.capacity(), 100);
        buffers.give_back(Matrix { columns: 1, values: Vec::with_capacity(KEPT_VALUES_MAX + 1) });
        assert_eq!(buffers.take().values.capacity(), 0);
    }
}
