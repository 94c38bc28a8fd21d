//! What AWS's container refuses although it could be answered: asked only where it is followed to the letter.

use http::{HeaderMap, header::ACCEPT};

use crate::{
    decode,
    error::{Error, ErrorKind, Result},
};

/// Media types that AWS's container reads and writes, in lower case.
const READ: [&str; 7] = [
    "csv",
    "text/csv",
    "libsvm",
    "text/libsvm",
    "text/x-libsvm",
    "recordio-protobuf",
    "application/x-recordio-protobuf",
];
const WRITTEN: [&str; 3] = ["application/json", "csv", "text/csv"];

/// Refuses what a request sends and accepts where AWS's container does.
///
/// # Errors
/// [`ErrorKind::UnknownContentType`] and [`ErrorKind::UnknownAccept`].
pub(crate) fn check(headers: &HeaderMap) -> Result<()> {
    let lower = |text: &[u8]| String::from_utf8_lossy(text).to_ascii_lowercase();
    if let Some(sent) = decode::content_type(headers).map(lower) {
        let media_type = sent.split(';').next().unwrap_or_default().trim();
        if !READ.contains(&media_type) {
            return Err(Error::new(ErrorKind::UnknownContentType, format!("AWS's container reads no '{sent}'")));
        }
    }
    let wanted = headers.get(ACCEPT).map(|accept| lower(accept.as_bytes())).unwrap_or_default();
    if !(wanted.is_empty() || wanted == "*/*" || WRITTEN.contains(&wanted.as_str())) {
        return Err(Error::new(ErrorKind::UnknownAccept, format!("AWS's container writes no '{wanted}'")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn outcome(name: &'static str, value: &'static str) -> Option<ErrorKind> {
        let header = (HeaderName::from_static(name), HeaderValue::from_static(value));
        check(&HeaderMap::from_iter([header])).err().map(|error| error.kind())
    }

    #[test]
    fn accepts_are_exact() {
        for accept in ["", "*/*", "text/csv", "TEXT/CSV", "csv", "Application/JSON"] {
            assert_eq!(outcome("accept", accept), None, "{accept}");
        }
        for accept in ["json", "text/*", "text/csv; charset=utf-8", "text/csv, application/json", "text/html"] {
            assert_eq!(outcome("accept", accept), Some(ErrorKind::UnknownAccept), "{accept}");
        }
    }

    #[test]
    fn content_types_are_those_that_aws_reads() {
        for sent in ["text/csv", "CSV", "text/csv; charset=utf-8", "text/x-libsvm", "application/x-recordio-protobuf"] {
            assert_eq!(outcome("content-type", sent), None, "{sent}");
        }
        assert_eq!(outcome("contenttype", "csv"), None);
        for sent in ["", "application/json", "application/jsonlines", "text/plain", "application/x-parquet"] {
            assert_eq!(outcome("content-type", sent), Some(ErrorKind::UnknownContentType), "{sent}");
        }
        assert!(check(&HeaderMap::new()).is_ok());
    }
}
