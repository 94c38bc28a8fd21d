//! From a request's `Content-Type` and body to rows.

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

use crate::{
    columns::Columns,
    complaint, csv,
    error::{Error, ErrorKind, Result},
    matrix::Matrix,
};

/// A form in which rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Delimited text.
    Csv,
}

/// How rows are read where there is a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether more is understood than AWS's container does, such as a header.
    pub beyond_aws: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { beyond_aws: true }
    }
}

/// The names under which [`Form::of`] knows forms, for messages.
const ACCEPTED: &str = "csv, text/csv";

impl Form {
    /// The form that a `Content-Type` names: case and most parameters do not matter, but a `label_size`, where AWS's
    /// container lets the caller announce label columns, must be 1.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownContentType`] for every other form, and when the header is missing.
    pub fn of(content_type: Option<&[u8]>) -> Result<Self> {
        let Some(content_type) = content_type else {
            let message = format!("the Content-Type is missing, expected one of {ACCEPTED}.");
            return Err(Error::new(ErrorKind::UnknownContentType, message));
        };
        let sent = String::from_utf8_lossy(content_type);
        let value = sent.to_ascii_lowercase();
        let mut parts = value.split(';').map(str::trim);
        match parts.next() {
            Some("csv" | "text/csv") if label_size(&mut parts).is_none_or(|size| size == "1") => Ok(Self::Csv),
            Some("csv" | "text/csv") => Err(unknown(&format!(
                "{sent} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
            ))),
            _ => Err(unknown(&format!("{sent} is not an accepted ContentType: {ACCEPTED}."))),
        }
    }

    /// Reads `body` into `matrix`, whose former rows are forgotten, as rows for a model with these `columns`.
    ///
    /// # Errors
    /// As the form's own reader, with the form's name before what it says of rows that cannot be read.
    pub fn read(self, body: &[u8], columns: Columns<'_>, rules: Rules, matrix: &mut Matrix) -> Result<()> {
        let read = match self {
            Self::Csv => csv::read_for(body, columns, rules.beyond_aws, matrix),
        };
        read.map_err(|error| self.introduced(error))
    }

    /// The form's name in messages.
    fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
        }
    }

    /// The error in the words of AWS's container.
    fn introduced(self, error: Error) -> Error {
        if error.kind() != ErrorKind::InvalidRows {
            return error;
        }
        let name = self.name();
        complaint::invalid(format!(
            "Loading {name} data failed with Exception, please ensure data is in {name} format:\n {}",
            error.story()
        ))
    }
}

/// What a request says that its body is: some clients leave the hyphen out, and AWS's container understands them.
#[must_use]
pub fn content_type(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(CONTENT_TYPE).or_else(|| headers.get("contenttype")).map(HeaderValue::as_bytes)
}

/// The value of the last `label_size` among a media type's parameters.
fn label_size<'a>(parameters: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let pairs = parameters.filter_map(|parameter| parameter.split_once('='));
    pairs.filter(|(name, _)| name.trim() == "label_size").last().map(|(_, value)| value.trim().trim_matches('"'))
}

fn unknown(message: &str) -> Error {
    Error::new(ErrorKind::UnknownContentType, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_known_by_every_name_it_has() {
        for accepted in [
            "text/csv",
            "csv",
            "TEXT/CSV",
            "text/csv; charset=utf-8",
            "text/csv;label_size=1",
            "text/csv;label_size = 1",
        ] {
            assert_eq!(Form::of(Some(accepted.as_bytes())).unwrap(), Form::Csv, "{accepted}");
        }
    }

    #[test]
    fn other_forms_are_refused_as_they_were_sent() {
        let refused = |sent: &str| Form::of(Some(sent.as_bytes())).unwrap_err().to_string();
        assert_eq!(refused("Text/Plain"), "Text/Plain is not an accepted ContentType: csv, text/csv.");
        assert_eq!(refused(""), " is not an accepted ContentType: csv, text/csv.");
        assert_eq!(
            refused("label_size=1; text/csv"),
            "label_size=1; text/csv is not an accepted ContentType: csv, text/csv."
        );
        for label_size in ["label_size=5", "label_size=1=1", "label_size=1; label_size=0"] {
            let expected = "is not an accepted csv ContentType. Optional parameter label_size must be equal to 1";
            assert_eq!(refused(&format!("text/csv; {label_size}")), format!("text/csv; {label_size} {expected}"));
        }
        assert_eq!(Form::of(None).unwrap_err().kind(), ErrorKind::UnknownContentType);
    }

    #[test]
    fn rows_that_cannot_be_read_are_introduced_by_their_form() {
        let read = |body: &str| {
            Form::Csv.read(body.as_bytes(), Columns::default(), Rules::default(), &mut Matrix::default()).unwrap_err()
        };
        let text = "Loading csv data failed with Exception, please ensure data is in csv format:\n row 1, column 2: could \
                    not convert string to float: 'x'";
        assert_eq!((read("1,x").kind(), read("1,x").to_string().as_str()), (ErrorKind::InvalidRows, text));
        assert_eq!(read("").to_string(), "the body is empty");
    }
}
