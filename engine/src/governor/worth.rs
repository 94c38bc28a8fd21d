//! What models are worth by how often they are asked for, with recent requests counting more.
//!
//! A request counts half after one half-life, which is not a time but a number of requests: some for each model in
//! memory, so that a busy and a quiet server forget at the same pace. This is LRFU (Lee et al., "LRFU: A Spectrum of Policies
//! that Subsumes the Least Recently Used and Least Frequently Used Policies", 2001), with the clock of requests, and with
//! models that have left remembered for a while, without which frequency is lost with each eviction.

use std::{
    cmp::Ordering,
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

/// Requests for each model in memory after which an old request counts half. Of the values tried on Zipf traffic that
/// shifts, the best compromise between knowing what is popular and noticing what no longer is.
const HALF_LIFE_REQUESTS: f64 = 16.0;
/// The half-life is never shorter than with so many models.
const MODELS_MIN: usize = 64;
/// Departed models remembered for each model in memory, and at the most: 16 bytes each.
const REMEMBERED_PER_MODEL: usize = 4;
const REMEMBERED_MAX: usize = 1 << 16;

/// The binary logarithm of a sum of requests, each weighted by two to the power of the half-lives at which it came: two
/// worths compare the same at any later time.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Worth(f64);

impl Worth {
    /// That of a model that nobody has asked for.
    pub(crate) const NONE: Self = Self(f64::NEG_INFINITY);

    /// With `requests` more, made at `clock`.
    #[expect(clippy::cast_precision_loss, reason = "a weight")]
    pub(crate) fn and(self, requests: u64, clock: Clock) -> Self {
        if requests == 0 {
            return self;
        }
        let fresh = clock.half_lives + (requests as f64).log2();
        let (greater, lesser) = if self.0 > fresh { (self.0, fresh) } else { (fresh, self.0) };
        Self(greater + (lesser - greater).exp2().ln_1p() / std::f64::consts::LN_2)
    }

    /// Requests as they count at `clock`: what a person would call the model's popularity.
    pub(crate) fn requests(self, clock: Clock) -> f64 {
        (self.0 - clock.half_lives).exp2()
    }

    /// What keeping a model gains for each byte it takes, as a logarithm: requests that would have waited, times how long.
    #[expect(clippy::cast_precision_loss, reason = "a weight")]
    pub(crate) fn per_byte(self, return_us: u64, bytes: u64) -> f64 {
        self.0 + (return_us.max(1) as f64).log2() - (bytes.max(1) as f64).log2()
    }

    pub(crate) fn total_cmp(self, other: Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(f64::from_bits(bits))
    }
}

/// How many half-lives have passed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    half_lives: f64,
}

impl Clock {
    /// Moves on by `requests` in all, made while `models` were in memory.
    #[expect(clippy::cast_precision_loss, reason = "a share of a half-life")]
    pub(crate) fn tick(&mut self, requests: u64, models: usize) {
        self.half_lives += requests as f64 / (HALF_LIFE_REQUESTS * models.max(MODELS_MIN) as f64);
    }
}

/// The worth of models that have left memory, until they come back or are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// By a digest of the name: two names of one digest share a worth, and nothing else.
    worths: HashMap<u64, Worth>,
    digest: RandomState,
}

impl Remembered {
    /// Remembers a model that leaves while `models` stay. Of too many, the half that is worth least is forgotten.
    pub(crate) fn keep(&mut self, name: &str, worth: Worth, models: usize) {
        self.worths.insert(self.digest.hash_one(name), worth);
        let most = (REMEMBERED_PER_MODEL * models.max(MODELS_MIN)).min(REMEMBERED_MAX);
        if self.worths.len() > most {
            let mut worths: Vec<f64> = self.worths.values().map(|worth| worth.0).collect();
            let middle = worths.len() / 2;
            let (_, median, _) = worths.select_nth_unstable_by(middle, f64::total_cmp);
            let median = *median;
            self.worths.retain(|_, worth| worth.0 > median);
        }
    }

    /// What a model that comes back was worth when it left.
    pub(crate) fn recall(&mut self, name: &str) -> Worth {
        self.worths.remove(&self.digest.hash_one(name)).unwrap_or(Worth::NONE)
    }
}

/// The clock, and what is remembered.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) clock: Clock,
    pub(crate) remembered: Remembered,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_request_counts_half_after_a_half_life() {
        let mut clock = Clock::default();
        let old = Worth::NONE.and(4, clock);
        (0..100).for_each(|_| clock.tick(16, 100));
        assert!((old.requests(clock) - 2.0).abs() < 1e-9);
        let both = old.and(3, clock);
        assert!((both.requests(clock) - 5.0).abs() < 1e-9);
        assert!(both > old && old > Worth::NONE);
        assert_eq!(old.and(0, clock), old);
        assert_eq!(Worth::from_bits(both.to_bits()), both);
    }

    #[test]
    fn worth_per_byte_weighs_time_and_size() {
        let worth = Worth::NONE.and(8, Clock::default());
        assert!((worth.per_byte(2000, 100) - worth.per_byte(1000, 50)).abs() < 1e-9);
        assert!(worth.per_byte(2000, 100) > worth.per_byte(1000, 100));
        assert!(Worth::NONE.per_byte(0, 0) < worth.per_byte(1, u64::MAX));
    }

    #[test]
    fn what_left_is_remembered_until_better_ones_leave() {
        let (clock, mut remembered) = (Clock::default(), Remembered::default());
        let worth = |requests| Worth::NONE.and(requests, clock);
        remembered.keep("popular", worth(1000), 1);
        for number in 0..1000 {
            remembered.keep(&number.to_string(), worth(1 + number % 7), 1);
            assert!(remembered.worths.len() <= REMEMBERED_PER_MODEL * MODELS_MIN);
        }
        assert_eq!(remembered.recall("popular"), worth(1000));
        assert_eq!(remembered.recall("popular"), Worth::NONE);
    }
}
