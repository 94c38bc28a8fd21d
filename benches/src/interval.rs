//! What happened in a server between two looks at its metrics.

use serde::{Deserialize, Serialize};

use crate::{distribution::Distribution, metrics::Metrics, process::Memory, sample::Sample};

/// The upper bounds of the server's histograms, in seconds, as they are written.
const BOUNDS: [&str; 20] = [
    "0.000025", "0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25", "0.5", "1", "2.5", "5", "10", "30", "60",
];

/// One interval of a run. Times are in microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Interval {
    /// When it ended, in seconds since the start.
    pub seconds: f64,
    /// Requests that were begun in it and answered well.
    pub count: usize,
    /// The median of their latencies, as the clients saw them.
    pub p50_us: f64,
    /// Their 99th percentile.
    pub p99_us: f64,
    /// The median of requests whose model was in memory, from the server's histogram.
    pub warm_p50_us: Option<f64>,
    /// Their 99th percentile.
    pub warm_p99_us: Option<f64>,
    /// The median of requests that loaded their model, from the server's histogram.
    pub cold_p50_us: Option<f64>,
    /// Their 99th percentile.
    pub cold_p99_us: Option<f64>,
    /// Of requests, the share whose model was in memory.
    pub hit_ratio: f64,
    /// Models in memory at its end.
    pub resident_models: f64,
    /// What they take, in bytes.
    pub models_bytes: f64,
    /// What the server's processes take.
    pub memory: Memory,
    /// Models that left memory since the start.
    pub evictions: f64,
}

/// The server's counters since its start.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    hits: f64,
    misses: f64,
    warm: Vec<f64>,
    cold: Vec<f64>,
}

impl Counts {
    /// What `metrics` say.
    #[must_use]
    pub fn of(metrics: &Metrics) -> Self {
        let buckets = |kind: &str| {
            let series =
                |bound| format!("thicket_invocation_duration_seconds_bucket{{model=\"{kind}\",le=\"{bound}\"}}");
            BOUNDS.iter().map(|bound| metrics.of(&series(bound))).collect()
        };
        Self {
            hits: metrics.of("thicket_model_lookups_total{result=\"hit\"}"),
            misses: metrics.of("thicket_model_lookups_total{result=\"miss\"}"),
            warm: buckets("warm"),
            cold: buckets("cold"),
        }
    }

    /// Of requests, the share whose model was in memory; 1 without requests.
    #[must_use]
    pub fn hit_ratio(&self) -> f64 {
        let lookups = self.hits + self.misses;
        if lookups > 0.0 { self.hits / lookups } else { 1.0 }
    }

    /// A quantile of the requests since `before` whose model was in memory, in microseconds; nothing without any.
    #[must_use]
    pub fn warm_us(&self, before: &Self, quantile: f64) -> Option<f64> {
        quantile_us(&self.since(before).warm, quantile)
    }

    fn since(&self, before: &Self) -> Self {
        let less = |now: &[f64], before: &[f64]| {
            let before = before.iter().copied().chain(std::iter::repeat(0.0));
            now.iter().zip(before).map(|(now, before)| now - before).collect()
        };
        Self {
            hits: self.hits - before.hits,
            misses: self.misses - before.misses,
            warm: less(&self.warm, &before.warm),
            cold: less(&self.cold, &before.cold),
        }
    }
}

impl Interval {
    /// What happened between two counts; the rest is of its end.
    #[must_use]
    pub fn between(
        seconds: f64,
        before: &Counts,
        after: &Counts,
        metrics: &Metrics,
        memory: Memory,
        all: Sample,
    ) -> Self {
        let (counts, all) = (after.since(before), Distribution::of(all));
        Self {
            seconds,
            count: all.count,
            p50_us: all.p50_us,
            p99_us: all.p99_us,
            warm_p50_us: quantile_us(&counts.warm, 0.5),
            warm_p99_us: quantile_us(&counts.warm, 0.99),
            cold_p50_us: quantile_us(&counts.cold, 0.5),
            cold_p99_us: quantile_us(&counts.cold, 0.99),
            hit_ratio: counts.hit_ratio(),
            resident_models: metrics.of("thicket_models"),
            models_bytes: metrics.of("thicket_models_memory_bytes"),
            memory,
            evictions: metrics.of("thicket_evictions_total{reason=\"room\"}"),
        }
    }
}

/// A quantile from cumulated counts, as Prometheus' `histogram_quantile` has it: linear within a bucket.
fn quantile_us(cumulated: &[f64], quantile: f64) -> Option<f64> {
    let total = cumulated.last().copied().filter(|&total| total > 0.0)?;
    let rank = quantile * total;
    let bucket = cumulated.iter().position(|&count| count >= rank)?;
    let bound = |bucket: usize| BOUNDS[bucket].parse::<f64>().unwrap_or_default() * 1e6;
    let (low, below) = bucket.checked_sub(1).map_or((0.0, 0.0), |before| (bound(before), cumulated[before]));
    Some(low + (bound(bucket) - low) * (rank - below) / (cumulated[bucket] - below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_within_their_bucket() {
        let mut cumulated = [100.0; BOUNDS.len()];
        cumulated[0] = 0.0;
        cumulated[1] = 50.0;
        let about = |quantile, expected: f64| (quantile_us(&cumulated, quantile).unwrap() - expected).abs() < 1e-6;
        assert!(about(0.25, 37.5) && about(0.5, 50.0) && about(0.99, 99.0));
        assert_eq!(quantile_us(&[0.0; BOUNDS.len()], 0.5), None);
    }

    #[test]
    fn an_interval_counts_what_came_since_the_last() {
        let counts = |hits, misses| Counts { hits, misses, ..Counts::default() };
        let since = counts(40.0, 20.0).since(&counts(10.0, 10.0));
        assert!((since.hit_ratio() - 0.75).abs() < 1e-9 && (Counts::default().hit_ratio() - 1.0).abs() < 1e-9);
    }
}
