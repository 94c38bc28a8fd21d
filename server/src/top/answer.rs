//! What the server says of its state, as far as it is shown here.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) server: Server,
    pub(super) memory: Memory,
    pub(super) requests: Requests,
    pub(super) counts: Counts,
    pub(super) models: Table,
    pub(super) departures: Vec<Departure>,
    pub(super) history: History,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Server {
    pub(super) version: String,
    pub(super) mode: String,
    pub(super) readiness: String,
    pub(super) started: f64,
    pub(super) now: f64,
    pub(super) residency_min_s: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "units come last")]
pub(super) struct Memory {
    pub(super) used_bytes: u64,
    pub(super) limit_bytes: u64,
    pub(super) resident_bytes: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Requests {
    pub(super) in_flight: u64,
    pub(super) connections: u64,
    pub(super) hits: u64,
    pub(super) lookups: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Counts {
    pub(super) loads: u64,
    pub(super) cached_loads: u64,
    pub(super) load_failures: u64,
    /// Models that left memory, by reason.
    pub(super) left: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Table {
    pub(super) total: usize,
    pub(super) rows: Vec<Row>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) runtime: String,
    pub(super) since: f64,
    pub(super) requests: u64,
    pub(super) popularity: f64,
    pub(super) worth: f64,
    pub(super) idle_s: f64,
    pub(super) is_pinned: bool,
    pub(super) is_new: bool,
    pub(super) leave_before: Option<usize>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Departure {
    pub(super) model: String,
    pub(super) reason: String,
    pub(super) at: f64,
    pub(super) bytes: u64,
    pub(super) requests: u64,
    pub(super) age_s: f64,
    pub(super) idle_s: f64,
}

/// A column for each number, the latest last.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct History {
    pub(super) success: Vec<f64>,
    pub(super) client_error: Vec<f64>,
    pub(super) server_error: Vec<f64>,
    pub(super) lookups: Vec<u64>,
    pub(super) hits: Vec<u64>,
    pub(super) warm_p50_us: Vec<Option<u64>>,
    pub(super) warm_p99_us: Vec<Option<u64>>,
    pub(super) cold_p50_us: Vec<Option<u64>>,
    pub(super) cold_p99_us: Vec<Option<u64>>,
}

impl History {
    /// Answers a second, the latest last.
    pub(super) fn rates(&self) -> Vec<f64> {
        let errors = self.client_error.iter().zip(&self.server_error);
        self.success.iter().zip(errors).map(|(success, (client, server))| success + client + server).collect()
    }
}
