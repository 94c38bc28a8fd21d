//! Durations counted in buckets, without a lock.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The upper ends of the buckets in microseconds, each end within its bucket; a last bucket takes the rest.
pub const BOUNDS_US: [u64; 20] = [
    25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

/// Counts durations from any number of threads.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// What a [`Histogram`] has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// How many durations fell into each bucket of [`BOUNDS_US`], and how many beyond.
    pub buckets: [u64; BOUNDS_US.len() + 1],
    /// All of them together, in microseconds.
    pub sum_us: u64,
}

impl Histogram {
    /// Counts one duration.
    pub fn observe(&self, duration: Duration) {
        let us = micros(duration);
        self.buckets[BOUNDS_US.partition_point(|&bound_us| bound_us < us)].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// What has been counted until now.
    #[must_use]
    pub fn durations(&self) -> Durations {
        Durations {
            buckets: std::array::from_fn(|bucket| self.buckets[bucket].load(Ordering::Relaxed)),
            sum_us: self.sum_us.load(Ordering::Relaxed),
        }
    }
}

/// A duration in whole microseconds, as a number that logs write as one.
#[must_use]
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Durations {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The duration in microseconds that a `share` of them, from 0 to 1, does not exceed: within its bucket as if all of that
    /// were spread evenly, and the last bound for what is beyond. Nothing where there are none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn quantile_us(&self, share: f64) -> Option<f64> {
        let rank = self.count() as f64 * share;
        let (mut below, mut lower_us) = (0.0, 0.0);
        for (bucket, &count) in self.buckets.iter().enumerate() {
            let upper_us = BOUNDS_US.get(bucket).map_or(lower_us, |&bound_us| bound_us as f64);
            let count = count as f64;
            if count > 0.0 && below + count >= rank {
                return Some(lower_us + (upper_us - lower_us) * ((rank - below) / count).max(0.0));
            }
            (below, lower_us) = (below + count, upper_us);
        }
        None
    }

    /// These and `others`.
    #[must_use]
    pub fn plus(mut self, others: &Self) -> Self {
        self.buckets.iter_mut().zip(others.buckets).for_each(|(bucket, more)| *bucket += more);
        self.sum_us += others.sum_us;
        self
    }

    /// These without those that were there `before`.
    #[must_use]
    pub fn since(mut self, before: &Self) -> Self {
        self.buckets.iter_mut().zip(before.buckets).for_each(|(bucket, old)| *bucket -= old);
        self.sum_us -= before.sum_us;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::default();
        for us in [0, 25, 26, 60_000_000, 60_000_001] {
            histogram.observe(Duration::from_micros(us));
        }
        let durations = histogram.durations();
        let buckets = &durations.buckets;
        assert_eq!((buckets[0], buckets[1], buckets[19], buckets[20], durations.count()), (2, 1, 1, 1, 5));
        assert_eq!(durations.sum_us, 120_000_052);
        assert_eq!(durations.clone().plus(&durations).since(&durations), durations);
    }

    #[test]
    fn quantiles_lie_within_their_buckets() {
        let mut durations = Durations::default();
        assert_eq!(durations.quantile_us(0.5), None);
        (durations.buckets[1], durations.buckets[5]) = (98, 2);
        let quantile = |share| durations.quantile_us(share).unwrap();
        assert!((quantile(0.49) - 37.5).abs() < 1e-9 && (quantile(0.99) - 750.0).abs() < 1e-9);
        assert!((quantile(0.0) - 25.0).abs() < 1e-9 && (quantile(1.0) - 1000.0).abs() < 1e-9);
        let mut beyond = Durations::default();
        beyond.buckets[BOUNDS_US.len()] = 1;
        assert_eq!(beyond.quantile_us(0.99), Some(60_000_000.0));
    }
}
