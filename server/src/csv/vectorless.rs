//! Where there are no vectors.

use std::iter;

use crate::matrix::Matrix;

/// None of them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Vectors {}

impl Vectors {
    pub(super) fn largest() -> Option<Self> {
        None
    }

    pub(super) fn kinds() -> impl Iterator<Item = Self> {
        iter::empty()
    }

    pub(super) fn read(self, _body: &[u8], _delimiter: u8, _matrix: &mut Matrix) -> bool {
        match self {}
    }
}
