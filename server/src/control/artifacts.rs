//! One page of the artifacts in the source.

use http::StatusCode;
use serde::Serialize;
use thicket_engine::{Engine, ErrorKind};

use crate::{
    failure::{Class, Failure},
    reply::{self, Reply},
    uri,
};

/// Artifacts on a page, at the most and unless told otherwise.
const PAGE_ARTIFACTS_MAX: usize = 1000;
const PAGE_ARTIFACTS: usize = 100;

/// One page, as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<&'a str>,
    models: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    model_name: &'a str,
    size_bytes: u64,
    in_memory: bool,
}

/// The artifacts that the query's `limit` and `next_page_token` ask for. A page may have fewer although others follow: what
/// has no token is the last one.
pub(super) async fn list(engine: &Engine, query: &str) -> Result<Reply, Failure> {
    let limit = uri::parameter(query, "limit").and_then(|text| text.parse().ok());
    let limit = limit.filter(|limit| (1..=PAGE_ARTIFACTS_MAX).contains(limit)).unwrap_or(PAGE_ARTIFACTS);
    let next = uri::parameter(query, "next_page_token").filter(|token| !token.is_empty());
    let (page, are_here) = engine.page(next.as_deref(), limit).await.map_err(|error| match error.kind() {
        ErrorKind::InvalidInput => Failure::new(Class::BadRequest, "next_page_token is not one that a page has."),
        _ => Failure::engine(&error, "", ""),
    })?;
    let entries = page.artifacts.iter().zip(are_here).map(|(listed, in_memory)| Entry {
        model_name: &listed.name,
        size_bytes: listed.bytes,
        in_memory,
    });
    let page = Page { next_page_token: page.next.as_deref(), models: entries.collect() };
    Ok(reply::json(StatusCode::OK, &page))
}
