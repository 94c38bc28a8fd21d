//! Rows of plain decimals, eight cells at a time, on processors that have vectors for it.
//!
//! The body is searched for what ends cells. The characters before eight ends become words, the words numbers. A cell that is no
//! plain decimal is read alone. Where anything is wrong, this way gives up, and the plain one complains.

use super::cell;
use crate::matrix::Matrix;

mod avx2;
mod lanes;
mod widths;

use widths::Widths;

/// Reads the rows of `body` into `matrix`, which is empty; so it is left, and `false` returned, where the processor cannot or
/// there is something wrong with the rows.
#[allow(unsafe_code, reason = "the one call that takes for granted what a processor can")]
pub(super) fn read(body: &[u8], delimiter: u8, matrix: &mut Matrix) -> bool {
    let is_able = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt");
    if !is_able {
        return false;
    }
    let mut widths = Widths::new(matrix.columns);
    // SAFETY: the processor was asked for every feature that the function is compiled for.
    let is_read = unsafe { avx2::read_rows(body, delimiter, &mut widths, &mut matrix.values) }.is_some();
    if is_read {
        matrix.columns = widths.columns();
    } else {
        matrix.values.clear();
    }
    is_read
}
