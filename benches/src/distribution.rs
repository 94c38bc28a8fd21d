//! A sample as it is kept: its percentiles, and how many times fell where on a logarithmic scale.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{sample::Sample, table::short};

/// Buckets for each tenfold of time.
const BUCKETS_PER_DECADE: f64 = 20.0;

/// The headings of [`Distribution::cells`].
pub const HEADINGS: [&str; 6] = ["count", "p50 µs", "p90 µs", "p99 µs", "p99.9 µs", "max µs"];

/// What is kept of a sample. Times are in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Measurements.
    pub count: usize,
    /// The time that half of them do not exceed.
    pub p50_us: f64,
    /// The same for 90 %.
    pub p90_us: f64,
    /// The same for 99 %.
    pub p99_us: f64,
    /// The same for 99.9 %.
    pub p999_us: f64,
    /// The longest.
    pub max_us: f64,
    /// Where each bucket ends and how many measurements are in it; those without any are left out.
    pub buckets: Vec<(f64, usize)>,
}

impl Distribution {
    /// What is kept of `sample`.
    #[must_use]
    pub fn of(sample: Sample) -> Self {
        let sorted = sample.sorted();
        let us = |quantile| micros(sorted.quantile(quantile));
        Self {
            count: sorted.times().len(),
            p50_us: us(0.5),
            p90_us: us(0.9),
            p99_us: us(0.99),
            p999_us: us(0.999),
            max_us: us(1.0),
            buckets: buckets(sorted.times()),
        }
    }

    /// The percentiles for a table.
    #[must_use]
    pub fn cells(&self) -> [String; 6] {
        let [p50, p90, p99, p999, max] = [self.p50_us, self.p90_us, self.p99_us, self.p999_us, self.max_us].map(short);
        [self.count.to_string(), p50, p90, p99, p999, max]
    }

    /// Where the bucket begins that ends at `end_us`.
    #[must_use]
    pub fn bucket_start_us(end_us: f64) -> f64 {
        end_us / 10f64.powf(1.0 / BUCKETS_PER_DECADE)
    }
}

/// The time in microseconds.
#[must_use]
pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn buckets(sorted: &[Duration]) -> Vec<(f64, usize)> {
    let mut buckets: Vec<(f64, usize)> = Vec::new();
    for &time in sorted {
        let step = (micros(time).max(0.001).log10() * BUCKETS_PER_DECADE).ceil();
        let end = 10f64.powf(step / BUCKETS_PER_DECADE);
        match buckets.last_mut() {
            Some((last, count)) if *last >= end => *count += 1,
            _ => buckets.push((end, 1)),
        }
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_the_bucket_that_holds_it() {
        let sample: Sample = (1..=1000).map(Duration::from_micros).collect();
        let kept = Distribution::of(sample);
        assert_eq!((kept.count, kept.p50_us, kept.p99_us, kept.max_us), (1000, 500.0, 990.0, 1000.0));
        assert_eq!(kept.buckets.iter().map(|(_, count)| count).sum::<usize>(), 1000);
        let tens = |(end, _): &&(f64, usize)| *end > 10.5 && *end <= 100.5;
        assert_eq!(kept.buckets.iter().filter(tens).map(|(_, count)| count).sum::<usize>(), 90);
        assert!((Distribution::bucket_start_us(kept.buckets.last().unwrap().0) - 891.25).abs() < 0.01);
    }
}
