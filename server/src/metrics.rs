//! What `/metrics` tells: a bounded number of series, however many models there are.

use std::{fs, time::UNIX_EPOCH};

use thicket_engine::{Counts, Durations, Reason, Step, Times};

use crate::{
    exposition::{Exposition, Kind},
    life::Readiness,
    meter::{Outcome, Totals},
    route,
    service::Service,
};

/// Models that have a series of their own.
const MODELS_MAX: usize = 20;

/// The whole text.
pub(crate) fn text(service: &Service) -> String {
    let (totals, counts, times) = (service.meters.totals(), service.engine.counts(), service.engine.times());
    let mut text = Exposition::default();
    requests(&mut text, &totals);
    models(&mut text, service, &totals);
    loads(&mut text, &counts, &times);
    process(&mut text, service, &totals);
    aws(&mut text, service, &totals, &times);
    text.into_text()
}

fn requests(text: &mut Exposition, totals: &Totals) {
    let mut metric = text.metric("thicket_requests_total", Kind::Counter, "Requests that ended, by route and status.");
    for kind in route::Kind::ALL {
        for outcome in Outcome::ALL {
            let count = totals.requests[kind as usize][outcome as usize];
            if count > 0 {
                metric.sample(&[("route", kind.name()), ("status", outcome.name())], count);
            }
        }
    }
    text.metric("thicket_requests_in_flight", Kind::Gauge, "Requests being answered.").sample(&[], totals.in_flight);
    text.metric(
        "thicket_invocation_duration_seconds",
        Kind::Histogram,
        "Invocations with a prediction, from head to answer, by whether their model was in memory.",
    )
    .durations(&[("model", "warm")], &totals.warm)
    .durations(&[("model", "cold")], &totals.cold);
    text.metric("thicket_request_bytes_total", Kind::Counter, "Bytes of request bodies.")
        .sample(&[], totals.received_bytes);
    text.metric("thicket_response_bytes_total", Kind::Counter, "Bytes of response bodies.")
        .sample(&[], totals.sent_bytes);
    text.metric("thicket_connections", Kind::Gauge, "Open connections.").sample(&[], totals.connections);
    text.metric("thicket_connections_opened_total", Kind::Counter, "Connections taken.")
        .sample(&[], totals.connections_opened);
}

fn models(text: &mut Exposition, service: &Service, totals: &Totals) {
    let memory = service.engine.memory();
    let popular = service.engine.popular(MODELS_MAX);
    let lookups = totals.lookups();
    text.metric("thicket_models", Kind::Gauge, "Models in memory.").sample(&[], service.engine.models_count());
    text.metric("thicket_models_memory_bytes", Kind::Gauge, "Memory that models take, with those that are leaving.")
        .sample(&[], memory.used_bytes);
    text.metric("thicket_models_memory_limit_bytes", Kind::Gauge, "Memory that models may take.")
        .sample(&[], memory.limit_bytes);
    text.metric("thicket_model_lookups_total", Kind::Counter, "Requests that wanted a model, by whether it was there.")
        .sample(&[("result", "hit")], totals.hits)
        .sample(&[("result", "miss")], lookups - totals.hits);
    let mut metric = text.metric(
        "thicket_model_requests_total",
        Kind::Counter,
        "Requests by model: those that are asked for most since they have been so, and all others as \"\".",
    );
    for (name, requests) in &popular.models {
        metric.sample(&[("model", name)], requests);
    }
    metric.sample(&[("model", "")], lookups.saturating_sub(popular.named_requests));
}

fn loads(text: &mut Exposition, counts: &Counts, times: &Times) {
    text.metric("thicket_loads_total", Kind::Counter, "Loads, by what they came to.")
        .sample(&[("result", "converted")], counts.loads.saturating_sub(counts.cached_loads))
        .sample(&[("result", "cached")], counts.cached_loads)
        .sample(&[("result", "failed")], counts.load_failures);
    text.metric("thicket_load_duration_seconds", Kind::Histogram, "Loads that made a model ready.")
        .durations(&[], &times.loads);
    let mut metric =
        text.metric("thicket_load_step_duration_seconds", Kind::Histogram, "Their steps, those that were taken.");
    for (step, durations) in &times.steps {
        metric.durations(&[("step", step.name())], durations);
    }
    let mut metric = text.metric(
        "thicket_evictions_total",
        Kind::Counter,
        "Models that left memory without being told to, by reason.",
    );
    for reason in Reason::ALL.into_iter().filter(|reason| *reason != Reason::Unload) {
        metric.sample(&[("reason", reason.name())], counts.departures(reason));
    }
    text.metric("thicket_refresh_failures_total", Kind::Counter, "Changed artifacts that could not be loaded.")
        .sample(&[], counts.refresh_failures);
    text.metric("thicket_unloads_total", Kind::Counter, "Models that were unloaded.")
        .sample(&[], counts.departures(Reason::Unload));
    text.metric("thicket_conversions_total", Kind::Counter, "Artifacts that were converted.")
        .sample(&[], counts.conversions);
    text.metric("thicket_verification_failures_total", Kind::Counter, "Conversions that did not verify.")
        .sample(&[], counts.verification_failures);
    text.metric("thicket_fallbacks_total", Kind::Counter, "Conversions that left a model to another engine.")
        .sample(&[("engine", "xgboost")], counts.xgboost_fallbacks)
        .sample(&[("engine", "onnxruntime")], counts.onnxruntime_fallbacks);
}

fn process(text: &mut Exposition, service: &Service, totals: &Totals) {
    let is_ready = service.life.readiness() == Readiness::Ready;
    text.metric("thicket_ready", Kind::Gauge, "Whether requests should be sent here.").sample(&[], u8::from(is_ready));
    text.metric("thicket_panics_total", Kind::Counter, "Requests whose handler panicked.").sample(&[], totals.panics);
    let started = service.started.duration_since(UNIX_EPOCH).unwrap_or_default();
    text.metric("process_start_time_seconds", Kind::Gauge, "When the process started, in Unix time.")
        .sample(&[], started.as_secs_f64());
    if let Some(bytes) = resident_bytes() {
        text.metric("process_resident_memory_bytes", Kind::Gauge, "Memory of the process, shared pages included.")
            .sample(&[], bytes);
    }
}

/// The process's memory in bytes, as the kernel counts it.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// What the platform itself publishes of a multi-model endpoint, under its names, in microseconds.
fn aws(text: &mut Exposition, service: &Service, totals: &Totals, times: &Times) {
    let mut summary = |name, help, sum, count| {
        text.metric(name, Kind::Summary, help).summary(sum, count);
    };
    let (downloads, loads) = (downloads(times), &times.loads_after_fetch);
    summary("ModelLoadingWaitTime", "Microseconds that invocations waited.", totals.waits.sum_us, totals.waits.count());
    summary("ModelDownloadingTime", "Microseconds of downloads.", downloads.sum_us, downloads.count());
    summary("ModelLoadingTime", "Microseconds of loads without downloads.", loads.sum_us, loads.count());
    summary("ModelUnloadingTime", "Microseconds of unloads.", times.unloads.sum_us, times.unloads.count());
    summary("ModelCacheHit", "Invocations whose model was in memory, of all.", totals.hits, totals.lookups());
    text.metric("LoadedModelCount", Kind::Gauge, "Models in memory.").sample(&[], service.engine.models_count());
}

/// Loads' downloads.
pub(crate) fn downloads(times: &Times) -> &Durations {
    &times.steps[Step::Fetch as usize].1
}
