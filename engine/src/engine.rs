//! The engine: a source, a cache, a registry and a governor, and the way a model takes through them.

mod builder;
mod conversion;
mod footprint;
mod keeper;
mod listing;
mod load;
mod locate;
mod older;
mod popular;
mod probe;
mod refresh;
mod room;
mod story;
mod sweep;
mod trim;
mod workshop;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant, SystemTime},
};

use tokio::{runtime::Handle, sync::Semaphore};

pub use builder::Builder;
pub use footprint::HeapMeter;
pub use listing::{ModelInfo, Standing};
use load::{Order, Origin};
use workshop::Workshop;

use crate::{
    artifact::Limits,
    cache::Cache,
    convert::Converter,
    counts::{Counters, Counts},
    departures::Departures,
    error::{Error, ErrorKind, Result},
    governor::{Governor, Memory},
    outage::Outage,
    popularity::{Popular, Popularity},
    reason::Reason,
    refusals::Refusals,
    registry::{Claim, Registry, not_loaded},
    runtimes::Runtimes,
    slot::{Lease, Registration},
    source::Source,
    times::{LoadTimes, Times},
};

/// Serves the models of one source, and those it is told to load, from bounded memory.
///
/// Cheap to clone; all clones are one engine.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    source: Option<Arc<dyn Source>>,
    cache: Cache,
    registry: Arc<Registry>,
    governor: Arc<Governor>,
    runtimes: Runtimes,
    limits: Limits,
    heap_meter: Option<HeapMeter>,
    /// How long a model stays in memory at least while others can leave.
    residency_min: Duration,
    /// How long nobody may ask for a model until it leaves.
    idle_max: Option<Duration>,
    converter: Converter,
    counters: Arc<Counters>,
    load_times: LoadTimes,
    popularity: Popularity,
    departures: Departures,
    refusals: Refusals,
    /// States of artifacts that are broken, by their keys.
    broken: Refusals,
    outage: Outage,
    /// Names of models that leave memory only when they are told to.
    pins: HashSet<String>,
    /// Popular models are being brought: what is in memory says nothing of popularity yet.
    is_preloading: AtomicBool,
    /// Loads that may fetch and convert at once: what bounds their memory.
    load_permits: Semaphore,
    load_permits_max: usize,
    workshop: Workshop,
    /// Held while room is made, so that two loads do not evict for each other's bytes.
    admission: tokio::sync::Mutex<()>,
    /// Where loads run.
    runtime: Handle,
}

impl Engine {
    /// Options first, then [`Builder::build`].
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The model of that name, brought back when it was [loaded](Self::load) and has left memory, and else loaded from the
    /// source when it is not in memory.
    ///
    /// However many callers ask for a cold model, it is loaded once; a caller who stops waiting does not stop the load.
    ///
    /// After a load that failed, callers get its error for a while: for a second where the source has no such artifact, and for
    /// longer each time where it is broken, up to a minute.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the source has no such artifact, and whatever makes a load fail.
    pub async fn model(&self, name: &str) -> Result<Lease> {
        let lease = self.lease(name).await?;
        lease.0.count_request();
        Ok(lease)
    }

    async fn lease(&self, name: &str) -> Result<Lease> {
        if let Some(lease) = self.0.registry.ready(name) {
            return Ok(lease);
        }
        if let Some(registration) = self.0.registry.registration(name) {
            return self.bring(name, Origin::Path(registration.path.clone()), Some(registration)).await;
        }
        let Some(source) = &self.0.source else { return not_loaded(name) };
        if let Some(error) = self.0.refusals.standing(name, Instant::now()) {
            return Err(error);
        }
        self.bring(name, Origin::Source(Arc::clone(source)), None).await
    }

    /// Waits for the load of `name`, which is started if nobody has.
    async fn bring(&self, name: &str, origin: Origin, registration: Option<Arc<Registration>>) -> Result<Lease> {
        let flight = match self.0.registry.claim(name) {
            Claim::Ready(lease) => return Ok(lease),
            Claim::Wait(flight) => flight,
            Claim::Lead(ticket) => {
                let flight = ticket.flight();
                self.start(Order { ticket, origin, registration, is_return: true });
                flight
            }
        };
        flight.outcome().await
    }

