//! Measured times and what is quoted of them.

use std::time::Duration;

/// Times of one operation, measured again and again.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<Duration>);

impl Sample {
    /// Adds one measurement.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The measurements, the shortest first.
    #[must_use]
    pub fn sorted(mut self) -> Sorted {
        self.0.sort_unstable();
        Sorted(self.0)
    }
}

impl FromIterator<Duration> for Sample {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        Self(times.into_iter().collect())
    }
}

/// Times in order: quantiles are exact.
#[derive(Clone, Debug)]
pub struct Sorted(Vec<Duration>);

impl Sorted {
    /// All times.
    #[must_use]
    pub fn times(&self) -> &[Duration] {
        &self.0
    }

    /// The shortest time that a share of `quantile` (0 to 1) of all does not exceed; zero without times.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank")]
    pub fn quantile(&self, quantile: f64) -> Duration {
        let rank = (quantile * self.0.len() as f64).ceil() as usize;
        let last = self.0.len().saturating_sub(1);
        self.0.get(rank.saturating_sub(1).min(last)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_definition() {
        let mut random = thicket_tests::Random::new(7);
        for count in [1usize, 2, 3, 10, 99, 100, 1001] {
            let times: Vec<_> = (0..count).map(|_| Duration::from_nanos(random.below(500) as u64)).collect();
            let sorted = times.iter().copied().collect::<Sample>().sorted();
            for quantile in [0.01, 0.5, 0.9, 0.99, 0.999, 1.0] {
                #[expect(clippy::cast_precision_loss, reason = "small counts")]
                let is_enough = |time: &Duration| {
                    times.iter().filter(|other| *other <= time).count() as f64 >= quantile * count as f64
                };
                let expected = times.iter().filter(|&time| is_enough(time)).min().unwrap();
                assert_eq!(sorted.quantile(quantile), *expected, "{quantile} of {count}");
            }
        }
    }

    #[test]
    fn without_times_quantiles_are_zero() {
        assert_eq!(Sample::default().sorted().quantile(0.5), Duration::ZERO);
    }
}
