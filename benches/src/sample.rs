//! Measured times and what is quoted of them.

use std::{fmt, time::Duration};

/// Times of one operation, measured again and again.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<Duration>);

impl Sample {
    /// Adds one measurement.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The time that `percent` of the measurements do not exceed; zero without measurements.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut times = self.0.clone();
        times.sort_unstable();
        let last = times.len().saturating_sub(1);
        times.get((times.len() * percent / 100).min(last)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = |percent| self.percentile(percent).as_secs_f64() * 1e6;
        write!(f, "{:>10.1} {:>10.1} {:>10.1} {:>8}", us(0), us(50), us(99), self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let mut sample = Sample::default();
        assert_eq!(sample.percentile(50), Duration::ZERO);
        (1..=100).rev().for_each(|ms| sample.push(Duration::from_millis(ms)));
        assert_eq!(sample.percentile(0), Duration::from_millis(1));
        assert_eq!(sample.percentile(50), Duration::from_millis(51));
        assert_eq!(sample.percentile(100), Duration::from_millis(100));
    }
}
