//! A model's way: locate, fetch, unpack, convert, verify, publish, reserve, map.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Shared, conversion::Conversion, footprint::Before, story::Story};
use crate::{
    blocking,
    cache::Key,
    error::{ErrorKind, Result},
    governor::Reservation,
    histogram::micros,
    model::Model,
    registry::Ticket,
    slot::{Arrival, Registration},
    source::Source,
    times::{Step, Steps},
};

/// How often an artifact is converted for one load, where files of the cache do not stay as they are written.
const CONVERSIONS_MAX: usize = 3;

/// One load: what to bring, from where, and who waits for it.
pub(super) struct Order {
    pub(super) ticket: Ticket,
    pub(super) origin: Origin,
    /// As what the model stays known when it leaves memory, if it does.
    pub(super) registration: Option<Arc<Registration>>,
    /// It was in memory before and is not registered anew.
    pub(super) is_return: bool,
}

/// Where an artifact comes from.
pub(super) enum Origin {
    /// A source, under the model's name.
    Source(Arc<dyn Source>),
    /// A file or a directory of this machine.
    Path(PathBuf),
}

/// A model that has been opened, and the bytes that were reserved for it.
pub(super) struct Opened {
    pub(super) key: Key,
    pub(super) model: Model,
    pub(super) reservation: Reservation,
}

impl Shared {
    /// Carries out an order and tells everybody who waits.
    pub(super) async fn load(self: Arc<Self>, order: Order) {
        let Order { ticket, origin, registration, is_return } = order;
        let started = Instant::now();
        let name = Arc::clone(ticket.name());
        let mut story = Story::default();
        match self.bring(&name, &origin, &mut story).await {
            Ok(Opened { key, model, reservation }) => {
                self.note_load(&name, &model, reservation.bytes(), &story, started.elapsed());
                self.refusals.clear(&name);
                let is_pinned = self.pins.contains(&*name);
                let (location, return_us) = (origin.shown(&name), micros(story.steps.of_a_return()));
                if let Some(registration) = registration.as_ref().filter(|_| !is_return) {
                    ticket.register(Arc::clone(registration));
                }
                ticket.publish(Arrival { location, key, is_pinned, return_us, registration }, model, reservation);
            }
            Err(error) => {
                let total_us = micros(started.elapsed());
                tracing::warn!(model = &*name, total_us, error = error.story(), "cannot load");
                self.counters.load_failures.add_one();
                ticket.fail(match origin {
                    Origin::Source(_) => self.refusals.note(&name, error, Instant::now()),
                    Origin::Path(_) => error,
                });
            }
        }
    }

    /// Logs and counts a load that made a model ready.
    pub(super) fn note_load(&self, name: &str, model: &Model, bytes: u64, story: &Story, total: Duration) {
        story.log(name, model, bytes, total);
        self.load_times.observe(&story.steps);
        self.counters.loads.add_one();
        if story.is_cached {
            self.counters.cached_loads.add_one();
        }
    }

    async fn bring(self: &Arc<Self>, name: &str, origin: &Origin, story: &mut Story) -> Result<Opened> {
        let mut clock = Instant::now();
        let _permit = self.load_permits.acquire().await.expect("the permits are never closed");
        story.steps.add(Step::Wait, lap(&mut clock));
        let key = self.locate(name, origin).await?;
        story.steps.add(Step::Locate, lap(&mut clock));
        self.obtain_or_older(name, origin, key, story).await
    }

    /// Opens the conversion of that key, which is made if it is not there. A model that is `spared` does not leave for it, and
    /// neither does more than has to.
    pub(super) async fn obtain(
        self: &Arc<Self>,
        name: &str,
        origin: &Origin,
        key: Key,
        spared: Option<&Key>,
        story: &mut Story,
    ) -> Result<Opened> {
        if let Some(entry) = self.cache.find(&key) {
            match self.open(Conversion::Published(entry.clone()), spared, &mut story.steps).await {
                Ok(opened) => {
                    story.is_cached = true;
                    self.note_latest(name, origin, &entry);
                    return Ok(opened);
                }
                Err(error) if error.kind() == ErrorKind::InvalidArtifact => {
                    tracing::warn!(model = name, error = error.story(), "converting anew");
                    entry.discard();
                }
                // Somebody wanted its room.
                Err(error) if error.kind() == ErrorKind::Io && entry.is_gone() => {}
                Err(error) => return Err(error),
            }
        }
        let mut tries_left = CONVERSIONS_MAX;
        loop {
            tries_left -= 1;
            let conversion = self.convert(name, origin, key, story).await?;
            let entry = conversion.entry().cloned();
            let opened = self.open(conversion, spared, &mut story.steps).await;
            let Some(entry) = entry else { return opened };
            match &opened {
                Ok(_) => self.note_latest(name, origin, &entry),
                Err(error) if tries_left > 0 && entry.was_spoilt(error) => {
                    tracing::warn!(model = name, error = error.story(), "converting anew: somebody got at the file");
                    continue;
                }
                // What cannot be opened now never can, except where memory or a library is short.
                Err(error) if error.kind().is_of_artifact() => entry.discard(),
                Err(_) => {}
            }
            return opened;
        }
    }

    /// Makes room for a conversion and opens it.
    pub(super) async fn open(
        self: &Arc<Self>,
        conversion: Conversion,
        spared: Option<&Key>,
        steps: &mut Steps,
    ) -> Result<Opened> {
        let mut clock = Instant::now();
        let mut reservation = self.reserve(conversion.footprint(), spared).await?;
        steps.add(Step::Reserve, lap(&mut clock));
        let inner = Arc::clone(self);
        let opened = blocking::in_place(move || {
            let before = Before::look(inner.heap_meter);
            let (key, model) = match &conversion {
                Conversion::Published(entry) => (entry.key, Model::open(entry, &inner.runtimes)?),
                Conversion::Held { key, form, bytes } => (*key, Model::of_file(*form, bytes, &inner.runtimes)?),
            };
            before.settle(model.runtime(), &mut reservation);
            Ok(Opened { key, model, reservation })
        });
        let opened = opened.await;
        steps.add(Step::Map, lap(&mut clock));
        opened
    }

    /// What the cache has of the models in memory: their conversions, and what is noted of them.
    pub(super) fn keys(&self) -> HashSet<Key> {
        let loaded = self.registry.loaded();
        let notes = loaded.iter().filter(|loaded| loaded.is_from_source()).filter_map(|loaded| {
            let source = self.source.as_ref()?;
            Some(self.latest(source, &loaded.name))
        });
        notes.chain(loaded.iter().map(|loaded| loaded.key)).collect()
    }
}

impl Origin {
    /// What listings call the place of the model `name`.
    pub(super) fn shown(&self, name: &str) -> String {
        match self {
            Self::Source(_) => name.to_owned(),
            Self::Path(path) => path.display().to_string(),
        }
    }
}

/// The time since `clock`, which then starts anew.
pub(super) fn lap(clock: &mut Instant) -> Duration {
    let lap = clock.elapsed();
    *clock = Instant::now();
    lap
}
