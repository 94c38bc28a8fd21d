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
    /// Models that left memory to make room for others.
    pub evictions: u64,
    /// Models that left memory because the process came near its limit.
    pub pressure_evictions: u64,
    /// Models that left memory because nobody asked for them.
    pub idle_evictions: u64,
    /// Models that left memory because somebody cut their file in the cache short.
    pub damage_evictions: u64,
    /// Models that left memory because they were told to.
    pub unloads: u64,
    /// Models that left memory because what their artifact changed to took their place.
    pub replacements: u64,
    /// Models that left memory because their artifact was deleted.
    pub deletions: u64,
    /// Changed artifacts that could not take the place of what was in memory.
    pub refresh_failures: u64,
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
    pub(crate) evictions: Counter,
    pub(crate) pressure_evictions: Counter,
    pub(crate) idle_evictions: Counter,
    pub(crate) damage_evictions: Counter,
    pub(crate) unloads: Counter,
    pub(crate) replacements: Counter,
    pub(crate) deletions: Counter,
    pub(crate) refresh_failures: Counter,
}

impl Counters {
    /// The counter of models that leave for `reason`.
    pub(crate) fn departures(&self, reason: Reason) -> &Counter {
        match reason {
            Reason::Room => &self.evictions,
            Reason::Pressure => &self.pressure_evictions,
            Reason::Idle => &self.idle_evictions,
            Reason::Damage => &self.damage_evictions,
            Reason::Unload => &self.unloads,
            Reason::Replaced => &self.replacements,
            Reason::Deleted => &self.deletions,
        }
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
            evictions: self.evictions.count(),
            pressure_evictions: self.pressure_evictions.count(),
            idle_evictions: self.idle_evictions.count(),
            damage_evictions: self.damage_evictions.count(),
            unloads: self.unloads.count(),
            replacements: self.replacements.count(),
            deletions: self.deletions.count(),
            refresh_failures: self.refresh_failures.count(),
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
