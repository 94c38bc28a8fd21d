//! Rows in vectors of 32 bytes: a piece of the body after the other is searched, and then its cells are read.

use super::{
    lanes::{self, GROUP, Lanes},
    widths::Widths,
};

mod exponent;
mod lengths;
mod long;
mod short;
mod window;
mod words;

use window::Window;

/// Having it is the proof that the processor has AVX2, BMI 1 and 2, and counts bits.
#[derive(Clone, Copy, Debug)]
pub(in crate::csv) struct Avx2(());

impl Avx2 {
    /// It, if the processor has it.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        has_all.then_some(Self(()))
    }
}

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
    let lengths = lengths::of(ends);
    let over = |most| lengths::over(lengths, most);
    let (over_short, over_long) = (over(short::CHARACTERS_MAX), over(long::CHARACTERS_MAX));
    // Cells that are too long for both ways are no reason for the longer one.
    let (lanes, too_long) = if window.has_e() {
        (long::read::<true>(window, ends, lengths), over_long)
    } else if over_short & !over_long == 0 {
        (short::read(window, ends, lengths), over_short)
    } else {
        (long::read::<false>(window, ends, lengths), over_long)
    };
    let lanes = Lanes { plain: lanes.plain & !too_long, ..lanes };
    let text = |lane: usize| window.cell(*ends.get(lane)?, *ends.get(lane + 1)?);
    super::push(&lanes, GROUP.min(window.cells() - first), text, values)
}
