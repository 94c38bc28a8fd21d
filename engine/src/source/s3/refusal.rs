//! What S3 says when it does not give an artifact, in our own errors: codes and causes, never a header or a key.

use std::error::Error as StdError;

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use super::location::Location;
use crate::error::{Error, ErrorKind};

/// The error for a request about the artifact `name`.
pub(super) fn of_object<E>(location: &Location, name: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let answer = Answer::of(error);
    if answer.status == Some(404) && answer.code != Some("NoSuchBucket") {
        return location.absent(name);
    }
    unavailable(&format!("`{name}` in {location}"), &answer, error, answer.missing_hint())
}

/// The error for a request that lists the location.
pub(super) fn of_listing<E>(location: &Location, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    unavailable(&format!("the list of {location}"), &Answer::of(error), error, "")
}

/// Whether S3 knows who asks and has decided that they may not.
pub(super) fn is_forbidden<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    Answer::of(error).code == Some("AccessDenied")
}

/// Whether S3 finds fault with what was asked for.
pub(super) fn is_invalid<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    Answer::of(error).status == Some(400)
}

/// Whether a part was asked for of an object that is no longer there as it was.
pub(super) fn is_another_object<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(Answer::of(error).status, Some(412 | 416))
}

/// The error for a body that ended before its time, stalled, or does not have its checksum.
pub(super) fn of_body(location: &Location, name: &str, error: &(dyn StdError + 'static)) -> Error {
    Error::caused(ErrorKind::SourceUnavailable, format!("cannot read `{name}` in {location} to its end"), causes(error))
}

/// What the server answered, if it did.
struct Answer<'a> {
    status: Option<u16>,
    code: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn of<E: ProvideErrorMetadata>(error: &'a SdkError<E, HttpResponse>) -> Self {
        let status = error.raw_response().map(|response| response.status().as_u16());
        Self { status, code: error.as_service_error().and_then(ProvideErrorMetadata::code) }
    }

    /// What else the answer may mean: S3 does not tell whether an object exists to those who may not know.
    fn missing_hint(&self) -> &'static str {
        match (self.status, self.code) {
            (Some(403), None | Some("AccessDenied")) => {
                "; S3 also says so of an object that does not exist when the credentials may not list the bucket"
            }
            _ => "",
        }
    }
}

/// The error for a request that got no artifact: whoever does not answer, or is at fault, answers nobody.
fn unavailable(what: &str, answer: &Answer<'_>, error: &(dyn StdError + 'static), hint: &str) -> Error {
    let Some(status) = answer.status else {
        return Error::caused(ErrorKind::SourceUnreachable, format!("cannot get {what}"), causes(error));
    };
    let kind = if status >= 500 { ErrorKind::SourceUnreachable } else { ErrorKind::SourceUnavailable };
    let code = answer.code.unwrap_or("no code");
    let hint = if status == 301 { "; the bucket is in another region than the one that is set" } else { hint };
    let message = format!("S3 refuses {what}: {code} (status {status}){hint}");
    Error::new(kind, message)
}

/// Every level of the story in one line. Levels repeat each other at times, and some have lines of their own.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut story = error.to_string();
    let mut cause = error.source();
    while let Some(level) = cause {
        let text = level.to_string();
        if !story.ends_with(&text) {
            story = format!("{story}: {text}");
        }
        cause = level.source();
    }
    story.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::{error::ErrorMetadata, operation::head_object::HeadObjectError, primitives::SdkBody};

    use super::*;

    fn answered(status: u16, code: Option<&str>) -> SdkError<HeadObjectError, HttpResponse> {
        let metadata = match code {
            Some(code) => ErrorMetadata::builder().code(code).build(),
            None => ErrorMetadata::builder().build(),
        };
        let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        SdkError::service_error(HeadObjectError::generic(metadata), response)
    }

    #[test]
    fn answers_are_told_apart() {
        let location = Location::parse("s3://bucket/models").unwrap();
        for (status, code, kind, part) in [
            (404, Some("NoSuchKey"), ErrorKind::NotFound, "`a/b` lies in s3://bucket/models/"),
            (404, None, ErrorKind::NotFound, "`a/b`"),
            (404, Some("NoSuchBucket"), ErrorKind::SourceUnavailable, "NoSuchBucket (status 404)"),
            (403, Some("AccessDenied"), ErrorKind::SourceUnavailable, "may not list"),
            (301, None, ErrorKind::SourceUnavailable, "region"),
            (503, Some("SlowDown"), ErrorKind::SourceUnreachable, "SlowDown (status 503)"),
        ] {
            let error = of_object(&location, "a/b", &answered(status, code));
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(part), "{error} lacks {part}");
        }
        let error = of_listing(&location, &answered(404, None));
        assert_eq!(error.kind(), ErrorKind::SourceUnavailable);
        assert!(is_another_object(&answered(412, None)) && !is_another_object(&answered(404, None)));
        assert!(is_invalid(&answered(400, Some("InvalidArgument"))) && !is_invalid(&answered(403, None)));
    }

    #[test]
    fn silence_tells_its_causes() {
        let location = Location::parse("s3://bucket").unwrap();
        let silence: SdkError<HeadObjectError, HttpResponse> = SdkError::timeout_error("connect took too long");
        let error = of_object(&location, "a", &silence);
        assert_eq!(error.kind(), ErrorKind::SourceUnreachable);
        assert!(error.story().contains("connect took too long"), "{}", error.story());
    }
}
