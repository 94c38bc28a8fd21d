//! The platform's own route, `POST /endpoints/{endpoint}/invocations`, as boto3's `invoke_endpoint` calls it.

use http::{HeaderMap, HeaderValue};
use thicket_engine::Lease;

use crate::{
    body::Received,
    failure::{Class, Failure},
    invoke::{self, TARGET_MODEL},
    meter::Temperature,
    reply::{self, Reply},
    service::Service,
};

const ENDPOINT_NAME_BYTES_MAX: usize = 63;
const TARGET_MODEL_BYTES_MAX: usize = 1024;

/// Predicts with the target model, which is loaded when it is not in memory.
pub(crate) async fn invocations(
    service: &Service,
    endpoint: &str,
    headers: &HeaderMap,
    body: Received,
) -> Result<Reply, Failure> {
    check_endpoint(endpoint)?;
    let (model, temperature) = model(service, target_model(headers)?, &body).await?;
    let mut reply = invoke::predict(service, model, headers, body).await?;
    reply::note(&mut reply, temperature);
    reply.headers_mut().insert("x-amzn-invoked-production-variant", HeaderValue::from_static("AllTraffic"));
    Ok(reply)
}

async fn model(service: &Service, target: &str, body: &Received) -> Result<(Lease, Temperature), Failure> {
    invoke::on_first_use(service, target, body).await.map_err(|failure| {
        if failure.class() == Class::ModelNotFound {
            let message = not_downloaded(service.models().unwrap_or_default(), target);
            return failure.reworded(Class::Validation, message);
        }
        failure
    })
}

/// What the platform says when the source has no such artifact. Only S3's locations are shown: they are the caller's.
fn not_downloaded(models: &str, target: &str) -> String {
    let place = match models.strip_prefix("s3://") {
        Some(location) => {
            let (bucket, prefix) = location.split_once('/').unwrap_or((location, ""));
            let prefix = prefix.trim_end_matches('/');
            let separator = if prefix.is_empty() { "" } else { "/" };
            format!("bucket: {bucket}, key: {prefix}{separator}{target}")
        }
        None => format!("key: {target}"),
    };
    format!("Failed to download model data({place}). Please ensure that there is an object located at the URL.")
}

fn check_endpoint(name: &str) -> Result<(), Failure> {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let is_name = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    if is_name && edge(bytes.first()) && edge(bytes.last()) && bytes.len() <= ENDPOINT_NAME_BYTES_MAX {
        return Ok(());
    }
    Err(violated(name, "endpointName", "regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"))
}

/// The value of the target header: up to 1,024 printable characters, as the platform's model of itself has it.
fn target_model(headers: &HeaderMap) -> Result<&str, Failure> {
    let missing = || Failure::new(Class::Validation, "The request is missing a target model header");
    let target = headers.get(TARGET_MODEL).filter(|target| !target.is_empty()).ok_or_else(missing)?;
    let printable = target.to_str().ok().filter(|target| !target.contains('\t'));
    printable.filter(|target| target.len() <= TARGET_MODEL_BYTES_MAX).ok_or_else(|| {
        let sent = String::from_utf8_lossy(target.as_bytes());
        let sent: String = sent.chars().take(TARGET_MODEL_BYTES_MAX).collect();
        violated(
            &sent,
            "targetModel",
            "regular expression pattern: \\A\\S[\\p{Print}]*\\z, and have at most 1024 characters",
        )
    })
}

fn violated(value: &str, field: &str, rule: &str) -> Failure {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: Member must satisfy {rule}"
    );
    Failure::new(Class::Validation, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_the_platforms_names() {
        let longest = "a".repeat(63);
        for name in ["a", "any-endpoint--1", &longest] {
            assert!(check_endpoint(name).is_ok(), "{name}");
        }
        let too_long = "a".repeat(64);
        for name in ["", "-a", "a-", "a_b", "a/b", "é", &too_long] {
            assert_eq!(check_endpoint(name).unwrap_err().class(), Class::Validation, "{name}");
        }
    }

    #[test]
    fn targets_are_printable_and_short() {
        let target = |value: &[u8]| {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static(TARGET_MODEL),
                HeaderValue::from_bytes(value).unwrap(),
            )]);
            target_model(&headers).map(str::to_owned)
        };
        assert_eq!(target(b"NY/a b.tar.gz").unwrap(), "NY/a b.tar.gz");
        assert_eq!(target(&[b'a'; 1024]).unwrap().len(), 1024);
        for value in [&b""[..], b"a\tb", b"caf\xc3\xa9", &[b'a'; 1025]] {
            assert_eq!(target(value).unwrap_err().class(), Class::Validation, "{value:?}");
        }
        assert!(target_model(&HeaderMap::new()).unwrap_err().story().ends_with("is missing a target model header"));
    }

    #[test]
    fn a_missing_artifact_is_placed_only_in_s3() {
        let text = |models| not_downloaded(models, "a/model.tar.gz");
        assert!(text("s3://b/p/q/").contains("(bucket: b, key: p/q/a/model.tar.gz)"));
        assert!(text("s3://b").contains("(bucket: b, key: a/model.tar.gz)"));
        assert!(text("/srv/models").contains("(key: a/model.tar.gz)"));
    }
}