    /// The model of that name if it was [loaded](Self::load) and not unloaded since, brought back if it has left memory, or
    /// if it is in memory for another reason. The source is not asked.
    ///
    /// # Errors
    /// [`ErrorKind::NotLoaded`], and whatever makes a load fail.
    pub async fn recall(&self, name: &str) -> Result<Lease> {
        if self.is_loaded(name) { self.model(name).await } else { not_loaded(name) }
    }

    /// Whether a model of that name is in memory, or was [loaded](Self::load) and comes back on demand.
    #[must_use]
    pub fn is_loaded(&self, name: &str) -> bool {
        self.0.registry.ready(name).is_some() || self.0.registry.registration(name).is_some()
    }

    /// The model of that name if it is in memory. Never waits.
    ///
    /// # Errors
    /// [`ErrorKind::NotLoaded`].
    pub fn loaded(&self, name: &str) -> Result<Lease> {
        let Some(lease) = self.0.registry.ready(name) else { return not_loaded(name) };
        lease.0.count_request();
        Ok(lease)
    }

    /// Loads the artifact at a path of this machine under `name`, which is its own until it is unloaded. Its memory may be let
    /// go meanwhile, when room is short; the next request brings it back.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyLoaded`] when the name is taken, [`ErrorKind::NotFound`] when nothing lies at the path,
    /// [`ErrorKind::OutOfMemory`] when it does not fit, and whatever makes a load fail. The name is free again then.
    pub async fn load(&self, name: &str, path: &Path) -> Result<()> {
        let taken = || Err(Error::new(ErrorKind::AlreadyLoaded, format!("model {name:?} is already loaded")));
        if self.0.registry.registration(name).is_some() {
            return taken();
        }
        let Claim::Lead(ticket) = self.0.registry.claim(name) else { return taken() };
        let flight = ticket.flight();
        let registration = Arc::new(Registration { path: path.to_owned(), since: SystemTime::now() });
        let origin = Origin::Path(path.to_owned());
        self.start(Order { ticket, origin, registration: Some(registration), is_return: false });
        flight.outcome().await.map(drop)
    }

    /// Takes the model of that name out and returns once its memory is back: after its last lease.
    ///
    /// # Errors
    /// [`ErrorKind::NotLoaded`].
    pub async fn unload(&self, name: &str) -> Result<()> {
        let was_registered = self.0.registry.unregister(name);
        let Some(loaded) = self.0.registry.remove(name) else {
            if !was_registered {
                return not_loaded(name);
            }
            self.0.counters.departures(Reason::Unload).add_one();
            return Ok(());
        };
        self.0.note_departure(&loaded, Reason::Unload);
        let gone = loaded.gone();
        drop(loaded);
        gone.await;
        Ok(())
    }

    /// The model that `lease` is of, brought anew from its artifact: for one whose file was cut short
    /// ([`ErrorKind::Damaged`]). Those who have it on loan keep it.
    ///
    /// # Errors
    /// As those of [`model`](Self::model).
    pub async fn renew(&self, lease: Lease) -> Result<Lease> {
        self.0.let_go(&lease.0, Reason::Damage);
        let name = Arc::clone(&lease.0.name);
        drop(lease);
        self.model(&name).await
    }

    /// Whether the source answers; an engine without one has nothing to wait for.
    ///
    /// # Errors
    /// [`ErrorKind::SourceUnavailable`].
    pub async fn reach_source(&self) -> Result<()> {
        match &self.0.source {
            Some(source) => source.reach().await,
            None => Ok(()),
        }
    }

    /// How long loads and their steps took, and how long models took to leave.
    #[must_use]
    pub fn times(&self) -> Times {
        self.0.load_times.times(self.0.governor.drains.durations())
    }

    /// How many models are in memory.
    #[must_use]
    pub fn models_count(&self) -> usize {
        self.0.registry.count()
    }

    /// The `count` models that are asked for most.
    #[must_use]
    pub fn popular(&self, count: usize) -> Popular {
        self.0.popularity.popular(&self.0.registry.loaded(), count)
    }

    /// What models take and may take.
    #[must_use]
    pub fn memory(&self) -> Memory {
        self.0.governor.memory()
    }

    /// How often what happened since this engine was made.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.counters.counts()
    }

    /// Runs a load where nobody's leaving can cancel it.
    fn start(&self, order: Order) {
        let shared = Arc::clone(&self.0);
        self.0.runtime.spawn(async move { shared.load(order).await });
    }
}
