//! CloudWatch's embedded metric format: a line of JSON on standard output once a minute, and one at the end, in the
//! platform's names and units.

use std::{
    io::{self, Write},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};
use thicket_engine::{BOUNDS_US, Durations, Times};
use tracing::warn;

use crate::{
    meter::{Outcome, Totals},
    metrics::downloads,
    service::Service,
};

const PERIOD: Duration = Duration::from_mins(1);

/// How long the end waits for the last line: standard output may lead nowhere.
const LAST_LINE: Duration = Duration::from_secs(1);

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Emf {
    stop: mpsc::Sender<()>,
    stopped: mpsc::Receiver<()>,
}

impl Emf {
    /// Writes metrics of `namespace` from now on.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(crate) fn start(service: Service, namespace: String) -> io::Result<Self> {
        let (stop, told) = mpsc::channel();
        let (tell, stopped) = mpsc::channel();
        let work = move || {
            write(&service, &namespace, &told);
            drop(tell);
        };
        thread::Builder::new().name("thicket-emf".to_owned()).spawn(work)?;
        Ok(Self { stop, stopped })
    }

    /// Writes the last line.
    pub(crate) fn stop(self) {
        drop(self.stop);
        if self.stopped.recv_timeout(LAST_LINE) == Err(RecvTimeoutError::Timeout) {
            warn!("standard output does not take the last metrics");
        }
    }
}

fn write(service: &Service, namespace: &str, told: &mpsc::Receiver<()>) {
    let mut before = Reading::of(service);
    loop {
        let is_last = told.recv_timeout(PERIOD) == Err(RecvTimeoutError::Disconnected);
        let now = Reading::of(service);
        let line = line(namespace, SystemTime::now(), &metrics(&before, &now));
        let mut stdout = io::stdout().lock();
        drop(writeln!(stdout, "{line}").and_then(|()| stdout.flush()));
        if is_last {
            return;
        }
        before = now;
    }
}

/// All numbers at one moment.
#[derive(Clone, Debug)]
struct Reading {
    totals: Totals,
    times: Times,
    models: usize,
}

impl Reading {
    fn of(service: &Service) -> Self {
        let (totals, times) = (service.meters.totals(), service.engine.times());
        Self { totals, times, models: service.engine.models_count() }
    }
}

/// Name, unit and value of what happened between two readings; what did not happen has no value.
fn metrics(before: &Reading, now: &Reading) -> Vec<(&'static str, &'static str, Value)> {
    let ended = |reading: &Reading, outcome| reading.totals.invocations(outcome);
    let since = |outcome| ended(now, outcome) - ended(before, outcome);
    let (client_errors, server_errors) = (since(Outcome::ClientError), since(Outcome::ServerError));
    let invocations = since(Outcome::Success) + client_errors + server_errors;
    let hits = now.totals.hits - before.totals.hits;
    let misses = now.totals.lookups().saturating_sub(before.totals.lookups()).saturating_sub(hits);
    let latencies = |totals: &Totals| totals.warm.clone().plus(&totals.cold);
    let spans = [
        ("ModelLatency", latencies(&now.totals).since(&latencies(&before.totals))),
        ("ModelLoadingWaitTime", now.totals.waits.clone().since(&before.totals.waits)),
        ("ModelDownloadingTime", downloads(&now.times).clone().since(downloads(&before.times))),
        ("ModelLoadingTime", now.times.loads_after_fetch.clone().since(&before.times.loads_after_fetch)),
        ("ModelUnloadingTime", now.times.unloads.clone().since(&before.times.unloads)),
    ];
    let mut metrics = vec![
        ("LoadedModelCount", "Count", json!(now.models)),
        ("Invocations", "Count", json!(invocations)),
        ("Invocation4XXErrors", "Count", json!(client_errors)),
        ("Invocation5XXErrors", "Count", json!(server_errors)),
    ];
    if hits + misses > 0 {
        metrics.push(("ModelCacheHit", "None", statistics(&[(0, misses), (1, hits)], hits)));
    }
    let spans = spans.into_iter().filter(|(_, durations)| durations.count() > 0);
    metrics.extend(spans.map(|(name, durations)| (name, "Microseconds", of_durations(&durations))));
    metrics
}

/// Durations as CloudWatch takes them: a value for each bucket, and how often.
fn of_durations(durations: &Durations) -> Value {
    let value = |bucket: usize| *BOUNDS_US.get(bucket).unwrap_or(&(2 * BOUNDS_US[BOUNDS_US.len() - 1]));
    let values: Vec<_> = durations.buckets.iter().enumerate().map(|(bucket, &count)| (value(bucket), count)).collect();
    statistics(&values, durations.sum_us)
}

/// A distribution of values that are in ascending order.
fn statistics(values: &[(u64, u64)], sum: u64) -> Value {
    let present: Vec<_> = values.iter().filter(|(_, count)| *count > 0).collect();
    let (values, counts): (Vec<u64>, Vec<u64>) = present.into_iter().copied().unzip();
    let count: u64 = counts.iter().sum();
    json!({ "Values": values, "Counts": counts, "Min": values.first(), "Max": values.last(), "Count": count, "Sum": sum })
}

fn line(namespace: &str, now: SystemTime, metrics: &[(&'static str, &'static str, Value)]) -> Value {
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let described: Vec<_> = metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let directive = json!({ "Namespace": namespace, "Dimensions": [[]], "Metrics": described });
    let timestamp_ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    let mut line = Map::new();
    line.insert("_aws".to_owned(), json!({ "Timestamp": timestamp_ms, "CloudWatchMetrics": [directive] }));
    line.extend(metrics.iter().map(|(name, _, value)| ((*name).to_owned(), value.clone())));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_has_only_what_is_there() {
        let mut durations = Durations { sum_us: 130, ..Durations::default() };
        (durations.buckets[1], durations.buckets[2]) = (2, 1);
        let expected = json!({ "Values": [50, 100], "Counts": [2, 1], "Min": 50, "Max": 100, "Count": 3, "Sum": 130 });
        assert_eq!(of_durations(&durations), expected);
    }

    #[test]
    fn a_line_declares_what_it_holds() {
        let line = line("N", UNIX_EPOCH + Duration::from_millis(1500), &[("A", "Count", json!(7))]);
        let directive = json!({ "Namespace": "N", "Dimensions": [[]], "Metrics": [{ "Name": "A", "Unit": "Count" }] });
        let expected = json!({ "_aws": { "Timestamp": 1500, "CloudWatchMetrics": [directive] }, "A": 7 });
        assert_eq!(line, expected);
    }
}
