//! What threads share: locks, counters and maps. In the tests of `make schedules` those of a scheduler that tries out in which
//! order threads may run (`--cfg shuttle`).

#[cfg(not(all(test, shuttle)))]
mod real {
    pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicU64};

    pub(crate) use dashmap::{DashMap as Map, Entry};
}
#[cfg(all(test, shuttle))]
mod scheduled;

#[cfg(not(all(test, shuttle)))]
pub(crate) use real::{AtomicU64, Entry, Map, Mutex, MutexGuard};
#[cfg(all(test, shuttle))]
pub(crate) use scheduled::{AtomicU64, Entry, Map, Mutex, MutexGuard};
