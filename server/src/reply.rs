//! Responses as AWS's front end shapes them.

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, EXPIRES, PRAGMA},
};
use http_body_util::Full;
use hyper::ext::ReasonPhrase;
use serde::Serialize;

use crate::meter::Temperature;

/// A whole response.
pub(crate) type Reply = Response<Full<Bytes>>;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `body` under `content_type`.
pub(crate) fn with_body(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Reply {
    let mut reply = bare(status, body);
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}

/// `body` with no word on what it is.
pub(crate) fn bare(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    reply
}

/// `value` as JSON, indented by two spaces and ended by a line feed.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    with_body(status, JSON, pretty(value))
}

/// `value` as JSON on one line, as AWS's own services write it.
pub(crate) fn compact_json(status: StatusCode, value: &impl Serialize) -> Reply {
    with_body(status, JSON, serde_json::to_vec(value).expect("our answers have string keys only"))
}

/// `value` as JSON, indented by two spaces and ended by a line feed.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("our answers have string keys only");
    text.push('\n');
    text
}

/// The same with an empty reason phrase, which AWS's front end gives to what its workers answer.
pub(crate) fn without_reason(mut reply: Reply) -> Reply {
    reply.extensions_mut().insert(ReasonPhrase::from_static(b""));
    reply
}

/// Adds what every response of the container carries; those that tell of an error end their connection.
pub(crate) fn finish(reply: &mut Reply, id: HeaderValue) {
    let fails = reply.status().as_u16() >= 400;
    let headers = reply.headers_mut();
    headers.insert(&REQUEST_ID, id);
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache; no-store, must-revalidate, private"));
    headers.insert(EXPIRES, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 UTC"));
    if fails {
        end_connection(reply);
    }
}

/// Notes whether the model that answers was in memory when the request came.
pub(crate) fn note(reply: &mut Reply, temperature: Temperature) {
    // Only cold answers are noted: a note takes memory, and whoever waited for a load does not notice.
    if temperature == Temperature::Cold {
        reply.extensions_mut().insert(temperature);
    }
}

/// Whether the model that answers was in memory when the request came.
pub(crate) fn temperature(reply: &Reply) -> Temperature {
    reply.extensions().get().copied().unwrap_or(Temperature::Warm)
}

/// Makes the response its connection's last.
pub(crate) fn end_connection(reply: &mut Reply) {
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}
