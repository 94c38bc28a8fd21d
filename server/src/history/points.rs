//! What happened from one sample to the next, a column for each number.

use std::time::UNIX_EPOCH;

use serde::Serialize;
use thicket_engine::Durations;

use super::{ByReason, PERIOD, Sample};
use crate::meter::Outcome;

/// Points in time, the oldest first: all columns are equally long. Rates are for each second, quantiles in microseconds and
/// `null` where nothing was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Points {
    /// The number of the point that comes next.
    next: u64,
    period_s: f64,
    /// Unix time in seconds.
    at: Vec<f64>,
    memory_bytes: Vec<u64>,
    models: Vec<usize>,
    success: Vec<f64>,
    client_error: Vec<f64>,
    server_error: Vec<f64>,
    abandoned: Vec<f64>,
    /// Requests that wanted a model, and those of them whose model was in memory.
    lookups: Vec<u64>,
    hits: Vec<u64>,
    warm_p50_us: Vec<Option<u64>>,
    warm_p99_us: Vec<Option<u64>>,
    cold_p50_us: Vec<Option<u64>>,
    cold_p99_us: Vec<Option<u64>>,
    loads: Vec<u64>,
    load_failures: Vec<u64>,
    /// Models that left memory.
    left: ByReason<Vec<u64>>,
}

impl Points {
    /// A point for each of `samples` but the first.
    pub(super) fn between(samples: &[&Sample], next: u64) -> Self {
        let mut points = Self { next, period_s: PERIOD.as_secs_f64(), ..Self::default() };
        for pair in samples.windows(2) {
            points.push(pair[0], pair[1]);
        }
        points
    }

    fn push(&mut self, before: &Sample, now: &Sample) {
        let seconds = now.taken.duration_since(before.taken).as_secs_f64().max(1e-3);
        let rate = |outcome: Outcome| {
            let ended = |sample: &Sample| sample.invocations[outcome as usize];
            rounded(per_second(ended(now).saturating_sub(ended(before)), seconds))
        };
        self.at.push(rounded(now.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()));
        self.memory_bytes.push(now.memory_bytes);
        self.models.push(now.models);
        self.success.push(rate(Outcome::Success) + rate(Outcome::Redirection));
        self.client_error.push(rate(Outcome::ClientError));
        self.server_error.push(rate(Outcome::ServerError));
        self.abandoned.push(rate(Outcome::Abandoned));
        let grown = |number: fn(&Sample) -> u64| number(now).saturating_sub(number(before));
        self.lookups.push(grown(|sample| sample.lookups));
        self.hits.push(grown(|sample| sample.hits));
        self.loads.push(grown(|sample| sample.loads));
        self.load_failures.push(grown(|sample| sample.load_failures));
        let (left_before, left_now) = (&before.departures.0, &now.departures.0);
        for (column, (before, now)) in self.left.0.iter_mut().zip(left_before.iter().zip(left_now)) {
            column.push(now.saturating_sub(*before));
        }
        let (warm, cold) = (now.warm.clone().since(&before.warm), now.cold.clone().since(&before.cold));
        self.warm_p50_us.push(quantile_us(&warm, 0.5));
        self.warm_p99_us.push(quantile_us(&warm, 0.99));
        self.cold_p50_us.push(quantile_us(&cold, 0.5));
        self.cold_p99_us.push(quantile_us(&cold, 0.99));
    }
}

/// A quantile in whole microseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the last bound of a histogram")]
pub(crate) fn quantile_us(durations: &Durations, share: f64) -> Option<u64> {
    durations.quantile_us(share).map(|us| us.round() as u64)
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn per_second(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

/// To a hundredth: more digits say nothing, and are many.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
