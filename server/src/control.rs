//! The control plane: load, list, describe and unload models, in the words of AWS's front end.

use std::{
    path::{Component, Path},
    time::SystemTime,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    exposition,
    failure::{Class, Failure},
    life::Readiness,
    metrics,
    reply::{self, Reply},
    service::Service,
    uri,
};

mod artifacts;
mod page;

use page::Wanted;

#[derive(Serialize)]
struct Status {
    status: String,
}

/// A model as AWS's front end describes one: thicket's models have no processes, so one worker stands for the mapping.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description<'a> {
    model_name: &'a str,
    model_url: &'a str,
    runtime: &'a str,
    min_workers: u8,
    max_workers: u8,
    batch_size: u8,
    max_batch_delay: u8,
    loaded_at_startup: bool,
    workers: [Worker; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Worker {
    id: &'static str,
    start_time: String,
    status: &'static str,
    gpu: bool,
    memory_usage: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LoadRequest {
    model_name: Option<String>,
    url: Option<String>,
}

/// A one-field answer.
pub(crate) fn status(status: impl Into<String>) -> Reply {
    reply::json(StatusCode::OK, &Status { status: status.into() })
}

/// Whether requests should be sent here, by the status alone for those who read no further.
pub(crate) fn readiness(service: &Service) -> Reply {
    let (code, text) = match service.life.readiness() {
        Readiness::Ready => (StatusCode::OK, "Ready"),
        Readiness::Starting => (StatusCode::SERVICE_UNAVAILABLE, "Starting: the source has not answered yet"),
        Readiness::Draining => (StatusCode::SERVICE_UNAVAILABLE, "Draining"),
    };
    reply::json(code, &Status { status: text.to_owned() })
}

/// Numbers for whoever watches.
pub(crate) fn metrics(service: &Service) -> Reply {
    let content_type = HeaderValue::from_static(exposition::CONTENT_TYPE);
    reply::with_body(StatusCode::OK, content_type, metrics::text(service))
}

/// One page of the loaded models or, where that is asked for, of the artifacts in the source.
pub(crate) async fn list(service: &Service, query: &str) -> Result<Reply, Failure> {
    let is_strict = service.configuration.compat.is_strict();
    if !is_strict && uri::parameter(query, "source").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return artifacts::list(&service.engine, query).await;
    }
    let number = |name| uri::parameter(query, name).and_then(|text| text.parse::<usize>().ok());
    let wanted = Wanted::of(number("limit"), number("next_page_token"));
    let (models, total) = service.engine.some_models(wanted.first, wanted.count);
    Ok(reply::json(StatusCode::OK, &wanted.page(&models, total, service.configuration.compat)))
}

/// One loaded model.
pub(crate) fn describe(service: &Service, name: &str) -> Result<Reply, Failure> {
    let model = service.engine.known(name).ok_or_else(|| Failure::model_not_found(name))?;
    let description = Description {
        model_name: &model.name,
        model_url: &model.location,
        runtime: model.runtime.unwrap_or("on demand"),
        min_workers: 1,
        max_workers: 1,
        batch_size: 1,
        max_batch_delay: 100,
        loaded_at_startup: false,
        workers: [Worker {
            id: "map",
            start_time: timestamp(model.loaded_at),
            status: "READY",
            gpu: false,
            memory_usage: model.bytes,
        }],
    };
    Ok(reply::json(StatusCode::OK, &description))
}

/// A time as AWS's front end writes it: in UTC, to the millisecond.
fn timestamp(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second, ms) = time.to_hms_milli();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z", u8::from(month))
}

/// Loads a model from a path of this machine and answers once it is ready.
pub(crate) async fn load(service: &Service, query: &str, headers: &HeaderMap, body: &[u8]) -> Result<Reply, Failure> {
    let request = LoadRequest::of(query, headers, body)?;
    let url = request.url.filter(|url| !url.is_empty()).ok_or_else(|| Failure::parameter_required("url"))?;
    let path = local_path(&url)?;
    let name = request.model_name.or_else(|| Some(path.file_name()?.to_str()?.to_owned()));
    let name = name.ok_or_else(|| Failure::parameter_required("model_name"))?;
    service.engine.load(&name, path).await.map_err(|error| Failure::engine(&error, &name, &url))?;
    Ok(status("Workers scaled"))
}

/// Unloads a model and answers once its memory is back.
pub(crate) async fn unload(service: &Service, name: &str) -> Result<Reply, Failure> {
    service.engine.unload(name).await.map_err(|error| Failure::engine(&error, name, name))?;
    Ok(status(format!("Model \"{name}\" unregistered")))
}

