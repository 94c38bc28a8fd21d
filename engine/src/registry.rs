//! Names → models in memory: a sharded map whose every step is short, without I/O and without dropping a model under a
//! lock.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dashmap::{DashMap, Entry};

use crate::{
    error::{Error, ErrorKind, Result},
    governor::{Reservation, policy::Resident},
    model::Model,
    slot::{Flight, Leader, Lease, Loaded, Slot},
};

#[derive(Debug)]
pub(crate) struct Registry {
    slots: DashMap<Arc<str>, Slot>,
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
        Arc::new(Self { slots: DashMap::new(), born: Instant::now() })
    }

    /// The model of that name if it is in memory.
    pub(crate) fn ready(&self, name: &str) -> Option<Lease> {
        match self.slots.get(name)?.value() {
            Slot::Ready(loaded) => Some(lend(loaded)),
            Slot::Loading(_) => None,
        }
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
                Some(loaded)
            }
            Slot::Loading(_) => None,
        }
    }

    /// Every model in memory, in no order.
    pub(crate) fn loaded(&self) -> Vec<Arc<Loaded>> {
        let ready = |slot: &Slot| match slot {
            Slot::Ready(loaded) => Some(Arc::clone(loaded)),
            Slot::Loading(_) => None,
        };
        self.slots.iter().filter_map(|slot| ready(slot.value())).collect()
    }

    /// How many models are in memory.
    pub(crate) fn count(&self) -> usize {
        self.slots.iter().filter(|slot| matches!(slot.value(), Slot::Ready(_))).count()
    }

    /// Every model in memory, sorted by name.
    pub(crate) fn models(&self) -> Vec<Arc<Loaded>> {
        let mut models = self.loaded();
        models.sort_by(|one, other| one.name.cmp(&other.name));
        models
    }

    /// How long the registry has existed: the clock of every `used_at`.
    pub(crate) fn age(&self) -> Duration {
        self.born.elapsed()
    }
}

fn lend(loaded: &Arc<Loaded>) -> Lease {
    loaded.touch();
    Lease(Arc::clone(loaded))
}

/// What the policy sees of a model in memory.
pub(crate) fn resident(loaded: &Loaded) -> Resident {
    Resident { bytes: loaded.bytes(), used_at: loaded.used_at(), is_pinned: loaded.is_pinned }
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

    /// Makes the model ready and lends it to all who wait.
    pub(crate) fn publish(mut self, location: String, is_pinned: bool, model: Model, reservation: Reservation) {
        let name = Arc::clone(&self.name);
        let loaded = Arc::new(Loaded::new(name, location, is_pinned, model, reservation, self.registry.born));
        self.registry.slots.insert(Arc::clone(&self.name), Slot::Ready(Arc::clone(&loaded)));
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
