//! From predictions and a request's `Accept` to a response's body.
//!
//! JSON and CSV are byte for byte as AWS's `XGBoost` container writes them; JSON lines and `RecordIO`, which that has for
//! selectable inference alone, are the same numbers one row at a time.

mod accept;
mod recordio;
mod row;

pub use accept::Accepted;
use http::HeaderValue;
use thicket_engine::Predictions;

use crate::number::NonFinite;
use row::Rows;

/// A form in which predictions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON array: of numbers, or of arrays when each row's answer is one.
    Json,
    /// The rows' answers on one line, joined by commas; an answer that is an array keeps its brackets.
    Csv,
    /// One JSON value on a line for each row.
    JsonLines,
    /// One record for each row, whose label `score` is a tensor of `f32`.
    RecordIo,
}

/// The label under which a record has a row's answer.
const SCORE: &str = "score";

impl Form {
    /// Every form, in the order in which they are offered to a client that does not care.
    const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::JsonLines, Self::RecordIo];

    /// The form that a media type names exactly, in any case.
    #[must_use]
    pub fn named(media_type: &str) -> Option<Self> {
        let name = media_type.to_ascii_lowercase();
        if name == "csv" {
            return Some(Self::Csv);
        }
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// The media type's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::JsonLines => "application/jsonlines",
            Self::RecordIo => "application/x-recordio-protobuf",
        }
    }

    fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }

    /// The bytes of `predictions`; `batch` writes each row of [`Form::Csv`] on a line of its own, as batch transform
    /// wants it.
    #[must_use]
    pub fn write(self, predictions: &Predictions, batch: bool) -> Vec<u8> {
        self.write_lists(predictions, predictions.columns, batch)
    }

    /// The same with each row's answer cut into lists of `width` numbers, where it is longer.
    #[must_use]
    pub fn write_lists(self, predictions: &Predictions, width: usize, batch: bool) -> Vec<u8> {
        let rows = Rows::of(predictions, width);
        let mut out = Vec::with_capacity(2 + predictions.values.len() * 22);
        match (self, batch) {
            (Self::Json, _) => {
                out.push(b'[');
                rows.join(&mut out, b", ", NonFinite::Json);
                out.push(b']');
            }
            (Self::Csv, false) => rows.join(&mut out, b",", NonFinite::Text),
            (Self::Csv, true) => rows.lines(&mut out, NonFinite::Text),
            (Self::JsonLines, _) => rows.lines(&mut out, NonFinite::Json),
            (Self::RecordIo, _) => {
                for row in rows.iter() {
                    let tensor = recordio::Tensor { values: row.values, shape: row.shape() };
                    recordio::push_record(&mut out, &[(SCORE, tensor)]);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests;
