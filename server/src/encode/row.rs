//! One row's answer as Python writes it: a number, a list of numbers, or a list of lists.

use thicket_engine::Predictions;

use crate::number::{self, NonFinite};

/// The answers of all rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    predictions: &'a Predictions,
    width: usize,
}

/// The answer of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    /// All of its numbers.
    pub(super) values: &'a [f32],
    /// How many of them belong together.
    width: usize,
}

impl<'a> Rows<'a> {
    /// The answers in `predictions`, each cut into lists of `width` numbers where it is longer.
    pub(super) fn of(predictions: &'a Predictions, width: usize) -> Self {
        Self { predictions, width: width.max(1) }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Row<'a>> {
        self.predictions.iter().map(move |values| Row { values, width: self.width })
    }

    /// Appends the rows with `separator` between them.
    pub(super) fn join(self, out: &mut Vec<u8>, separator: &[u8], non_finite: NonFinite) {
        push_joined(out, separator, self.iter(), |out, row| row.push(out, non_finite));
    }

    /// Appends each row on a line of its own.
    pub(super) fn lines(self, out: &mut Vec<u8>, non_finite: NonFinite) {
        for row in self.iter() {
            row.push(out, non_finite);
            out.push(b'\n');
        }
    }
}

impl Row<'_> {
    /// Appends the row: a number where it has one, else a list, else a list of lists.
    pub(super) fn push(self, out: &mut Vec<u8>, non_finite: NonFinite) {
        match self.values {
            [value] => number::push_python(out, *value, non_finite),
            values if self.width < values.len() => {
                push_list(out, values.chunks(self.width), |out, list| push_numbers(out, list, non_finite));
            }
            values => push_numbers(out, values, non_finite),
        }
    }

    /// How many lists of how many numbers this is; nothing where it is one list at the most.
    pub(super) fn shape(self) -> Option<[usize; 2]> {
        (self.width < self.values.len()).then(|| [self.values.len() / self.width, self.width])
    }
}

/// Appends `[1.0, 2.0]`.
pub(super) fn push_numbers(out: &mut Vec<u8>, values: &[f32], non_finite: NonFinite) {
    push_list(out, values.iter(), |out, value| number::push_python(out, *value, non_finite));
}

/// Appends a list of whatever `push` appends.
pub(super) fn push_list<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, push: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    push_joined(out, b", ", items, push);
    out.push(b']');
}

/// Appends whatever `push` appends, with `separator` between items.
pub(super) fn push_joined<T>(
    out: &mut Vec<u8>,
    separator: &[u8],
    items: impl Iterator<Item = T>,
    push: impl Fn(&mut Vec<u8>, T),
) {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.extend_from_slice(separator);
        }
        push(out, item);
    }
}
