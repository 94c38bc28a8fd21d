//! From predictions and a request's `Accept` to a response's body.
//!
//! JSON and CSV are byte for byte as AWS's `XGBoost` container writes them; JSON lines and `RecordIO`, which that has for
//! selectable inference alone, are the same numbers one row at a time.

mod accept;
mod recordio;
mod row;
mod selected;
mod single;

pub use accept::Accepted;
use http::HeaderValue;
pub use selected::{Selection, Selector};
use thicket_engine::Predictions;

use crate::number::NonFinite;
use row::Rows;

/// How AWS's two servers write the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As the server of many models.
    MultiModel,
    /// As the server of one model.
    SingleModel,
}

/// How every answer of a server is written, whatever its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whose ways it has.
    pub dialect: Dialect,
    /// Whether each row of a text stands on a line of its own, as batch transform wants them.
    pub batch: bool,
}

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

impl Form {
    /// Every form, in the order in which they are offered to a client that does not care.
    const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::JsonLines, Self::RecordIo];

    /// The form that a media type names exactly, in any case.
    #[must_use]
    pub fn named(media_type: &str) -> Option<Self> {
        if media_type.eq_ignore_ascii_case("csv") {
            return Some(Self::Csv);
        }
        Self::ALL.into_iter().find(|form| form.name().eq_ignore_ascii_case(media_type))
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

    /// The `Content-Type` under which a dialect sends this form to a client that used none of our names for it.
    #[must_use]
    pub fn media_type(self, dialect: Dialect) -> HeaderValue {
        HeaderValue::from_static(match (self, dialect) {
            (Self::Csv, Dialect::SingleModel) => "text/csv; charset=utf-8",
            _ => self.name(),
        })
    }

    /// The bytes of `predictions`, where each row's answer is cut into lists of `width` numbers if it is longer.
    #[must_use]
    pub fn write(self, predictions: &Predictions, width: usize, style: Style) -> Vec<u8> {
        let rows = Rows::of(predictions, width);
        let mut out = Vec::with_capacity(2 + predictions.values.len() * 22);
        match style.dialect {
            Dialect::MultiModel => self.push_rows(&mut out, rows, style.batch),
            Dialect::SingleModel => single::push_rows(&mut out, rows, self, style.batch),
        }
        out
    }

    fn push_rows(self, out: &mut Vec<u8>, rows: Rows<'_>, batch: bool) {
        match (self, batch) {
            (Self::Json, _) => {
                out.push(b'[');
                rows.join(out, b", ", NonFinite::Json);
                out.push(b']');
            }
            (Self::Csv, false) => rows.join(out, b",", NonFinite::Text),
            (Self::Csv, true) => rows.lines(out, NonFinite::Text),
            (Self::JsonLines, _) => rows.lines(out, NonFinite::Json),
            (Self::RecordIo, _) => recordio::push_scores(out, rows),
        }
    }
}

#[cfg(test)]
mod tests;
