//! What happened to models since the engine was made, in numbers that only grow.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::reason::Reason;

/// How often what happened since an engine was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Loads that made a model ready, cached or not.
    pub loads: u64,
    /// Those of them whose conversion lay in the cache.
    pub cached_loads: u64,
    /// Loads that failed, wherever on their way.
    pub load_failures: u64,
    /// Artifacts that were converted, whatever was to run them.
    pub conversions: u64,
    /// Packs that did not answer as the model they were made from, and were not used.
    pub verification_failures: u64,
    /// Conversions that left a booster to `XGBoost`'s library. Loads of these from the cache do not count again.
    pub xgboost_fallbacks: u64,
    /// Conversions that left a graph to ONNX Runtime. Loads of these from the cache do not count again.
    pub onnxruntime_fallbacks: u64,
    /// Changed artifacts that could not take the place of what was in memory.
    pub refresh_failures: u64,
    /// Models that left memory, by reason, in the order of [`Reason::ALL`].
    pub departures: [u64; Reason::ALL.len()],
}

impl Counts {
    /// Models that left memory for `reason`.
    #[must_use]
    pub fn departures(&self, reason: Reason) -> u64 {
        self.departures[reason as usize]
    }
}

/// The counters behind [`Counts`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) loads: Counter,
    pub(crate) cached_loads: Counter,
    pub(crate) load_failures: Counter,
    pub(crate) conversions: Counter,
    pub(crate) verification_failures: Counter,
    pub(crate) xgboost_fallbacks: Counter,
    pub(crate) onnxruntime_fallbacks: Counter,
    pub(crate) refresh_failures: Counter,
    departures: [Counter; Reason::ALL.len()],
}

impl Counters {
    /// The counter of models that leave for `reason`.
    pub(crate) fn departures(&self, reason: Reason) -> &Counter {
        &self.departures[reason as usize]
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            loads: self.loads.count(),
            cached_loads: self.cached_loads.count(),
            load_failures: self.load_failures.count(),
            conversions: self.conversions.count(),
            verification_failures: self.verification_failures.count(),
            xgboost_fallbacks: self.xgboost_fallbacks.count(),
            onnxruntime_fallbacks: self.onnxruntime_fallbacks.count(),
            refresh_failures: self.refresh_failures.count(),
            departures: self.departures.each_ref().map(Counter::count),
        }
    }
}

/// One number that grows by one at a time.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
