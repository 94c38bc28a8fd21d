//! The control plane: load, list, describe and unload models, in the words of AWS's front end.

use std::path::{Component, Path};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};

use crate::{
    failure::{Class, Failure},
    life::Readiness,
    reply::{self, Reply},
    service::Service,
    uri,
};

mod page;

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

/// One page of the loaded models.
pub(crate) fn list(service: &Service, query: &str) -> Reply {
    let number = |name| uri::parameter(query, name).and_then(|text| text.parse::<usize>().ok());
    let models = service.engine.models();
    reply::json(StatusCode::OK, &page::page(&models, number("limit"), number("next_page_token")))
}

/// One loaded model.
pub(crate) fn describe(service: &Service, name: &str) -> Result<Reply, Failure> {
    let models = service.engine.models();
    let model = models.iter().find(|model| model.name == name).ok_or_else(|| Failure::model_not_found(name))?;
    let description = Description {
        model_name: &model.name,
        model_url: &model.location,
        runtime: model.runtime,
        min_workers: 1,
        max_workers: 1,
        batch_size: 1,
        max_batch_delay: 100,
        loaded_at_startup: false,
        workers: [Worker { id: "map", status: "READY", gpu: false, memory_usage: model.bytes }],
    };
    Ok(reply::json(StatusCode::OK, &description))
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

/// Agrees to any number of workers for a loaded model.
pub(crate) fn scale(service: &Service, name: &str) -> Result<Reply, Failure> {
    service.engine.loaded(name).map_err(|error| Failure::engine(&error, name, name))?;
    Ok(status("Workers scaled"))
}

/// What batch transform should send, byte for byte as AWS's plug-in writes it: no line feed, no content type.
pub(crate) fn execution_parameters(service: &Service) -> Reply {
    let payload_mib = (service.configuration.body_bytes_max >> 20).max(1);
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
