//! Rows of plain decimals, eight cells at a time, on processors that have vectors for it.
//!
//! The body is searched for what ends cells. The characters before eight ends become words, the words numbers. A cell that is no
//! plain decimal is read alone. Where anything is wrong, this way gives up, and the plain one complains.

use super::cell;
use crate::matrix::Matrix;

mod avx2;
mod avx512;
mod lanes;
mod widths;

use avx2::Avx2;
use avx512::Avx512;
use lanes::{GROUP, Lanes};
use widths::Widths;

/// A kind of vectors that the processor has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Vectors {
    Avx2(Avx2),
    Avx512(Avx512),
}

impl Vectors {
    /// The largest that the processor has.
    pub(super) fn largest() -> Option<Self> {
        Avx512::detect().map(Self::Avx512).or_else(|| Avx2::detect().map(Self::Avx2))
    }

    /// All kinds that the processor has.
    pub(super) fn kinds() -> impl Iterator<Item = Self> {
        let kinds = [Avx2::detect().map(Self::Avx2), Avx512::detect().map(Self::Avx512)];
        kinds.into_iter().flatten()
    }

    /// Appends the rows of `body` to those of `matrix`; so it is left, and `false` returned, where there is something wrong with
    /// them.
    #[allow(unsafe_code, reason = "the calls that take for granted what a processor can")]
    pub(super) fn read(self, body: &[u8], delimiter: u8, matrix: &mut Matrix) -> bool {
        let (mut widths, before) = (Widths::new(matrix.columns), matrix.values.len());
        let is_read = match self {
            // SAFETY: having it is the proof that the processor has every feature that the function is compiled for.
            Self::Avx2(_) => unsafe { avx2::read_rows(body, delimiter, &mut widths, &mut matrix.values) },
            // SAFETY: having it is the proof that the processor has every feature that the function is compiled for.
            Self::Avx512(_) => unsafe { avx512::read_rows(body, delimiter, &mut widths, &mut matrix.values) },
        };
        match is_read {
            Some(()) => matrix.columns = widths.columns(),
            None => matrix.values.truncate(before),
        }
        is_read.is_some()
    }
}

/// Appends the first `count` numbers of `lanes`. Those that are not plain are read from their texts; `None` where one is no
/// number.
#[inline(always)]
#[allow(clippy::inline_always, reason = "what is passed lies in registers")]
fn push<'a>(
    lanes: &Lanes,
    count: usize,
    text: impl Fn(usize) -> Option<&'a [u8]>,
    values: &mut Vec<f32>,
) -> Option<()> {
    let first = values.len();
    values.extend_from_slice(&lanes.numbers);
    let mut odd = !lanes.plain & (0xff >> (GROUP - count));
    while odd != 0 {
        let lane = odd.trailing_zeros() as usize;
        *values.get_mut(first + lane)? = cell::number(text(lane)?).ok()?;
        odd &= odd - 1;
    }
    values.truncate(first + count);
    Some(())
}
