//! The account of what all requests' bodies take together.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;

use crate::failure::{Class, Failure};

/// What bodies may take unless it was set, where there is that much memory.
const BYTES_MAX: usize = 256 << 20;

/// Models may take so many times as much.
const MODELS_SHARE: u64 = 8;

/// How many bytes bodies may take together, and take.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes_max: usize,
    taken_bytes: AtomicUsize,
}

/// One body's part of the budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

/// A body and its share, which are given back together.
#[derive(Debug)]
pub(crate) struct Held {
    body: Bytes,
    _share: Share,
}

impl Budget {
    /// `wanted` bytes, else an eighth of what models may take, up to 256 MiB; the largest body always fits alone.
    pub(crate) fn new(wanted: Option<usize>, models_bytes_max: u64, body_bytes_max: usize) -> Self {
        let affordable = || usize::try_from(models_bytes_max / MODELS_SHARE).unwrap_or(usize::MAX);
        let bytes_max = wanted.unwrap_or_else(|| affordable().min(BYTES_MAX)).max(body_bytes_max);
        Self::of(bytes_max)
    }

    /// So many bytes.
    pub(crate) fn of(bytes_max: usize) -> Self {
        Self { bytes_max, taken_bytes: AtomicUsize::new(0) }
    }

    /// How many bytes bodies may take together.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// A share of no bytes.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0 }
    }
}

impl Share {
    /// Makes it a share of at least so many bytes.
    ///
    /// # Errors
    /// [`Class::Busy`], at once, where other bodies have taken them.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), Failure> {
        let bytes_max = self.budget.bytes_max;
        let more = bytes.saturating_sub(self.bytes);
        let grown = |taken: usize| taken.checked_add(more).filter(|&taken| taken <= bytes_max);
        let full = |_| Failure::new(Class::Busy, format!("the bodies of requests take {bytes_max} bytes already"));
        self.budget.taken_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).map_err(full)?;
        self.bytes += more;
        Ok(())
    }

    /// The body that holds the share until it is dropped.
    pub(crate) fn held_by(self, body: Bytes) -> Held {
        Held { body, _share: self }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.taken_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back_with_the_body() {
        let budget = Arc::new(Budget::new(Some(10), 0, 4));
        let (mut first, mut second) = (budget.share(), budget.share());
        first.grow_to(6).unwrap();
        first.grow_to(5).unwrap();
        second.grow_to(4).unwrap();
        assert_eq!(second.grow_to(5).unwrap_err().class(), Class::Busy);
        let body = first.held_by(Bytes::from_static(b"123456"));
        assert!(second.grow_to(5).is_err());
        assert_eq!(&*body, b"123456");
        drop(body);
        second.grow_to(10).unwrap();
        assert!(second.grow_to(usize::MAX).is_err());
        drop(second);
        assert_eq!(budget.taken_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_budget_fits_the_machine_and_the_largest_body() {
        let bytes_max = |wanted, models, body| Budget::new(wanted, models, body).bytes_max;
        assert_eq!(bytes_max(None, 1 << 40, 6 << 20), 256 << 20);
        assert_eq!(bytes_max(None, 800 << 20, 6 << 20), 100 << 20);
        assert_eq!(bytes_max(None, 1000, 6 << 20), 6 << 20);
        assert_eq!(bytes_max(Some(1 << 30), 1000, 6 << 20), 1 << 30);
        assert_eq!(bytes_max(Some(1), 1000, 6 << 20), 6 << 20);
    }
}
