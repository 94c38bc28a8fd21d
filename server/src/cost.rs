//! How long a prediction should take, by what is known before it begins: what decides where it is done, and when.
//!
//! The figures are measured, as nanoseconds on one core of an AMD EPYC: from the fastest of nine requests with 10,000 rows
//! of six columns, to a forest of 100 trees of depth 6 and to one of a single split. What the latter takes is put down to
//! the bytes, the difference to the walks.

use std::time::Duration;

use crate::decode::Form;

/// Work up to this long is done where its request arrives: a probe may wait for so long, and a hop to another thread and
/// back is not worth less.
pub(crate) const INLINE_MAX: Duration = Duration::from_micros(500);

/// A walk down a tree to its leaf, with the branches of rows that differ.
const WALK_NS: u64 = 40;

/// As many walks does a tree's part in a row's contributions cost.
pub(crate) const CONTRIBUTION_WALKS: usize = 100;

/// The time for reading `bytes` of rows and for so many walks.
pub(crate) fn of(form: Form, bytes: usize, walks: usize) -> Duration {
    let reading_ns = (bytes as u64).saturating_mul(byte_ns(form));
    Duration::from_nanos((walks as u64).saturating_mul(WALK_NS).saturating_add(reading_ns))
}

/// From the socket to the matrix, and the answer back.
fn byte_ns(form: Form) -> u64 {
    match form {
        Form::Csv => 9,
        Form::RecordIo => 8,
        Form::Json | Form::JsonLines => 15,
        Form::Libsvm => 17,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_walks_add_up_without_end() {
        assert_eq!(of(Form::Csv, 100, 0), Duration::from_nanos(900));
        assert_eq!(of(Form::Libsvm, 0, 10), Duration::from_nanos(400));
        assert_eq!(of(Form::Json, 10, 10), Duration::from_nanos(550));
        assert_eq!(of(Form::Json, usize::MAX, usize::MAX), Duration::from_nanos(u64::MAX));
    }
}
