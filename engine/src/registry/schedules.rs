//! A name's life in every order in which threads can go through it: shuttle runs each script thousands of times, each time
//! with another schedule of its threads, and says which one broke it.

use std::{path::PathBuf, time::SystemTime};

use shuttle::{future::block_on, thread};
use thicket_converters::{onnx, read_booster};

use super::*;
use crate::{
    compile::compile,
    governor::{Admission, Governor},
    pack::Pack,
    reading::Reading,
    sample::TREE,
};

/// Schedules of each kind for each script.
const SCHEDULES: usize = 5000;
/// Of those kinds one runs the threads after priorities that change at so many points.
const CHANGES: usize = 4;

const NAME: &str = "a";
/// What a model takes, and all may take.
const BYTES: u64 = 10;

/// An empty registry, and a governor with room for one model.
#[derive(Clone)]
struct Stage {
    registry: Arc<Registry>,
    governor: Arc<Governor>,
}

impl Stage {
    fn new() -> Self {
        Self::with_room(1)
    }

    fn with_room(models: u64) -> Self {
        Self { registry: Registry::new(), governor: Governor::new(models * BYTES) }
    }

    /// With the model in memory, and room for so many.
    fn loaded(models: u64) -> Self {
        let stage = Self::with_room(models);
        let Claim::Lead(ticket) = stage.registry.claim(NAME) else { panic!("a new name") };
        stage.publish(ticket, None);
        stage
    }

    fn publish(&self, ticket: Ticket, registration: Option<Arc<Registration>>) {
        ticket.publish(arrival("old", registration), model(), self.reserved());
    }

    fn reserved(&self) -> Reservation {
        let Admission::Granted(reservation) = self.governor.admit(BYTES) else { panic!("too many models in memory") };
        reservation
    }

    /// The model, loaded if this caller is the first; whether it was, and what came of it.
    fn model(&self) -> (bool, Result<Lease>) {
        match self.registry.claim(NAME) {
            Claim::Ready(lease) => (false, Ok(lease)),
            Claim::Wait(flight) => (false, block_on(flight.outcome())),
            Claim::Lead(ticket) => {
                let flight = ticket.flight();
                self.publish(ticket, None);
                (true, block_on(flight.outcome()))
            }
        }
    }

    fn used_bytes(&self) -> u64 {
        self.governor.memory().used_bytes
    }

    /// All bytes have come back, those on their way too.
    fn expect_empty(&self) {
        assert_eq!((self.used_bytes(), self.registry.count()), (0, 0));
        assert!(matches!(self.governor.admit(BYTES), Admission::Granted(_)));
    }
}

fn key(version: &str) -> Key {
    Key::new("", NAME, version, Reading::default())
}

fn arrival(version: &str, registration: Option<Arc<Registration>>) -> Arrival {
    Arrival { location: NAME.to_owned(), key: key(version), is_pinned: false, return_us: 1, registration }
}

fn model() -> Model {
    let booster = read_booster(TREE.as_bytes()).unwrap();
    let draft = compile(&onnx::lower(&booster).unwrap()).unwrap();
    Model::forest(Pack::from_bytes(&draft.write()).unwrap())
}

fn registration() -> Arc<Registration> {
    Arc::new(Registration { path: PathBuf::new(), since: SystemTime::now() })
}

fn explore(script: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(script.clone(), SCHEDULES);
    shuttle::check_pct(script, SCHEDULES, CHANGES);
}

#[test]
fn however_many_ask_one_loads_and_all_get_the_same() {
    explore(|| {
        let stage = Stage::new();
        let asking = (0..3).map(|_| {
            let stage = stage.clone();
            thread::spawn(move || stage.model())
        });
        let asking: Vec<_> = asking.collect();
        let answers: Vec<_> = asking.into_iter().map(|one| one.join().unwrap()).collect();
        assert_eq!(answers.iter().filter(|(has_loaded, _)| *has_loaded).count(), 1);
        let leases: Vec<_> = answers.into_iter().map(|(_, lease)| lease.unwrap()).collect();
        assert!(leases.iter().all(|lease| Arc::ptr_eq(&lease.0, &leases[0].0)));
        assert_eq!(stage.used_bytes(), BYTES);
    });
}

