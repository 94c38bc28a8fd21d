//! Requests that wait for models: half of what there is room for at the most, so that others are answered while many wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::failure::{Class, Failure};

/// How many requests may wait for models, with bodies of how many bytes.
#[derive(Debug)]
pub(crate) struct Waiting {
    requests_max: usize,
    body_bytes_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    requests: usize,
    body_bytes: usize,
}

/// A request's place among those that wait, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    waiting: Arc<Waiting>,
    body_bytes: usize,
}

impl Waiting {
    /// Half of the requests that there are connections for, and of the bytes that bodies may take.
    pub(crate) fn new(connections_max: usize, bodies_bytes_max: usize) -> Arc<Self> {
        let requests_max = (connections_max / 2).max(1);
        Arc::new(Self { requests_max, body_bytes_max: bodies_bytes_max / 2, taken: Mutex::default() })
    }

    /// A place for a request with a body of so many bytes. One alone always has it.
    ///
    /// # Errors
    /// [`Class::Busy`] where others have taken them all.
    pub(crate) fn place(self: &Arc<Self>, body_bytes: usize) -> Result<Place, Failure> {
        let mut taken = self.taken();
        let is_full = taken.requests >= self.requests_max || taken.body_bytes + body_bytes > self.body_bytes_max;
        if is_full && taken.requests > 0 {
            let message = format!("{} requests wait for models already", taken.requests);
            return Err(Failure::new(Class::Busy, message));
        }
        taken.requests += 1;
        taken.body_bytes += body_bytes;
        drop(taken);
        Ok(Place { waiting: Arc::clone(self), body_bytes })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Two numbers that are never half written: a panic elsewhere does not spoil them.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.waiting.taken();
        taken.requests -= 1;
        taken.body_bytes -= self.body_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_all_may_wait() {
        let waiting = Waiting::new(6, 100);
        let refused = |bytes| waiting.place(bytes).unwrap_err().class();
        let first = waiting.place(30).unwrap();
        assert_eq!(refused(21), Class::Busy);
        let others = [waiting.place(20).unwrap(), waiting.place(0).unwrap()];
        assert_eq!(refused(0), Class::Busy);
        drop((first, others));
        assert!(waiting.place(50).is_ok());
    }

    #[test]
    fn one_alone_may_always_wait() {
        let waiting = Waiting::new(1, 100);
        let place = waiting.place(100).unwrap();
        assert_eq!(waiting.place(0).unwrap_err().class(), Class::Busy);
        drop(place);
        assert!(waiting.place(100).is_ok());
    }
}
