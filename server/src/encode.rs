//! From predictions and a request's `Accept` to a response's body, byte for byte as AWS's `XGBoost` container.

use http::HeaderValue;
use thicket_engine::Predictions;

use crate::{
    error::{Error, ErrorKind, Result},
    number::{self, NonFinite},
};

/// A form in which predictions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON array: of numbers, or of arrays when each row's answer is one.
    Json,
    /// The rows' answers on one line, joined by commas; an answer that is an array keeps its brackets.
    Csv,
}

/// What a client is going to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// How the body is written.
    pub form: Form,
    /// The `Content-Type` it travels under.
    pub content_type: HeaderValue,
}

impl Form {
    /// The form that a media type names exactly, in any case.
    #[must_use]
    pub fn named(media_type: &str) -> Option<Self> {
        match media_type.to_ascii_lowercase().as_str() {
            "application/json" => Some(Self::Json),
            "text/csv" | "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
        })
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
        let mut out = Vec::with_capacity(2 + predictions.values.len() * 22);
        match (self, batch) {
            (Self::Json, _) => {
                out.push(b'[');
                join(&mut out, predictions, width, b", ", NonFinite::Json);
                out.push(b']');
            }
            (Self::Csv, false) => join(&mut out, predictions, width, b",", NonFinite::Text),
            (Self::Csv, true) => {
                join(&mut out, predictions, width, b"\n", NonFinite::Text);
                out.push(b'\n');
            }
        }
        out
    }
}

impl Accepted {
    /// The form of a client that does not say what it wants.
    #[must_use]
    pub fn default_of(form: Form) -> Self {
        Self { form, content_type: form.media_type() }
    }

    /// What an `Accept` asks for, and `default` when it asks for nothing in particular.
    ///
    /// A header that is one of our media types is answered under the name it used; a list or one with parameters is
    /// answered with the first of the most wanted media types.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownAccept`] when nothing that it names is written here.
    pub fn of(accept: Option<&HeaderValue>, default: &Self) -> Result<Self> {
        let Some(accept) = accept else { return Ok(default.clone()) };
        let text = accept.to_str().unwrap_or_default().trim();
        if accept.is_empty() || text == "*/*" {
            return Ok(default.clone());
        }
        match Form::named(text) {
            Some(form) => Ok(Self { form, content_type: accept.clone() }),
            None => Self::best_of(text, default).ok_or_else(|| unknown(&String::from_utf8_lossy(accept.as_bytes()))),
        }
    }

    fn best_of(list: &str, default: &Self) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for range in list.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let accepted = match parts.next()? {
                "*/*" => Some(default.clone()),
                "text/*" => Some(Self::default_of(Form::Csv)),
                "application/*" => Some(Self::default_of(Form::Json)),
                media_type => Form::named(media_type).map(Self::default_of),
            };
            let weight = weight(parts);
            if weight > best.as_ref().map_or(0.0, |(best, _)| *best) {
                best = accepted.map(|accepted| (weight, accepted)).or(best);
            }
        }
        best.map(|(_, accepted)| accepted)
    }
}

/// The `q` among a media range's parameters; 1 when there is none that can be read.
fn weight<'a>(parameters: impl Iterator<Item = &'a str>) -> f32 {
    let pairs = parameters.filter_map(|parameter| parameter.split_once('='));
    let mut weights = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    weights.next().and_then(|(_, weight)| weight.trim().parse().ok()).unwrap_or(1.0)
}

fn unknown(accept: &str) -> Error {
    let message = format!(
        "Accept type {accept} is not supported. Please use supported accept types: ['application/json', 'text/csv']."
    );
    Error::new(ErrorKind::UnknownAccept, message)
}

fn join(out: &mut Vec<u8>, predictions: &Predictions, width: usize, separator: &[u8], non_finite: NonFinite) {
    let nested = predictions.columns > 1;
    for (index, row) in predictions.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(separator);
        }
        if nested && width < row.len() {
            push_lists(out, row, width, non_finite);
        } else if nested {
            push_list(out, row, non_finite);
        } else {
            number::push_python(out, row[0], non_finite);
        }
    }
}

fn push_lists(out: &mut Vec<u8>, row: &[f32], width: usize, non_finite: NonFinite) {
    out.push(b'[');
    for (index, list) in row.chunks(width.max(1)).enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        push_list(out, list, non_finite);
    }
    out.push(b']');
}

