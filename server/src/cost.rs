//! How long a prediction should take, by what is known before it begins: what decides where it is done, and when.
//!
//! The figures are measured, as nanoseconds on one core of an AMD EPYC (Zen 3). Bytes: what the fastest of nine requests with
//! 10,000 rows of six columns takes of the processor, to a forest of a single split. Walks: `thicket-bench kernels --batches
//! 256` on 500 trees of depth 8, divided by the trees; 100 trees of depth 6 need half of it.

use std::time::Duration;

use crate::decode::Form;

/// Work up to this long is done where its request arrives: a probe may wait for so long, and a hop to another thread and
/// back is not worth less.
pub(crate) const INLINE_MAX: Duration = Duration::from_micros(500);

/// A walk down a tree to its leaf, with the branches of rows that differ.
const WALK_NS: u64 = 5;

/// As many walks does a tree's part in a row's contributions cost.
pub(crate) const CONTRIBUTION_WALKS: usize = 800;

/// What a row costs in walks where another engine answers: `XGBoost`'s library and ONNX Runtime take some microseconds.
pub(crate) const OTHER_ENGINES_WALKS: usize = 500;

/// The time for reading `bytes` of rows and for so many walks.
pub(crate) fn of(form: Form, bytes: usize, walks: usize) -> Duration {
    let reading_ns = (bytes as u64).saturating_mul(byte_ns(form));
    Duration::from_nanos((walks as u64).saturating_mul(WALK_NS).saturating_add(reading_ns))
}

/// From the socket to the matrix, and the answer back.
fn byte_ns(form: Form) -> u64 {
    match form {
        Form::Csv => 5,
        Form::RecordIo => 6,
        Form::Json | Form::JsonLines => 10,
        Form::Libsvm => 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_walks_add_up_without_end() {
        assert_eq!(of(Form::Csv, 100, 0), Duration::from_nanos(500));
        assert_eq!(of(Form::Libsvm, 0, 10), Duration::from_nanos(50));
        assert_eq!(of(Form::Json, 10, 10), Duration::from_nanos(150));
        assert_eq!(of(Form::Json, usize::MAX, usize::MAX), Duration::from_nanos(u64::MAX));
    }
}