#[test]
fn a_model_leaves_once_and_not_before_its_last_lease() {
    explore(|| {
        let stage = Stage::loaded(1);
        let leaving = |is_eviction: bool| {
            let stage = stage.clone();
            move || match is_eviction {
                true => stage.registry.loaded().iter().filter(|loaded| stage.registry.evict(loaded)).count(),
                false => {
                    let Some(loaded) = stage.registry.remove(NAME) else { return 0 };
                    let gone = loaded.gone();
                    drop(loaded);
                    block_on(gone);
                    assert_eq!(stage.used_bytes(), 0, "it is said to be gone");
                    1
                }
            }
        };
        let reader = stage.clone();
        let reader = thread::spawn(move || {
            let Some(lease) = reader.registry.ready(NAME) else { return };
            lease.0.count_request();
            thread::yield_now();
            assert_eq!((lease.features(), reader.used_bytes()), (Some(2), BYTES), "it is on loan");
        });
        let (evicting, unloading) = (thread::spawn(leaving(true)), thread::spawn(leaving(false)));
        reader.join().unwrap();
        assert_eq!(evicting.join().unwrap() + unloading.join().unwrap(), 1);
        stage.expect_empty();
    });
}

#[test]
fn what_is_replaced_is_never_missing() {
    explore(|| {
        let stage = Stage::loaded(2);
        let (asker, refresher) = (stage.clone(), stage.clone());
        let asking = thread::spawn(move || {
            for _ in 0..3 {
                assert!(asker.registry.ready(NAME).is_some());
            }
        });
        let refreshing = thread::spawn(move || {
            let (name, reservation) = (Arc::from(NAME), refresher.reserved());
            let past = refresher.registry.replace(&name, &key("old"), arrival("new", None), model(), reservation);
            assert_eq!(past.unwrap().key, key("old"));
        });
        asking.join().unwrap();
        refreshing.join().unwrap();
        assert_eq!((stage.used_bytes(), stage.governor.has_arrivals()), (BYTES, false));
        drop(stage.registry.remove(NAME).unwrap());
        assert_eq!((stage.used_bytes(), stage.registry.count()), (0, 0));
    });
}

#[test]
fn what_is_replaced_while_it_leaves_is_gone_or_new() {
    explore(|| {
        let stage = Stage::loaded(2);
        let (evicter, refresher) = (stage.clone(), stage.clone());
        let evicting = thread::spawn(move || {
            evicter.registry.loaded().iter().filter(|loaded| evicter.registry.evict(loaded)).count()
        });
        let refreshing = thread::spawn(move || {
            let (name, reservation) = (Arc::from(NAME), refresher.reserved());
            let past = refresher.registry.replace(&name, &key("old"), arrival("new", None), model(), reservation);
            past.is_some()
        });
        let (evicted, is_replaced) = (evicting.join().unwrap(), refreshing.join().unwrap());
        let left = stage.registry.loaded();
        assert!(left.iter().all(|loaded| loaded.key == key("new") && is_replaced));
        assert_eq!(left.len() + evicted, 1);
        assert_eq!(stage.used_bytes(), left.len() as u64 * BYTES);
    });
}

#[test]
fn what_is_unloaded_on_its_way_back_stays_away() {
    explore(|| {
        let stage = Stage::new();
        let known = registration();
        stage.registry.registered.insert(Arc::from(NAME), Arc::clone(&known));
        let (loader, unloader) = (stage.clone(), stage.clone());
        let loading = thread::spawn(move || {
            let Claim::Lead(ticket) = loader.registry.claim(NAME) else { panic!("nobody else loads it") };
            loader.publish(ticket, Some(known));
        });
        let unloading = thread::spawn(move || {
            assert!(unloader.registry.unregister(NAME));
            drop(unloader.registry.remove(NAME));
        });
        loading.join().unwrap();
        unloading.join().unwrap();
        assert!(stage.registry.registration(NAME).is_none());
        stage.expect_empty();
    });
}

#[test]
fn a_load_that_is_given_up_leaves_no_trace_and_nobody_waiting() {
    explore(|| {
        let stage = Stage::new();
        let (giver, asker) = (stage.clone(), stage.clone());
        let giving_up = thread::spawn(move || drop(giver.registry.claim(NAME)));
        let asking = thread::spawn(move || asker.model().1.is_ok());
        giving_up.join().unwrap();
        let is_loaded = asking.join().unwrap();
        assert_eq!(stage.registry.ready(NAME).is_some(), is_loaded);
        assert_eq!(matches!(stage.registry.claim(NAME), Claim::Lead(_)), !is_loaded);
    });
}
