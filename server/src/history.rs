//! The server's recent past, in memory of a fixed size: a sample every two seconds, for a quarter of an hour.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use serde::{Serialize, Serializer};
use thicket_engine::{Durations, Engine, Reason};
use tokio::time::{self, MissedTickBehavior};

use crate::meter::{Meters, Outcome};

mod points;

pub(crate) use points::{Points, quantile_us};

/// From one sample to the next.
pub(crate) const PERIOD: Duration = Duration::from_secs(2);

/// How many samples are kept: a quarter of an hour has as many periods as that, less one.
const SAMPLES_MAX: usize = 451;

/// Every number at one moment; those of what happened only grow.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    at: SystemTime,
    taken: Instant,
    memory_bytes: u64,
    models: usize,
    invocations: [u64; Outcome::ALL.len()],
    hits: u64,
    lookups: u64,
    warm: Durations,
    cold: Durations,
    loads: u64,
    load_failures: u64,
    departures: ByReason<u64>,
}

/// Something for each reason for which models leave memory: an object with their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ByReason<T>(pub(crate) [T; Reason::ALL.len()]);

impl<T: Serialize> Serialize for ByReason<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Reason::ALL.map(Reason::name).into_iter().zip(&self.0))
    }
}

impl Sample {
    /// All numbers now.
    fn of(meters: &Meters, engine: &Engine) -> Self {
        let (totals, counts) = (meters.totals(), engine.counts());
        Self {
            at: SystemTime::now(),
            taken: Instant::now(),
            memory_bytes: engine.memory().used_bytes,
            models: engine.models_count(),
            invocations: Outcome::ALL.map(|outcome| totals.invocations(outcome)),
            hits: totals.hits,
            lookups: totals.lookups(),
            warm: totals.warm,
            cold: totals.cold,
            loads: counts.loads,
            load_failures: counts.load_failures,
            departures: ByReason(counts.departures),
        }
    }
}

/// The latest samples, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    samples: VecDeque<Sample>,
    /// How many there have ever been.
    noted: u64,
}

/// How long predictions of a span took, by whether their model was in memory.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    pub(crate) span: Duration,
    pub(crate) warm: Durations,
    pub(crate) cold: Durations,
}

impl History {
    /// Takes samples for as long as it is polled. They cost requests nothing: each is a few hundred loads from memory, on a
    /// thread that answers nobody.
    pub(crate) async fn keep(self: Arc<Self>, meters: Arc<Meters>, engine: Engine) {
        let mut ticks = time::interval(PERIOD);
        // A tick that comes late takes none after it along: what is between two samples is divided by the time between them.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.note(Sample::of(&meters, &engine));
        }
    }

    fn note(&self, sample: Sample) {
        let mut ring = self.ring();
        if ring.samples.len() == SAMPLES_MAX {
            ring.samples.pop_front();
        }
        ring.samples.push_back(sample);
        ring.noted += 1;
    }

    /// What happened between the samples, from that with the number `since` on: those who have seen what was before ask
    /// for what is new. A number that is still to come asks for all there is.
    pub(crate) fn points(&self, since: u64) -> Points {
        let ring = self.ring();
        let since = if since > ring.noted { 0 } else { since };
        let first = ring.noted - ring.samples.len() as u64;
        // The sample before is what the first point is the difference to.
        let skipped = usize::try_from(since.saturating_sub(first).saturating_sub(1)).unwrap_or(usize::MAX);
        let samples: Vec<&Sample> = ring.samples.iter().skip(skipped).collect();
        Points::between(&samples, ring.noted)
    }

    /// How long the predictions of the whole span took.
    pub(crate) fn latencies(&self) -> Latencies {
        let ring = self.ring();
        let (Some(oldest), Some(latest)) = (ring.samples.front(), ring.samples.back()) else {
            return Latencies::default();
        };
        Latencies {
            span: latest.taken.duration_since(oldest.taken),
            warm: latest.warm.clone().since(&oldest.warm),
            cold: latest.cold.clone().since(&oldest.cold),
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Samples are whole or not there: a panic elsewhere does not spoil them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
