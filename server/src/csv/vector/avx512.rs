//! Rows in vectors of 64 bytes: two of them are looked at wherever the next cells start, and the first eight are read.

use super::{lanes, widths::Widths};

mod cells;
mod ends;
mod exponent;
mod long;
mod short;
mod words;

use cells::Cells;
use ends::WINDOW;

/// Having it is the proof that the processor has AVX-512 F, BW, CD, DQ, VL, VBMI and VBMI 2, and what AVX2 stands for here.
#[derive(Clone, Copy, Debug)]
pub(in crate::csv) struct Avx512(());

impl Avx512 {
    /// It, if the processor has it.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512cd")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512vbmi2");
        super::Avx2::detect().filter(|_| has_all).map(|_| Self(()))
    }
}

/// Appends the numbers of all rows to `values`; `None` where something is wrong.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")]
pub(super) fn read_rows(body: &[u8], delimiter: u8, widths: &mut Widths, values: &mut Vec<f32>) -> Option<()> {
    let mut rest = body;
    while let Some(window) = rest.first_chunk() {
        let bytes_read = push(window, delimiter, widths, values)?;
        rest = rest.get(bytes_read..)?;
    }
    loop {
        // The last cell is ended by nothing that is in the body. A digit ends none.
        let mut window = [b'0'; WINDOW];
        window.get_mut(..rest.len())?.copy_from_slice(rest);
        *window.get_mut(rest.len())? = b'\n';
        let bytes_read = push(&window, delimiter, widths, values)?;
        match rest.get(bytes_read..) {
            Some(more) => rest = more,
            None => return Some(()),
        }
    }
}

/// Appends the numbers of the first eight cells that end in `window`, or as many as there are; returns how many bytes they
/// take, each with what ends it.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")]
#[inline]
fn push(window: &[u8; WINDOW], delimiter: u8, widths: &mut Widths, values: &mut Vec<f32>) -> Option<usize> {
    let cells = Cells::of(window, delimiter);
    let ends = &cells.ends;
    if ends.count == 0 {
        // A cell that is larger than the window.
        return None;
    }
    widths.end_rows(ends.all(), ends.rows)?;
    let lanes = match cells.are_short().then(|| short::read(&cells)) {
        Some(lanes) if lanes.plain == 0xff => lanes,
        _ => long::read(&cells),
    };
    super::push(&lanes, ends.count, |lane| window.get(ends.cell(lane)?), values)?;
    Some(ends.bytes)
}
