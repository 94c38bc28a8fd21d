//! Rows in vectors of 32 bytes: a piece of the body after the other is searched, and then its cells are read.

use super::{
    cell,
    lanes::{self, GROUP, Lanes},
    widths::Widths,
};

mod exponent;
mod long;
mod short;
mod window;
mod words;

use window::Window;

/// Appends the numbers of all rows to `values`; `None` where something is wrong.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn read_rows(body: &[u8], delimiter: u8, widths: &mut Widths, values: &mut Vec<f32>) -> Option<()> {
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
