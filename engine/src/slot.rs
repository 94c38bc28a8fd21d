//! One name's state in the registry, and what a request holds while it uses a model.
//!
//! ```text
//! absent ──lead──▶ loading ──publish──▶ ready ──remove──▶ draining ──last lease dropped──▶ gone
//!                     │                                     (no longer in the registry)
//!                     └──fail──▶ absent
//! ```

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::watch;

use crate::{
    error::{Error, ErrorKind, Result},
    governor::{Draining, Reservation},
    model::Model,
};

/// What stands under a name.
#[derive(Debug)]
pub(crate) enum Slot {
    /// Somebody loads it; everybody who asks meanwhile waits for the same outcome.
    Loading(Flight),
    /// In memory.
    Ready(Arc<Loaded>),
}

/// A model in memory with its account. The model is unmapped before its bytes are given back.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) name: Arc<str>,
    /// Where the model came from, as the caller named it.
    pub(crate) location: String,
    /// It leaves only when it is told to.
    pub(crate) is_pinned: bool,
    pub(crate) since: SystemTime,
    model: Model,
    used_at_ms: AtomicU64,
    requests: AtomicU64,
    reported_requests: AtomicU64,
    born: Instant,
    reservation: Reservation,
    draining: std::sync::OnceLock<Draining>,
    gone: watch::Sender<()>,
}

impl Loaded {
    pub(crate) fn new(
        name: Arc<str>,
        location: String,
        is_pinned: bool,
        model: Model,
        reservation: Reservation,
        born: Instant,
    ) -> Self {
        let loaded = Self {
            name,
            location,
            is_pinned,
            since: SystemTime::now(),
            model,
            used_at_ms: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            reported_requests: AtomicU64::new(0),
            born,
            reservation,
            draining: std::sync::OnceLock::new(),
            gone: watch::Sender::new(()),
        };
        loaded.touch();
        loaded
    }

    /// Notes that the model is wanted now.
    pub(crate) fn touch(&self) {
        let now_ms = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.used_at_ms.store(now_ms, Ordering::Relaxed);
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

    /// When the model was last wanted, on the registry's clock.
    pub(crate) fn used_at(&self) -> Duration {
        Duration::from_millis(self.used_at_ms.load(Ordering::Relaxed))
    }

    /// Memory that comes back when the model goes.
    pub(crate) fn bytes(&self) -> u64 {
        self.reservation.bytes()
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