/// Agrees to any number of workers for a loaded model, which has none.
pub(crate) fn scale(service: &Service, name: &str, query: &str) -> Result<Reply, Failure> {
    let number = |name| uri::parameter(query, name).and_then(|text| text.parse::<i32>().ok());
    let least = number("min_worker").unwrap_or(1);
    if number("max_worker").is_some_and(|most| most < least) {
        return Err(Failure::new(Class::BadRequest, "max_worker cannot be less than min_worker."));
    }
    if !service.engine.is_loaded(name) {
        return Err(Failure::model_not_found(name));
    }
    if uri::parameter(query, "synchronous").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Ok(status("Workers scaled"));
    }
    let status = "Processing worker updates...".to_owned();
    Ok(reply::json(StatusCode::ACCEPTED, &Status { status }))
}

/// What there is to ask for, as an `OpenAPI` document.
pub(crate) fn document() -> Reply {
    reply::with_body(StatusCode::OK, HeaderValue::from_static("application/json"), include_str!("api.json"))
}

/// What batch transform should send, as AWS's server of one model writes it, or byte for byte as the plug-in of that of
/// many does: no line feed, no content type.
pub(crate) fn execution_parameters(service: &Service) -> Reply {
    let payload_mib = (service.configuration.body_bytes_max >> 20).max(1);
    if service.single.is_some() {
        let transforms = service.configuration.workers;
        let body = format!(
            "{{\"MaxConcurrentTransforms\": {transforms}, \"BatchStrategy\": \"MULTI_RECORD\", \"MaxPayloadInMB\": {payload_mib}}}"
        );
        return reply::with_body(StatusCode::OK, HeaderValue::from_static("application/json"), body);
    }
    let body = format!(
        "{{\n  \"MaxConcurrentTransforms\": 1,\n  \"BatchStrategy\": \"MULTI_RECORD\",\n  \"MaxPayloadInMB\": {payload_mib}\n}}"
    );
    reply::bare(StatusCode::OK, Bytes::from(body))
}

impl LoadRequest {
    /// A JSON body where the content type says so, else the query.
    fn of(query: &str, headers: &HeaderMap, body: &[u8]) -> Result<Self, Failure> {
        if is_json(headers.get(CONTENT_TYPE)) {
            return serde_json::from_slice(body)
                .map_err(|error| Failure::new(Class::JsonSyntax, format!("The load request cannot be read: {error}")));
        }
        Ok(Self { model_name: uri::parameter(query, "model_name"), url: uri::parameter(query, "url") })
    }
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

/// The path that a load's `url` stands for: absolute, on this machine, and never upwards.
fn local_path(url: &str) -> Result<&Path, Failure> {
    let path = Path::new(url);
    let not_found = |message: String| Err(Failure::new(Class::ModelNotFound, message));
    if path.components().any(|component| component == Component::ParentDir) {
        return not_found(format!("Relative path is not allowed in url: {url}"));
    }
    if !path.is_absolute() || url.contains('\0') {
        return not_found(format!("Model not found in model store: {url}"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_aws_writes_them() {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_795_355_114_387);
        assert_eq!(timestamp(time), "2026-11-22T13:45:14.387Z");
        assert_eq!(timestamp(std::time::UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn only_absolute_local_paths_are_loaded() {
        for url in ["/opt/ml/models/a..b/model", "/opt/ml/model/reg"] {
            assert_eq!(local_path(url).unwrap(), Path::new(url));
        }
        for (url, message) in [
            ("../x", "Relative path is not allowed in url: ../x"),
            ("/opt/../etc", "Relative path is not allowed in url: /opt/../etc"),
            ("s3://bucket/x", "Model not found in model store: s3://bucket/x"),
            ("file:///opt", "Model not found in model store: file:///opt"),
            ("reg", "Model not found in model store: reg"),
            ("/a\0", "Model not found in model store: /a\0"),
        ] {
            assert_eq!(local_path(url).unwrap_err().story(), message);
        }
    }

    #[test]
    fn load_requests_are_json_or_a_query() {
        let json = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/JSON; charset=utf-8"))]);
        let body = br#"{"url": "/m", "model_name": "n", "other": [1]}"#;
        let request = LoadRequest::of("url=/ignored", &json, body).unwrap();
        assert_eq!((request.model_name.as_deref(), request.url.as_deref()), (Some("n"), Some("/m")));
        let request = LoadRequest::of("url=%2Fm", &HeaderMap::new(), b"").unwrap();
        assert_eq!((request.model_name.as_deref(), request.url.as_deref()), (None, Some("/m")));
        let refused = LoadRequest::of("", &json, b"{bad").err().unwrap();
        assert_eq!(refused.class(), Class::JsonSyntax);
    }
}
