//! One name's state in the registry, and what a request holds while it uses a model.
//!
//! ```text
//! absent ──lead──▶ loading ──publish──▶ ready ──remove, replace──▶ draining ──last lease dropped──▶ gone
//!                     │                                            (no longer in the registry)
//!                     └──fail──▶ absent
//! ```
//!
//! A model whose artifact changed is replaced: the new one stands in its place at the moment in which it leaves, and nobody
//! who asks finds the place empty.
//!
//! A model that was loaded from a path of this machine is registered from its first publication until it is unloaded. When
//! it leaves memory before that, it is loaded again by the next request for it.

use std::{
    ops::Deref,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::watch;

use crate::{
    cache::Key,
    error::{Error, ErrorKind, Result},
    governor::{
        Draining, Reservation,
        policy::Resident,
        worth::{Clock, Worth},
    },
    model::Model,
    sync::AtomicU64,
};

/// Below a millisecond nobody notices how long a model takes to come back.
const RETURN_MIN_US: u64 = 1000;

/// What stands under a name.
#[derive(Debug)]
pub(crate) enum Slot {
    /// Somebody loads it; everybody who asks meanwhile waits for the same outcome.
    Loading(Flight),
    /// In memory.
    Ready(Arc<Loaded>),
}

impl Slot {
    /// The model, if it is in memory.
    pub(crate) fn ready(&self) -> Option<&Arc<Loaded>> {
        match self {
            Self::Ready(loaded) => Some(loaded),
            Self::Loading(_) => None,
        }
    }
}

/// A model in memory with its account. The model is unmapped before its bytes are given back.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) name: Arc<str>,
    /// Where the model came from, as the caller named it.
    pub(crate) location: String,
    /// Which conversion it is.
    pub(crate) key: Key,
    /// It leaves only when it is told to.
    pub(crate) is_pinned: bool,
    is_registered: bool,
    pub(crate) since: SystemTime,
    /// What bringing it back would take.
    return_us: u64,
    model: Model,
    used_at_us: AtomicU64,
    requests: AtomicU64,
    reported_requests: AtomicU64,
    appraised_requests: AtomicU64,
    /// The bits of its [`Worth`].
    worth: AtomicU64,
    /// When it came, on the registry's clock.
    since_age: Duration,
    born: Instant,
    reservation: Reservation,
    draining: std::sync::OnceLock<Draining>,
    gone: watch::Sender<()>,
}

/// How a model came into memory.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// Where it came from, as the caller named it.
    pub(crate) location: String,
    /// Which conversion it is.
    pub(crate) key: Key,
    /// It leaves only when it is told to.
    pub(crate) is_pinned: bool,
    /// What bringing it from the cache took.
    pub(crate) return_us: u64,
    /// As what it stays known when it leaves memory, if it does.
    pub(crate) registration: Option<Arc<Registration>>,
}

/// What stays of a model that was loaded from a path of this machine, in memory or not, until it is unloaded.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) path: PathBuf,
    pub(crate) since: SystemTime,
}

impl Loaded {
    /// A model that has just arrived. Whoever wanted it there counts as its first request, and is part of `worth`.
    pub(crate) fn new(
        name: Arc<str>,
        arrival: Arrival,
        model: Model,
        reservation: Reservation,
        worth: Worth,
        born: Instant,
    ) -> Self {
        #[cfg(feature = "planted-leak")]
        std::mem::forget(std::hint::black_box(vec![1_u8; 256]));
        let loaded = Self {
            name,
            location: arrival.location,
            key: arrival.key,
            is_pinned: arrival.is_pinned,
            is_registered: arrival.registration.is_some(),
            since: SystemTime::now(),
            return_us: arrival.return_us,
            model,
            used_at_us: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            reported_requests: AtomicU64::new(0),
            appraised_requests: AtomicU64::new(1),
            worth: AtomicU64::new(worth.to_bits()),
            since_age: born.elapsed(),
            born,
            reservation,
            draining: std::sync::OnceLock::new(),
            gone: watch::Sender::new(()),
        };
        loaded.touch();
        loaded
    }

