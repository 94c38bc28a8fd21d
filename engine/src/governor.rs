//! The governor: an account of the memory that models take, against a budget.
//!
//! Bytes are reserved before a model is mapped and come back when its last lease is dropped. Who leaves to make room is
//! decided by [`policy`], a pure function; the registry carries it out.

pub(crate) mod cgroup;
pub(crate) mod limit;
pub(crate) mod policy;
pub(crate) mod pressure;
pub(crate) mod worth;

use std::{
    mem,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::sync::Notify;

use crate::{
    histogram::Histogram,
    sync::{Mutex, MutexGuard},
};

/// Memory that models take and may take, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What all models together may take.
    pub limit_bytes: u64,
    /// What they take now, with those that are leaving but still on loan.
    pub used_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Governor {
    limit_bytes: u64,
    account: Mutex<Account>,
    changed: Notify,
    /// From the moment at which bytes began to come back until they had.
    pub(crate) drains: Histogram,
}

#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "their unit")]
struct Account {
    used_bytes: u64,
    /// The part of it whose models have left the registry and wait for their last lease.
    draining_bytes: u64,
    /// The part of it whose models are not in the registry yet.
    arriving_bytes: u64,
}

/// What a reservation of some bytes comes to now.
#[derive(Debug)]
pub(crate) enum Admission {
    /// The bytes are reserved.
    Granted(Reservation),
    /// Nothing fits until models that take `missing_bytes` leave; 0 when enough are on their way out.
    Full { missing_bytes: u64 },
    /// The budget is smaller than that altogether.
    Never,
}

impl Governor {
    pub(crate) fn new(limit_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            limit_bytes,
            account: Mutex::new(Account::default()),
            changed: Notify::new(),
            drains: Histogram::default(),
        })
    }

    pub(crate) fn memory(&self) -> Memory {
        Memory { limit_bytes: self.limit_bytes, used_bytes: self.account().used_bytes }
    }

    /// Tries to reserve `bytes`.
    pub(crate) fn admit(self: &Arc<Self>, bytes: u64) -> Admission {
        if bytes > self.limit_bytes {
            return Admission::Never;
        }
        let mut account = self.account();
        let free_bytes = self.limit_bytes.saturating_sub(account.used_bytes);
        if bytes <= free_bytes {
            account.used_bytes += bytes;
            account.arriving_bytes += bytes;
            let is_arriving = AtomicBool::new(true);
            return Admission::Granted(Reservation { governor: Arc::clone(self), bytes, is_arriving });
        }
        let missing_bytes = account.used_bytes + bytes - self.limit_bytes;
        Admission::Full { missing_bytes: missing_bytes.saturating_sub(account.draining_bytes) }
    }

    /// Completes at the next time that bytes come back, or are those of a model that may leave, after this call.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + '_ {
        self.changed.notified()
    }

    /// Whether bytes are taken by models that have not arrived, so that nobody can make them leave yet.
    pub(crate) fn has_arrivals(&self) -> bool {
        self.account().arriving_bytes > 0
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        // The account is some numbers that are never half written: a panic elsewhere does not spoil it.
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes taken from the budget until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    governor: Arc<Governor>,
    bytes: u64,
    is_arriving: AtomicBool,
}

impl Reservation {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sets it to the `bytes` that the model was seen to take. They may be more than were granted, even more than there were: those
    /// who come next make room for them.
    pub(crate) fn resize(&mut self, bytes: u64) {
        let before = mem::replace(&mut self.bytes, bytes);
        let mut account = self.governor.account();
        account.used_bytes = account.used_bytes - before + bytes;
        if self.is_arriving.load(Ordering::Relaxed) {
            account.arriving_bytes = account.arriving_bytes - before + bytes;
        }
        drop(account);
        self.governor.changed.notify_waiters();
    }

    /// Says that the model is where all who need room find it.
    pub(crate) fn arrive(&self) {
        self.settle(&mut self.governor.account());
        self.governor.changed.notify_waiters();
    }

    /// Counts the bytes as those of a model that has arrived, or never will.
    fn settle(&self, account: &mut Account) {
        if self.is_arriving.swap(false, Ordering::Relaxed) {
            account.arriving_bytes -= self.bytes;
        }
    }

    /// Marks the bytes as coming back once this is dropped.
    pub(crate) fn drain(&self) -> Draining {
        self.governor.account().draining_bytes += self.bytes;
        Draining { governor: Arc::clone(&self.governor), bytes: self.bytes, since: Instant::now() }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut account = self.governor.account();
        self.settle(&mut account);
        account.used_bytes -= self.bytes;
        drop(account);
        self.governor.changed.notify_waiters();
    }
}

/// Bytes on their way back; dropped after the reservation they belong to.
#[derive(Debug)]
pub(crate) struct Draining {
    governor: Arc<Governor>,
    bytes: u64,
    since: Instant,
}

impl Drop for Draining {
    fn drop(&mut self) {
        self.governor.account().draining_bytes -= self.bytes;
        self.governor.drains.observe(self.since.elapsed());
        self.governor.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(governor: &Arc<Governor>, bytes: u64) -> Reservation {
        match governor.admit(bytes) {
            Admission::Granted(reservation) => reservation,
            refused => panic!("{bytes} bytes: {refused:?}"),
        }
    }

    #[test]
    fn bytes_are_taken_and_given_back() {
        let governor = Governor::new(100);
        let reservation = granted(&governor, 60);
        assert_eq!(governor.memory(), Memory { limit_bytes: 100, used_bytes: 60 });
        assert!(governor.has_arrivals());
        reservation.arrive();
        assert!(!governor.has_arrivals());
        assert!(matches!(governor.admit(50), Admission::Full { missing_bytes: 10 }));
        let draining = reservation.drain();
        assert!(matches!(governor.admit(50), Admission::Full { missing_bytes: 0 }));
        drop(reservation);
        drop(draining);
        drop(granted(&governor, 100));
        let mut measured = granted(&governor, 60);
        measured.resize(30);
        assert_eq!(governor.memory().used_bytes, 30);
        measured.resize(130);
        assert!(matches!(governor.admit(10), Admission::Full { missing_bytes: 40 }));
        drop(measured);
        assert_eq!((governor.memory().used_bytes, governor.has_arrivals()), (0, false));
        assert!(matches!(governor.admit(101), Admission::Never));
    }
}
