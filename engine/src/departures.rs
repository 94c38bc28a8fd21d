//! Which models left memory last, and why.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use crate::{histogram::micros, reason::Reason, slot::Loaded};

/// How many departures are kept.
const KEPT: usize = 256;

/// One model's leaving.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Departure {
    /// The model's name.
    pub model: Arc<str>,
    /// Why it left.
    pub reason: Reason,
    /// When.
    pub at: SystemTime,
    /// Memory that came back, or comes back with its last lease.
    pub bytes: u64,
    /// Requests while it was in memory.
    pub requests: u64,
    /// How long it was in memory.
    pub age: Duration,
    /// For how long nobody had asked for it.
    pub idle: Duration,
}

/// The latest departures.
#[derive(Debug, Default)]
pub(crate) struct Departures(Mutex<VecDeque<Departure>>);

impl Departures {
    /// Notes and logs that `loaded` has left the registry.
    pub(crate) fn note(&self, loaded: &Loaded, reason: Reason) {
        let departure = Departure {
            model: Arc::clone(&loaded.name),
            reason,
            at: SystemTime::now(),
            bytes: loaded.bytes(),
            requests: loaded.requests(),
            age: loaded.age(),
            idle: loaded.idle(),
        };
        tracing::info!(
            model = &*departure.model,
            reason = reason.name(),
            bytes = departure.bytes,
            requests = departure.requests,
            age_us = micros(departure.age),
            idle_us = micros(departure.idle),
            "left memory"
        );
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(departure);
    }

    /// The latest ones, the last first.
    pub(crate) fn latest(&self) -> Vec<Departure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}