    /// The same model in the place of `old`: nobody asked for it, and its past is that of the other.
    pub(crate) fn in_place_of(mut self, old: &Self) -> Self {
        self.since_age = old.since_age;
        for (own, past) in [
            (&self.used_at_us, &old.used_at_us),
            (&self.requests, &old.requests),
            (&self.reported_requests, &old.reported_requests),
            (&self.appraised_requests, &old.appraised_requests),
            (&self.worth, &old.worth),
        ] {
            own.store(past.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        self
    }

    /// Notes that the model is wanted now.
    pub(crate) fn touch(&self) {
        let now_us = u64::try_from(self.born.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.used_at_us.store(now_us, Ordering::Relaxed);
    }

    /// Counts a request for the model.
    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests since the model was loaded.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests since this was last called.
    pub(crate) fn unreported_requests(&self) -> u64 {
        let requests = self.requests();
        requests.saturating_sub(self.reported_requests.swap(requests, Ordering::Relaxed))
    }

    /// Whether the model came from the source by its name.
    pub(crate) fn is_from_source(&self) -> bool {
        !self.is_registered
    }

    /// For how long nobody has wanted the model.
    pub(crate) fn idle(&self) -> Duration {
        self.born.elapsed().saturating_sub(Duration::from_micros(self.used_at_us.load(Ordering::Relaxed)))
    }

    /// How long the model has been in memory.
    pub(crate) fn age(&self) -> Duration {
        self.born.elapsed().saturating_sub(self.since_age)
    }

    /// Requests since this was last called, but for the first one ever.
    pub(crate) fn unappraised_requests(&self) -> u64 {
        let requests = self.requests().max(1);
        requests.saturating_sub(self.appraised_requests.swap(requests, Ordering::Relaxed))
    }

    /// Counts `requests`, made at `clock`, into the model's worth. Not for two threads at once.
    pub(crate) fn appraise(&self, requests: u64, clock: Clock) {
        self.worth.store(self.worth().and(requests, clock).to_bits(), Ordering::Relaxed);
    }

    /// What the model is worth.
    pub(crate) fn worth(&self) -> Worth {
        Worth::from_bits(self.worth.load(Ordering::Relaxed))
    }

    /// What the policy sees of the model.
    pub(crate) fn resident(&self) -> Resident {
        let bytes = self.bytes();
        let worth = self.worth().per_byte(self.return_us.max(RETURN_MIN_US), bytes);
        Resident { bytes, worth, age: self.age(), is_pinned: self.is_pinned }
    }

    /// Memory that comes back when the model goes.
    pub(crate) fn bytes(&self) -> u64 {
        self.reservation.bytes()
    }

    /// Says that the model is in the registry.
    pub(crate) fn arrive(&self) {
        self.reservation.arrive();
    }

    /// Says that the model has left the registry and goes with its last lease.
    pub(crate) fn drain(&self) {
        self.draining.get_or_init(|| self.reservation.drain());
    }

    /// Completes once the model is unmapped and its bytes are given back.
    pub(crate) fn gone(&self) -> impl Future<Output = ()> + use<> {
        let mut gone = self.gone.subscribe();
        async move { while gone.changed().await.is_ok() {} }
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }
}

/// A ready model on loan: it stays in memory for as long as this lives, even when it is evicted meanwhile.
#[derive(Clone, Debug)]
pub struct Lease(pub(crate) Arc<Loaded>);

impl Lease {
    /// The name under which the model was asked for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }
}

impl Deref for Lease {
    type Target = Model;

    fn deref(&self) -> &Model {
        self.0.model()
    }
}

/// A load in progress, seen by those who wait for it.
#[derive(Clone, Debug)]
pub(crate) struct Flight(watch::Receiver<Option<Result<Lease>>>);

impl Flight {
    /// What the load came to.
    ///
    /// # Errors
    /// Those of the load.
    pub(crate) async fn outcome(mut self) -> Result<Lease> {
        let outcome = self.0.wait_for(Option::is_some).await;
        let outcome = outcome.ok().and_then(|outcome| outcome.clone());
        outcome.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "the load was given up")))
    }
}

/// The one who loads: tells the outcome to all who wait.
#[derive(Debug)]
pub(crate) struct Leader(watch::Sender<Option<Result<Lease>>>);

impl Leader {
    pub(crate) fn new() -> (Self, Flight) {
        let (sender, receiver) = watch::channel(None);
        (Self(sender), Flight(receiver))
    }

    pub(crate) fn tell(&self, outcome: Result<Lease>) {
        self.0.send_replace(Some(outcome));
    }
}
