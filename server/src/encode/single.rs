//! The shapes of a server of one model.

use super::{
    Form, recordio,
    row::{Row, Rows, push_joined},
};
use crate::number::{self, NonFinite};

/// Appends the rows. In batches JSON is lines of Python's lists as CSV is: batch transform joins answers line by line.
pub(super) fn push_rows(out: &mut Vec<u8>, rows: Rows<'_>, form: Form, batch: bool) {
    match (form, batch) {
        (Form::Csv | Form::Json, true) => rows.lines(out, NonFinite::Text),
        (Form::Csv, false) => rows.iter().for_each(|row| push_cells(out, row)),
        (Form::Json, false) => {
            out.extend_from_slice(b"{\"predictions\": [");
            push_joined(out, b", ", rows.iter(), push_score);
            out.extend_from_slice(b"]}");
        }
        (Form::JsonLines, _) => {
            for row in rows.iter() {
                push_score(out, row);
                out.push(b'\n');
            }
        }
        (Form::RecordIo, _) => recordio::push_scores(out, rows),
    }
}

fn push_cells(out: &mut Vec<u8>, row: Row<'_>) {
    push_joined(out, b",", row.values.iter(), |out, value| number::push_python(out, *value, NonFinite::Text));
    out.push(b'\n');
}

fn push_score(out: &mut Vec<u8>, row: Row<'_>) {
    out.extend_from_slice(b"{\"score\": ");
    row.push(out, NonFinite::Json);
    out.push(b'}');
}
