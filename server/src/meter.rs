//! What a worker has done, in numbers that only grow. Each worker writes to a meter of its own, so that counting costs
//! next to nothing; whoever asks adds them up.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use http::StatusCode;
use thicket_engine::{Durations, Histogram};

use crate::route::Kind;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Redirection,
    ClientError,
    ServerError,
    /// The client left before the answer was there.
    Abandoned,
}

impl Outcome {
    pub(crate) const ALL: [Self; 5] =
        [Self::Success, Self::Redirection, Self::ClientError, Self::ServerError, Self::Abandoned];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Success => "2xx",
            Self::Redirection => "3xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
            Self::Abandoned => "abandoned",
        }
    }

    fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            ..300 => Self::Success,
            300..400 => Self::Redirection,
            400..500 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

/// Whether the model of an answered request was in memory when the request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temperature {
    Warm,
    Cold,
}

/// One worker's numbers.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    begun: Count,
    requests: [[Count; Outcome::ALL.len()]; Kind::ALL.len()],
    pub(crate) received_bytes: Count,
    pub(crate) sent_bytes: Count,
    pub(crate) warm: Histogram,
    pub(crate) cold: Histogram,
    pub(crate) hits: Count,
    /// How long requests waited for their models, of those that had to.
    pub(crate) waits: Histogram,
    pub(crate) connections_opened: Count,
    pub(crate) connections_closed: Count,
    pub(crate) panics: Count,
}

/// All workers' numbers together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) in_flight: u64,
    pub(crate) requests: [[u64; Outcome::ALL.len()]; Kind::ALL.len()],
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) warm: Durations,
    pub(crate) cold: Durations,
    pub(crate) hits: u64,
    pub(crate) waits: Durations,
    pub(crate) connections_opened: u64,
    pub(crate) connections: u64,
    pub(crate) panics: u64,
}

/// A number that grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Every worker's meter.
#[derive(Debug, Default)]
pub(crate) struct Meters(Mutex<Vec<Arc<Meter>>>);

impl Meters {
    /// A meter for another worker.
    pub(crate) fn meter(&self) -> Arc<Meter> {
        let meter = Arc::<Meter>::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&meter));
        meter
    }

    pub(crate) fn totals(&self) -> Totals {
        let meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        meters.iter().fold(Totals::default(), |totals, meter| totals.plus(meter))
    }
}

impl Totals {
    fn plus(mut self, meter: &Meter) -> Self {
        let mut ended = 0;
        for (row, counts) in self.requests.iter_mut().zip(&meter.requests) {
            for (requests, count) in row.iter_mut().zip(counts) {
                *requests += count.now();
                ended += count.now();
            }
        }
        // Read after the ends, so that no request ends before it has begun.
        self.in_flight += meter.begun.now().saturating_sub(ended);
        let closed = meter.connections_closed.now();
        let opened = meter.connections_opened.now();
        self.connections += opened.saturating_sub(closed);
        self.connections_opened += opened;
        self.received_bytes += meter.received_bytes.now();
        self.sent_bytes += meter.sent_bytes.now();
        self.warm = self.warm.plus(&meter.warm.durations());
        self.cold = self.cold.plus(&meter.cold.durations());
        self.hits += meter.hits.now();
        self.waits = self.waits.plus(&meter.waits.durations());
        self.panics += meter.panics.now();
        self
    }

    /// Requests that wanted a model.
    pub(crate) fn lookups(&self) -> u64 {
        self.hits + self.waits.count()
    }

    /// How many requests for predictions ended like that.
    pub(crate) fn invocations(&self, outcome: Outcome) -> u64 {
        let kinds = Kind::ALL.iter().filter(|kind| kind.is_invocation());
        kinds.map(|kind| self.requests[*kind as usize][outcome as usize]).sum()
    }
}

/// A request that is being answered; dropped without an answer it counts as abandoned.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    meter: &'a Meter,
    kind: Kind,
    outcome: Outcome,
    began: Instant,
}

impl Meter {
    pub(crate) fn begin(&self, kind: Kind) -> Request<'_> {
        self.begun.add(1);
        Request { meter: self, kind, outcome: Outcome::Abandoned, began: Instant::now() }
    }
}

impl Request<'_> {
    /// Counts the answer; how long it took.
    pub(crate) fn end(mut self, status: StatusCode, temperature: Option<Temperature>, sent_bytes: u64) -> Duration {
        self.outcome = Outcome::of(status);
        self.meter.sent_bytes.add(sent_bytes);
        let duration = self.began.elapsed();
        match temperature {
            Some(Temperature::Warm) => self.meter.warm.observe(duration),
            Some(Temperature::Cold) => self.meter.cold.observe(duration),
            None => {}
        }
        duration
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.meter.requests[self.kind as usize][self.outcome as usize].add(1);
    }
}

/// A connection that is being served.
#[derive(Debug)]
pub(crate) struct Connection(Arc<Meter>);

impl Connection {
    pub(crate) fn open(meter: &Arc<Meter>) -> Self {
        meter.connections_opened.add(1);
        Self(Arc::clone(meter))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections_closed.add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meters_add_up_and_requests_that_are_dropped_are_abandoned() {
        let meters = Meters::default();
        let (one, other) = (meters.meter(), meters.meter());
        one.begin(Kind::Ping).end(StatusCode::OK, None, 26);
        other.begin(Kind::Invoke).end(StatusCode::OK, Some(Temperature::Cold), 4);
        drop(other.begin(Kind::Invoke));
        let running = one.begin(Kind::Endpoint);
        let connection = Connection::open(&one);
        let totals = meters.totals();
        assert_eq!((totals.in_flight, totals.connections, totals.sent_bytes), (1, 1, 30));
        assert_eq!((totals.invocations(Outcome::Success), totals.invocations(Outcome::Abandoned)), (1, 1));
        assert_eq!((totals.cold.count(), totals.warm.count()), (1, 0));
        running.end(StatusCode::NOT_FOUND, None, 0);
        drop(connection);
        let totals = meters.totals();
        assert_eq!((totals.in_flight, totals.connections, totals.connections_opened), (0, 0, 1));
        assert_eq!(totals.invocations(Outcome::ClientError), 1);
    }
}
