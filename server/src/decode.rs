//! From a request's `Content-Type` and body to rows.

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

use crate::{
    columns::Columns,
    complaint, csv,
    error::{Error, ErrorKind, Result},
    libsvm,
    matrix::Matrix,
    recordio,
};

/// A form in which rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Delimited text.
    Csv,
    /// Pairs of index and value.
    Libsvm,
    /// Protobuf records in frames.
    RecordIo,
}

/// How rows are read where there is a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether more is understood than AWS's container does, such as a header.
    pub beyond_aws: bool,
    /// Which index the first column has in libsvm.
    pub libsvm_index: libsvm::FirstIndex,
}

impl Default for Rules {
    fn default() -> Self {
        Self { beyond_aws: true, libsvm_index: libsvm::FirstIndex::Zero }
    }
}

/// The names under which forms are known, for messages.
const ACCEPTED: &str = "csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, \
                        application/x-parquet, application/x-recordio-protobuf";

impl Form {
    /// The form that a `Content-Type` names, libsvm where there is none: case and most parameters do not matter, but a
    /// `label_size`, where AWS's container lets the caller announce label columns of CSV, must be 1.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownContentType`] for every other form, parquet among them.
    pub fn of(content_type: Option<&[u8]>) -> Result<Self> {
        let Some(content_type) = content_type else { return Ok(Self::Libsvm) };
        let sent = String::from_utf8_lossy(content_type);
        let value = sent.to_ascii_lowercase();
        let mut parts = value.split(';').map(str::trim);
        match parts.next().unwrap_or_default() {
            "csv" | "text/csv" if label_size(&mut parts).is_none_or(|size| size == "1") => Ok(Self::Csv),
            "csv" | "text/csv" => Err(unknown(&format!(
                "{sent} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
            ))),
            "libsvm" | "text/libsvm" | "text/x-libsvm" => Ok(Self::Libsvm),
            "recordio-protobuf" | "application/x-recordio-protobuf" => Ok(Self::RecordIo),
            "parquet" | "application/x-parquet" => Err(unknown("Content-type application/x-parquet is not supported.")),
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
            Self::Libsvm => libsvm::read(body, columns, rules.libsvm_index, matrix),
            Self::RecordIo => recordio::read(body, columns, matrix),
        };
        read.map_err(|error| self.introduced(error))
    }

    /// How many rows `body` can hold at the most, or a little more.
    #[must_use]
    pub fn rows_max(self, body: &[u8]) -> usize {
        let signs: fn(u8) -> bool = match self {
            Self::Csv | Self::Libsvm => |byte| byte == b'\n',
            Self::RecordIo => return body.len().div_ceil(recordio::FRAME_BYTES_MIN),
        };
        1 + body.iter().filter(|&&byte| signs(byte)).count()
    }

    /// The form's name in messages.
    fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Libsvm => "libsvm",
            Self::RecordIo => "recordio-protobuf",
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
    fn forms_are_known_by_every_name_they_have() {
        for (form, names) in [
            (Form::Csv, "text/csv|csv|TEXT/CSV|text/csv; charset=utf-8|text/csv;label_size=1|text/csv;label_size = 1"),
            (Form::Libsvm, "libsvm|text/libsvm|text/x-libsvm|Text/LibSVM;charset=utf-8"),
            (Form::RecordIo, "recordio-protobuf|application/x-recordio-protobuf"),
        ] {
            for name in names.split('|') {
                assert_eq!(Form::of(Some(name.as_bytes())).unwrap(), form, "{name}");
            }
        }
        assert_eq!(Form::of(None).unwrap(), Form::Libsvm);
    }

    #[test]
    fn other_forms_are_refused_as_they_were_sent() {
        let refused = |sent: &str| {
            let error = Form::of(Some(sent.as_bytes())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnknownContentType);
            error.to_string()
        };
        for sent in ["Text/Plain", "", "label_size=1; text/csv", "incorrect_format", "multipart/form-data; boundary=x"]
        {
            assert_eq!(
                refused(sent),
                format!(
                    "{sent} is not an accepted ContentType: csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, \
                     text/x-libsvm, application/x-parquet, application/x-recordio-protobuf."
                )
            );
        }
        for label_size in ["label_size=5", "label_size=1=1", "label_size=1; label_size=0"] {
            let expected = "is not an accepted csv ContentType. Optional parameter label_size must be equal to 1";
            assert_eq!(refused(&format!("text/csv; {label_size}")), format!("text/csv; {label_size} {expected}"));
        }
        for parquet in ["parquet", "application/x-parquet", "Application/X-Parquet; a=b"] {
            assert_eq!(refused(parquet), "Content-type application/x-parquet is not supported.");
        }
    }

    #[test]
    fn rows_are_counted_high() {
        for (form, body, expected) in
            [(Form::Csv, "1,2\n3,4", 2), (Form::Libsvm, "0:1\n", 2), (Form::RecordIo, "123456789", 2)]
        {
            assert_eq!(form.rows_max(body.as_bytes()), expected, "{body}");
        }
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
