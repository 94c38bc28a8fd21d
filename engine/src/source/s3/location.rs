//! A bucket and a prefix in it.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// Where artifacts lie: `s3://bucket/prefix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) bucket: String,
    /// What every key begins with: nothing, or a prefix that ends with `/`.
    pub(super) prefix: String,
}

impl Location {
    /// # Errors
    /// [`ErrorKind::Unsupported`] when `location` is not of that form.
    pub(super) fn parse(location: &str) -> Result<Self> {
        let rest = location.strip_prefix("s3://").unwrap_or_default();
        // An access point's name holds a `/` itself.
        let bucket_end =
            if rest.starts_with("arn:") { rest.match_indices('/').nth(1) } else { rest.match_indices('/').next() };
        let (bucket, prefix) = rest.split_at(bucket_end.map_or(rest.len(), |(offset, _)| offset));
        if bucket.is_empty() || bucket.contains(char::is_whitespace) {
            let message = format!("expected `s3://bucket/prefix`, found `{location}`");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }

    /// The key of the artifact `name`.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Whether the bucket can be part of a request's path, which servers other than AWS's ask for. Access points and
    /// directory buckets have hosts of their own.
    pub(super) fn is_plain(&self) -> bool {
        let bucket = &self.bucket;
        !bucket.starts_with("arn:") && !bucket.ends_with("-s3alias") && !bucket.ends_with("--x-s3")
    }

    /// The error for a name that nothing lies under.
    pub(super) fn absent(&self, name: &str) -> Error {
        Error::new(ErrorKind::NotFound, format!("no artifact `{}` lies in {self}", name.escape_debug()))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_bucket_and_a_prefix() {
        const POINT: &str = "arn:aws:s3:us-west-2:123456789012:accesspoint/models";
        for (location, bucket, prefix) in [
            ("s3://bucket", "bucket", ""),
            ("s3://bucket/", "bucket", ""),
            ("s3://bucket/models", "bucket", "models/"),
            ("s3://bucket/models/v1//", "bucket", "models/v1/"),
            (&format!("s3://{POINT}"), POINT, ""),
            (&format!("s3://{POINT}/v1"), POINT, "v1/"),
        ] {
            let parsed = Location::parse(location).unwrap();
            assert_eq!((parsed.bucket.as_str(), parsed.prefix.as_str()), (bucket, prefix), "{location}");
        }
        for location in ["s3://", "s3:///models", "bucket/models", "s3://a bucket", ""] {
            assert_eq!(Location::parse(location).unwrap_err().kind(), ErrorKind::Unsupported, "{location}");
        }
    }

    #[test]
    fn keys_are_prefix_and_name() {
        for location in ["s3://bucket/models", "s3://bucket/models/"] {
            assert_eq!(Location::parse(location).unwrap().key("NY/model.tar.gz"), "models/NY/model.tar.gz");
        }
        assert_eq!(Location::parse("s3://bucket").unwrap().key("model.tar.gz"), "model.tar.gz");
    }
}
