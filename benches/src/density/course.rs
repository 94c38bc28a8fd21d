//! How a run goes on: what the server and its group say of themselves.

use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    group::{Group, Usage},
    load::connection::Connection,
    metrics::Metrics,
    server::Server,
};

/// What was seen at one look. Bytes and counts since the start.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Moment {
    /// Seconds since the start.
    pub seconds: f64,
    /// What the group takes, with the page cache.
    pub all_bytes: u64,
    /// What the server has written and holds.
    pub anonymous_bytes: u64,
    /// Files that are mapped: packs, and the program.
    pub mapped_bytes: u64,
    /// What models take.
    pub models_bytes: f64,
    /// What they may take.
    pub models_limit_bytes: f64,
    /// Models in memory.
    pub resident_models: f64,
    /// Loads that made a model ready.
    pub loads: f64,
}

impl Moment {
    fn of(metrics: &Metrics, usage: Usage) -> Self {
        let loads = |result| metrics.of(&format!("thicket_loads_total{{result=\"{result}\"}}"));
        Self {
            seconds: 0.0,
            all_bytes: usage.all_bytes,
            anonymous_bytes: usage.anonymous_bytes,
            mapped_bytes: usage.mapped_bytes,
            models_bytes: metrics.of("thicket_models_memory_bytes"),
            models_limit_bytes: metrics.of("thicket_models_memory_limit_bytes"),
            resident_models: metrics.of("thicket_models"),
            loads: loads("converted") + loads("cached"),
        }
    }
}

/// Looks at a server and its group, again and again.
///
/// # Errors
/// When the server takes no connection.
pub fn look<'a>(server: &Server, group: Option<&'a Group>) -> Result<impl FnMut() -> Option<Moment> + Send + use<'a>> {
    let mut connection = Connection::open(server.address())?;
    Ok(move || {
        let usage = group.map_or(Ok(Usage::default()), Group::usage).ok()?;
        Some(Moment::of(&Metrics::ask(&mut connection).ok()?, usage))
    })
}
