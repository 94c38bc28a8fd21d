//! Names → models in memory: a sharded map whose every step is short, without I/O and without dropping a model under a
//! lock.

#[cfg(all(test, shuttle))]
mod schedules;

use std::{
    sync::{Arc, PoisonError},
    time::Instant,
};

use crate::{
    cache::Key,
    error::{Error, ErrorKind, Result},
    governor::{
        Reservation,
        worth::{Ledger, Worth},
    },
    model::Model,
    slot::{Arrival, Flight, Leader, Lease, Loaded, Registration, Slot},
    sync::{Entry, Map, Mutex, MutexGuard},
};

#[derive(Debug)]
pub(crate) struct Registry {
    slots: Map<Arc<str>, Slot>,
    /// Locked before a slot is, never after.
    registered: Map<Arc<str>, Arc<Registration>>,
    ledger: Mutex<Ledger>,
    born: Instant,
}

/// What a caller who wants a model has to do next.
#[derive(Debug)]
pub(crate) enum Claim {
    /// Use it.
    Ready(Lease),
    /// Wait for it.
    Wait(Flight),
    /// Load it: this caller is the first.
    Lead(Ticket),
}

impl Registry {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            slots: Map::new(),
            registered: Map::new(),
            ledger: Mutex::new(Ledger::default()),
            born: Instant::now(),
        })
    }

    /// The model of that name if it is in memory.
    pub(crate) fn ready(&self, name: &str) -> Option<Lease> {
        self.slots.get(name)?.ready().map(lend)
    }

    /// Joins whatever goes on under that name, or starts it.
    pub(crate) fn claim(self: &Arc<Self>, name: &str) -> Claim {
        if let Some(lease) = self.ready(name) {
            return Claim::Ready(lease);
        }
        match self.slots.entry(Arc::from(name)) {
            Entry::Occupied(slot) => match slot.get() {
                Slot::Ready(loaded) => Claim::Ready(lend(loaded)),
                Slot::Loading(flight) => Claim::Wait(flight.clone()),
            },
            Entry::Vacant(slot) => {
                let (leader, flight) = Leader::new();
                let name = Arc::clone(slot.key());
                slot.insert(Slot::Loading(flight.clone()));
                Claim::Lead(Ticket { registry: Arc::clone(self), name, leader, flight, is_settled: false })
            }
        }
    }

    /// What is known of a model that was loaded from a path, and not unloaded since.
    pub(crate) fn registration(&self, name: &str) -> Option<Arc<Registration>> {
        self.registered.get(name).map(|registration| Arc::clone(&registration))
    }

    /// The names of all models in memory and of those that were loaded from a path and not unloaded since, sorted.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        // Registrations first: what leaves or comes meanwhile is then there twice, not missing.
        let mut names: Vec<_> = self.registered.iter().map(|entry| Arc::clone(entry.key())).collect();
        names.extend(self.slots.iter().filter(|slot| slot.ready().is_some()).map(|slot| Arc::clone(slot.key())));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Forgets that a model was loaded from a path; whether it was.
    pub(crate) fn unregister(&self, name: &str) -> bool {
        self.registered.remove(name).is_some()
    }

    /// Takes the ready model of that name out; it drains.
    pub(crate) fn remove(&self, name: &str) -> Option<Arc<Loaded>> {
        self.remove_if(name, |_| true)
    }

    /// Takes out `loaded` if it is still what stands under its name.
    pub(crate) fn evict(&self, loaded: &Arc<Loaded>) -> bool {
        self.remove_if(&loaded.name, |found| Arc::ptr_eq(found, loaded)).is_some()
    }

    fn remove_if(&self, name: &str, is_meant: impl Fn(&Arc<Loaded>) -> bool) -> Option<Arc<Loaded>> {
        let is_meant = |_: &Arc<str>, slot: &Slot| matches!(slot, Slot::Ready(loaded) if is_meant(loaded));
        match self.slots.remove_if(name, is_meant)?.1 {
            Slot::Ready(loaded) => {
                loaded.drain();
                let models = self.slots.len();
                self.ledger().remembered.keep(&loaded.name, loaded.worth(), models);
                Some(loaded)
            }
            Slot::Loading(_) => None,
        }
    }

    /// The model of that name if it is in memory, for who does not want it.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Loaded>> {
        self.slots.get(name)?.ready().map(Arc::clone)
    }

    /// Puts a model in the place of the conversion `old` of the same name, which drains, if that is still there; the one that
    /// left.
    pub(crate) fn replace(
        &self,
        name: &Arc<str>,
        old: &Key,
        arrival: Arrival,
        model: Model,
        reservation: Reservation,
    ) -> Option<Arc<Loaded>> {
        let loaded = Loaded::new(Arc::clone(name), arrival, model, reservation, Worth::NONE, self.born);
        let past = self.find(name).filter(|past| past.key == *old)?;
        let fresh = Arc::new(loaded.in_place_of(&past));
        {
            let mut slot = self.slots.get_mut(name)?;
            match slot.value_mut() {
                Slot::Ready(found) if Arc::ptr_eq(found, &past) => *found = Arc::clone(&fresh),
                _ => return None,
            }
        }
        fresh.arrive();
        past.drain();
        Some(past)
    }

    /// Every model in memory, in no order.
    pub(crate) fn loaded(&self) -> Vec<Arc<Loaded>> {
        self.slots.iter().filter_map(|slot| slot.ready().map(Arc::clone)).collect()
    }

    /// How many models are in memory.
    pub(crate) fn count(&self) -> usize {
        self.slots.iter().filter(|slot| slot.ready().is_some()).count()
    }

    /// Every model in memory, in no order, with all requests so far counted into its worth.
    pub(crate) fn appraised(&self) -> Vec<Arc<Loaded>> {
        let loaded = self.loaded();
        let mut ledger = self.ledger();
        let fresh: Vec<u64> = loaded.iter().map(|loaded| loaded.unappraised_requests()).collect();
        ledger.clock.tick(fresh.iter().sum(), loaded.len());
        for (loaded, requests) in loaded.iter().zip(fresh) {
            loaded.appraise(requests, ledger.clock);
        }
        drop(ledger);
        loaded
    }

    /// Requests for a model as they count now: its popularity.
    pub(crate) fn popularity(&self, loaded: &Loaded) -> f64 {
        loaded.worth().requests(self.ledger().clock)
    }

    /// What a model that arrives is worth: what it was worth when it left, and the request that brings it.
    fn worth_on_arrival(&self, name: &str) -> Worth {
        let mut ledger = self.ledger();
        let models = self.slots.len();
        ledger.clock.tick(1, models);
        ledger.remembered.recall(name).and(1, ledger.clock)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Worths are estimates, right or wrong: a panic elsewhere does not spoil them.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lend(loaded: &Arc<Loaded>) -> Lease {
    loaded.touch();
    Lease(Arc::clone(loaded))
}

/// The duty to load a model. Dropped without an outcome, it tells those who wait that the load was given up.
#[derive(Debug)]
pub(crate) struct Ticket {
    registry: Arc<Registry>,
    name: Arc<str>,
    leader: Leader,
    flight: Flight,
    is_settled: bool,
}

impl Ticket {
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// To wait for the outcome like everybody else.
    pub(crate) fn flight(&self) -> Flight {
        self.flight.clone()
    }

    /// Registers the name until it is unloaded, before the first publication.
    pub(crate) fn register(&self, registration: Arc<Registration>) {
        self.registry.registered.insert(Arc::clone(&self.name), registration);
    }

    /// Makes the model ready and lends it to all who wait; one that was unloaded on its way back stays away.
    pub(crate) fn publish(mut self, arrival: Arrival, model: Model, reservation: Reservation) {
        let registry = Arc::clone(&self.registry);
        let expected = arrival.registration.clone();
        // Held until the slot is ready, so that nobody unloads the one and misses the other.
        let registered = expected.as_ref().and_then(|_| registry.registered.get(&self.name));
        if expected.is_some_and(|expected| !registered.as_ref().is_some_and(|found| Arc::ptr_eq(found, &expected))) {
            drop(registered);
            return self.clear(Error::new(ErrorKind::NotLoaded, "the model was unloaded meanwhile"));
        }
        let worth = registry.worth_on_arrival(&self.name);
        let loaded = Arc::new(Loaded::new(Arc::clone(&self.name), arrival, model, reservation, worth, registry.born));
        registry.slots.insert(Arc::clone(&self.name), Slot::Ready(Arc::clone(&loaded)));
        loaded.arrive();
        drop(registered);
        self.is_settled = true;
        self.leader.tell(Ok(Lease(loaded)));
    }

    /// Clears the slot and tells all who wait why.
    pub(crate) fn fail(mut self, error: Error) {
        self.clear(error);
    }

    fn clear(&mut self, error: Error) {
        self.is_settled = true;
        self.registry.slots.remove(&self.name);
        self.leader.tell(Err(error));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_settled {
            self.clear(Error::new(ErrorKind::Internal, "the load was given up"));
        }
    }
}

/// `NotLoaded` for that name.
pub(crate) fn not_loaded<T>(name: &str) -> Result<T> {
    Err(Error::new(ErrorKind::NotLoaded, format!("model {name:?} is not loaded")))
}
