//! Everything that operators are shown of a server at one moment, as JSON.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use thicket_engine::{BOUNDS_US, Counts, Departure, Durations, Engine};

use super::{
    query::Query,
    rows::{self, Table},
};
use crate::{
    configuration::{Configuration, Mode},
    history::{ByReason, History, Latencies, Points, quantile_us},
    life::{Life, Readiness},
    meter::{Meters, Totals},
    metrics,
    service::Service,
};

/// Departures in one answer.
const DEPARTURES_MAX: usize = 50;

/// Where the state is read from; every thread may.
#[derive(Debug)]
pub(super) struct View {
    engine: Engine,
    meters: Arc<Meters>,
    history: Arc<History>,
    configuration: Arc<Configuration>,
    life: Arc<Life>,
    started: SystemTime,
}

#[derive(Debug, Serialize)]
struct State {
    server: Server,
    memory: Memory,
    requests: Requests,
    counts: Events,
    models: Table,
    latency: Latency,
    steps: Vec<Step>,
    departures: Vec<Left>,
    history: Points,
}

/// What the server is and was told to be.
#[derive(Debug, Serialize)]
struct Server {
    version: &'static str,
    mode: &'static str,
    readiness: &'static str,
    /// Unix times in seconds.
    started: f64,
    now: f64,
    workers: usize,
    body_bytes_max: usize,
    model_bytes_max: u64,
    connections_max: usize,
    load_wait_s: f64,
    grace_s: f64,
    residency_min_s: f64,
    idle_max_s: Option<f64>,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "units come last")]
struct Memory {
    used_bytes: u64,
    limit_bytes: u64,
    /// Of the whole process, shared pages included.
    resident_bytes: Option<u64>,
}

/// Since the start, but for the first two.
#[derive(Debug, Serialize)]
struct Requests {
    in_flight: u64,
    connections: u64,
    hits: u64,
    lookups: u64,
    panics: u64,
}

/// Since the start.
#[derive(Debug, Serialize)]
struct Events {
    loads: u64,
    cached_loads: u64,
    load_failures: u64,
    conversions: u64,
    verification_failures: u64,
    left: ByReason<u64>,
}

/// How many predictions of the history's span took how long: a number for each bucket, the last for what is beyond.
#[derive(Debug, Serialize)]
struct Latency {
    span_s: f64,
    bounds_us: [u64; BOUNDS_US.len()],
    warm: [u64; BOUNDS_US.len() + 1],
    cold: [u64; BOUNDS_US.len() + 1],
}

/// A step of the loads since the start.
#[derive(Debug, Serialize)]
struct Step {
    name: &'static str,
    count: u64,
    sum_us: u64,
    p50_us: Option<u64>,
    p99_us: Option<u64>,
}

/// A model that left memory.
#[derive(Debug, Serialize)]
struct Left {
    model: String,
    reason: &'static str,
    /// Unix time in seconds.
    at: f64,
    bytes: u64,
    requests: u64,
    age_s: f64,
    idle_s: f64,
}

impl View {
    pub(super) fn of(service: &Service) -> Self {
        Self {
            engine: service.engine.clone(),
            meters: Arc::clone(&service.meters),
            history: Arc::clone(&service.history),
            configuration: Arc::clone(&service.configuration),
            life: Arc::clone(&service.life),
            started: service.started,
        }
    }

    /// What `query` asks for.
    pub(super) fn json(&self, query: &Query) -> Vec<u8> {
        serde_json::to_vec(&self.state(query)).expect("our answers have string keys only")
    }

    fn state(&self, query: &Query) -> State {
        let memory = self.engine.memory();
        let departures = self.engine.departures();
        State {
            server: self.server(),
            memory: Memory {
                used_bytes: memory.used_bytes,
                limit_bytes: memory.limit_bytes,
                resident_bytes: metrics::resident_bytes(),
            },
            requests: requests(&self.meters.totals()),
            counts: events(&self.engine.counts()),
            models: rows::table(self.engine.standings(), query),
            latency: latency(&self.history.latencies()),
            steps: self.engine.times().steps.iter().map(|(of, durations)| step(of.name(), durations)).collect(),
            departures: departures.into_iter().take(DEPARTURES_MAX).map(left).collect(),
            history: self.history.points(query.since),
        }
    }

    fn server(&self) -> Server {
        let configuration = &self.configuration;
        Server {
            version: env!("CARGO_PKG_VERSION"),
            mode: match configuration.mode {
                Mode::StandAlone { .. } => "stand-alone",
                Mode::Container => "multi-model container",
                Mode::SingleModel { .. } => "single-model container",
            },
            readiness: match self.life.readiness() {
                Readiness::Ready => "ready",
                Readiness::Starting => "starting",
                Readiness::Draining => "draining",
            },
            started: unix(self.started),
            now: unix(SystemTime::now()),
            workers: configuration.workers,
            body_bytes_max: configuration.body_bytes_max,
            model_bytes_max: configuration.model_bytes_max,
            connections_max: configuration.limits.connections_max,
            load_wait_s: configuration.load_wait.as_secs_f64(),
            grace_s: configuration.grace.as_secs_f64(),
            residency_min_s: configuration.residency.least.as_secs_f64(),
            idle_max_s: configuration.residency.idle_max.map(|idle_max| idle_max.as_secs_f64()),
        }
    }
}

fn requests(totals: &Totals) -> Requests {
    let (hits, lookups) = (totals.hits, totals.lookups());
    let (in_flight, connections, panics) = (totals.in_flight, totals.connections, totals.panics);
    Requests { in_flight, connections, hits, lookups, panics }
}

fn events(counts: &Counts) -> Events {
    Events {
        loads: counts.loads,
        cached_loads: counts.cached_loads,
        load_failures: counts.load_failures,
        conversions: counts.conversions,
        verification_failures: counts.verification_failures,
        left: ByReason(counts.departures),
    }
}

fn latency(latencies: &Latencies) -> Latency {
    Latency {
        span_s: latencies.span.as_secs_f64(),
        bounds_us: BOUNDS_US,
        warm: latencies.warm.buckets,
        cold: latencies.cold.buckets,
    }
}

fn step(name: &'static str, durations: &Durations) -> Step {
    let (count, sum_us) = (durations.count(), durations.sum_us);
    Step { name, count, sum_us, p50_us: quantile_us(durations, 0.5), p99_us: quantile_us(durations, 0.99) }
}

fn left(departure: Departure) -> Left {
    Left {
        reason: departure.reason.name(),
        at: unix(departure.at),
        bytes: departure.bytes,
        requests: departure.requests,
        age_s: departure.age.as_secs_f64(),
        idle_s: departure.idle.as_secs_f64(),
        model: departure.model.to_string(),
    }
}

fn unix(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
