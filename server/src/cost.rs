//! How long a prediction should take, by what is known before it begins: what decides where it is done, and when.
//!
//! The figures are measured, as nanoseconds on one core of an AMD EPYC (Zen 3), which has AVX2. Bytes of CSV: `thicket-bench csv`
//! on bodies of 60 kB, by what cells look like: 0.75 where they have four to eight digits, 2 where one cell in five is empty or has
//! an exponent, or all have one digit, 2.4 for all 17 digits. Answers: what the fastest of 15 requests with 10,000 rows of six
//! digits takes of the processor, to a forest of a single split. Bytes of the other forms: the same, less the answers. Walks:
//! `thicket-bench kernels --batches 256` on 500 trees of depth 8, divided by the trees; 100 trees of depth 6 need half of it.

use std::time::Duration;

use crate::decode::Form;

/// Work up to this long is done where its request arrives: a probe may wait for so long, and a hop to another thread and
/// back is not worth less.
pub(crate) const INLINE_MAX: Duration = Duration::from_micros(500);

/// A walk down a tree to its leaf, with the branches of rows that differ.
const WALK_NS: u64 = 5;

/// A row's answer, from the sum of its leaves to its text.
const ANSWER_NS: u64 = 100;

/// As many walks does a tree's part in a row's contributions cost.
pub(crate) const CONTRIBUTION_WALKS: usize = 800;

/// What a row costs in walks where another engine answers: `XGBoost`'s library and ONNX Runtime take some microseconds.
pub(crate) const OTHER_ENGINES_WALKS: usize = 500;

/// The time for reading `bytes` of so many rows, for so many walks, and for the rows' answers.
pub(crate) fn of(form: Form, bytes: usize, rows: usize, walks: usize) -> Duration {
    let parts = [(bytes, byte_ns(form)), (rows, ANSWER_NS), (walks, WALK_NS)];
    let part_ns = |(count, ns): (usize, u64)| (count as u64).saturating_mul(ns);
    Duration::from_nanos(parts.into_iter().map(part_ns).fold(0, u64::saturating_add))
}

/// To the matrix.
fn byte_ns(form: Form) -> u64 {
    match form {
        Form::Csv => 2,
        Form::RecordIo => 4,
        Form::Json | Form::JsonLines => 8,
        Form::Libsvm => 13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_rows_and_walks_add_up_without_end() {
        assert_eq!(of(Form::Csv, 100, 0, 0), Duration::from_nanos(200));
        assert_eq!(of(Form::Libsvm, 0, 2, 10), Duration::from_nanos(250));
        assert_eq!(of(Form::Json, 10, 0, 10), Duration::from_nanos(130));
        assert_eq!(of(Form::Json, usize::MAX, usize::MAX, usize::MAX), Duration::from_nanos(u64::MAX));
    }
}
