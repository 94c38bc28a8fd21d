//! Rows of plain decimals, eight cells at a time, on processors with AVX2.
//!
//! A window of the body is searched for what ends cells. The characters before eight ends become words, the words numbers.
//! A cell that is no plain decimal is read alone. Where anything is wrong, this way gives up, and the plain one complains.

use super::cell;
use crate::matrix::Matrix;

mod exponent;
mod lanes;
mod long;
mod short;
mod widths;
mod window;
mod words;

use lanes::{GROUP, Lanes};
use widths::Widths;
use window::Window;

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
    let is_read = unsafe { read_rows(body, delimiter, &mut widths, &mut matrix.values) }.is_some();
    if is_read {
        matrix.columns = widths.columns();
    } else {
        matrix.values.clear();
    }
    is_read
}

/// Appends the numbers of all rows to `values`; `None` where something is wrong.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn read_rows(body: &[u8], delimiter: u8, widths: &mut Widths, values: &mut Vec<f32>) -> Option<()> {
    let mut window = Window::new();
    let mut rest = Some(body);
    while let Some(piece) = rest {
        window.fill(piece, delimiter, widths)?;
        let cells = window.cells();
        if cells == 0 {
            // A cell that is larger than the window.
            return None;
        }
        values.reserve(cells);
        for first in (0..cells).step_by(GROUP) {
            push(&window, first, values)?;
        }
        // The last cell was ended by nothing that is in the body.
        rest = piece.get(window.bytes_read()..);
    }
    Some(())
}

/// Appends the numbers of the eight cells from `first` on, or as many as there are.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
#[inline]
fn push(window: &Window, first: usize, values: &mut Vec<f32>) -> Option<()> {
    let ends = window.ends(first)?;
    let lengths = lanes::lengths(ends);
    let (over_short, over_long) =
        (lanes::over(lengths, short::CHARACTERS_MAX), lanes::over(lengths, long::CHARACTERS_MAX));
    // Cells that are too long for both ways are no reason for the longer one.
    let (Lanes { mut numbers, plain }, too_long) = if window.has_e() {
        (long::read::<true>(window, ends, lengths), over_long)
    } else if over_short & !over_long == 0 {
        (short::read(window, ends, lengths), over_short)
    } else {
        (long::read::<false>(window, ends, lengths), over_long)
    };
    let count = GROUP.min(window.cells() - first);
    let mut odd = (too_long | !plain) & (0xff >> (GROUP - count));
    while odd != 0 {
        let lane = odd.trailing_zeros() as usize;
        let text = window.cell(*ends.get(lane)?, *ends.get(lane + 1)?)?;
        *numbers.get_mut(lane)? = cell::number(text).ok()?;
        odd &= odd - 1;
    }
    if count == GROUP {
        values.extend_from_slice(&numbers);
    } else {
        values.extend_from_slice(numbers.get(..count)?);
    }
    Some(())
}
