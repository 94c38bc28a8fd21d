//! From a request's `Content-Type` and body to rows.

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

use crate::{
    columns::Columns,
    complaint, csv,
    error::{Error, ErrorKind, Result},
    json, libsvm,
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
    /// One JSON text.
    Json,
    /// A JSON text a line.
    JsonLines,
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

/// The names under which forms are known, for messages: AWS's, and then ours.
const ACCEPTED: &str = "csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, \
                        application/x-parquet, application/x-recordio-protobuf, application/json, application/jsonlines";

impl Form {
    /// The form that a `Content-Type` names, libsvm where there is none: case and most parameters do not matter, but a
    /// `label_size`, where AWS's container lets the caller announce label columns of CSV, must be 1.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownContentType`] for every other form, parquet among them.
    pub fn of(content_type: Option<&[u8]>) -> Result<Self> {
        let Some(content_type) = content_type else { return Ok(Self::Libsvm) };
        if content_type == b"text/csv" {
            return Ok(Self::Csv);
        }
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
            "application/json" => Ok(Self::Json),
            "application/jsonlines" => Ok(Self::JsonLines),
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
            Self::Json => json::read(body, columns, matrix),
            Self::JsonLines => json::read_lines(body, columns, matrix),
        };
        read.map_err(|error| self.introduced(error))
    }

    /// How many rows `body` can hold at the most, or a little more.
    #[must_use]
    pub fn rows_max(self, body: &[u8]) -> usize {
        let signs: fn(u8) -> bool = match self {
            Self::Csv | Self::Libsvm | Self::JsonLines => |byte| byte == b'\n',
            Self::Json => |byte| matches!(byte, b'[' | b'{'),
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
            Self::Json => "json",
            Self::JsonLines => "jsonlines",
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
mod tests;