fn push_list(out: &mut Vec<u8>, row: &[f32], non_finite: NonFinite) {
    out.push(b'[');
    for (index, value) in row.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        number::push_python(out, *value, non_finite);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(predictions: &Predictions, json: &str, csv: &str, lines: &str) {
        let text = |form: Form, batch| String::from_utf8(form.write(predictions, batch)).unwrap();
        assert_eq!(text(Form::Json, false), json);
        assert_eq!(text(Form::Json, true), json);
        assert_eq!(text(Form::Csv, false), csv);
        assert_eq!(text(Form::Csv, true), lines);
    }

    #[test]
    fn one_number_a_row_is_a_flat_list() {
        let predictions = Predictions { columns: 1, values: vec![0.595_436_75, 1.933_115_5] };
        check(
            &predictions,
            "[0.5954367518424988, 1.9331154823303223]",
            "0.5954367518424988,1.9331154823303223",
            "0.5954367518424988\n1.9331154823303223\n",
        );
        check(&Predictions { columns: 1, values: vec![0.0] }, "[0.0]", "0.0", "0.0\n");
    }

    #[test]
    fn a_matrix_keeps_its_brackets_even_in_csv() {
        let values = vec![0.829_089_7, 0.090_076_946, 0.080_833_37, 1.0, f32::NAN, f32::NEG_INFINITY];
        check(
            &Predictions { columns: 3, values },
            "[[0.8290897011756897, 0.09007694572210312, 0.08083336800336838], [1.0, NaN, -Infinity]]",
            "[0.8290897011756897, 0.09007694572210312, 0.08083336800336838],[1.0, nan, -inf]",
            "[0.8290897011756897, 0.09007694572210312, 0.08083336800336838]\n[1.0, nan, -inf]\n",
        );
    }

    #[test]
    fn an_answer_of_several_lists_is_nested_once_more() {
        let predictions = Predictions { columns: 4, values: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0] };
        let text = |form: Form, batch| String::from_utf8(form.write_lists(&predictions, 2, batch)).unwrap();
        let (first, second) = ("[[0.0, 1.0], [2.0, 3.0]]", "[[4.0, 5.0], [6.0, 7.0]]");
        assert_eq!(text(Form::Json, false), format!("[{first}, {second}]"));
        assert_eq!(text(Form::Csv, false), format!("{first},{second}"));
        assert_eq!(text(Form::Csv, true), format!("{first}\n{second}\n"));
        assert_eq!(Form::Csv.write_lists(&predictions, 4, false), Form::Csv.write(&predictions, false));
    }

    fn accepted(accept: &'static str) -> Result<(Form, String)> {
        let default = Accepted::default_of(Form::Json);
        let accepted = Accepted::of(Some(&HeaderValue::from_static(accept)), &default)?;
        Ok((accepted.form, accepted.content_type.to_str().unwrap().to_owned()))
    }

    #[test]
    fn an_exact_accept_comes_back_as_it_was_sent() {
        for accept in ["text/csv", "TEXT/CSV", "csv"] {
            assert_eq!(accepted(accept).unwrap(), (Form::Csv, accept.to_owned()));
        }
        for accept in ["application/json", "Application/JSON"] {
            assert_eq!(accepted(accept).unwrap(), (Form::Json, accept.to_owned()));
        }
    }

    #[test]
    fn no_wish_gets_the_default() {
        let csv = Accepted::default_of(Form::Csv);
        assert_eq!(Accepted::of(None, &csv).unwrap(), csv);
        for accept in ["", "*/*"] {
            assert_eq!(Accepted::of(Some(&HeaderValue::from_static(accept)), &csv).unwrap(), csv, "{accept:?}");
        }
    }

    #[test]
    fn lists_and_parameters_get_the_most_wanted_media_type() {
        for (accept, form, content_type) in [
            ("text/csv, application/json", Form::Csv, "text/csv"),
            ("text/html, application/json;verbose=True", Form::Json, "application/json"),
            ("text/csv;q=0.5, application/json;q=0.9", Form::Json, "application/json"),
            ("text/csv; charset=utf-8", Form::Csv, "text/csv"),
            ("text/html, */*;q=0.1", Form::Json, "application/json"),
            ("text/*", Form::Csv, "text/csv"),
        ] {
            assert_eq!(accepted(accept).unwrap(), (form, content_type.to_owned()), "{accept}");
        }
    }

    #[test]
    fn what_is_not_written_here_is_refused() {
        for accept in ["text/html", "application/x-npy", "text/csv;q=0", ",", "application/jsonlines"] {
            let error = accepted(accept).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnknownAccept, "{accept}");
            assert!(error.to_string().starts_with(&format!("Accept type {accept} is not supported.")), "{error}");
        }
    }
}
