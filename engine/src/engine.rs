//! The engine: a source, a cache, a registry and a governor, and the way a model takes through them.

mod builder;
mod load;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc, time::SystemTime};

use tokio::{runtime::Handle, sync::Semaphore};

pub use builder::Builder;
use load::{Order, Origin};

use crate::{
    artifact::Limits,
    cache::Cache,
    convert::Converter,
    counts::{Counters, Counts},
    error::{Error, ErrorKind, Result},
    governor::{Governor, Memory},
    popularity::{Popular, Popularity},
    registry::{Claim, Registry, not_loaded},
    runtimes::Runtimes,
    slot::Lease,
    source::{Listed, Source},
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
    converter: Converter,
    counters: Arc<Counters>,
    load_times: LoadTimes,
    popularity: Popularity,
    /// Loads that may fetch and convert at once: what bounds their memory.
    load_permits: Semaphore,
    /// Held while room is made, so that two loads do not evict for each other's bytes.
    admission: tokio::sync::Mutex<()>,
    /// Where loads run.
    runtime: Handle,
}

/// A model in memory, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// The name it is asked for by.
    pub name: String,
    /// Where it came from: the path it was loaded from, or its name in the source.
    pub location: String,
    /// Memory that comes back when it leaves.
    pub bytes: u64,
    /// What runs it.
    pub runtime: &'static str,
    /// Since when it is in memory.
    pub loaded_at: SystemTime,
}

impl Engine {
    /// Options first, then [`Builder::build`].
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The model of that name, loaded from the source when it is not in memory.
    ///
    /// However many callers ask for a cold model, it is loaded once; a caller who stops waiting does not stop the load.
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
        let Some(source) = &self.0.source else { return not_loaded(name) };
        let flight = match self.0.registry.claim(name) {
            Claim::Ready(lease) => return Ok(lease),
            Claim::Wait(flight) => flight,
            Claim::Lead(ticket) => {
                let flight = ticket.flight();
                let origin = Origin::Source(Arc::clone(source));
                self.start(Order { ticket, origin, location: name.to_owned(), is_pinned: false });
                flight
            }
        };
        flight.outcome().await
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

    /// Loads the artifact at a path of this machine under `name`; it stays until it is unloaded.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyLoaded`] when the name is taken, [`ErrorKind::NotFound`] when nothing lies at the path,
    /// [`ErrorKind::OutOfMemory`] when it does not fit, and whatever makes a load fail. The name is free again then.
    pub async fn load(&self, name: &str, path: &Path) -> Result<()> {
        let Claim::Lead(ticket) = self.0.registry.claim(name) else {
            return Err(Error::new(ErrorKind::AlreadyLoaded, format!("model {name:?} is already loaded")));
        };
        let flight = ticket.flight();
        let location = path.display().to_string();
        self.start(Order { ticket, origin: Origin::Path(path.to_owned()), location, is_pinned: true });
        flight.outcome().await.map(drop)
    }

    /// Takes the model of that name out and returns once its memory is back: after its last lease.
    ///
    /// # Errors
    /// [`ErrorKind::NotLoaded`].
    pub async fn unload(&self, name: &str) -> Result<()> {
        let Some(loaded) = self.0.registry.remove(name) else { return not_loaded(name) };
        self.0.counters.unloads.add_one();
        let gone = loaded.gone();
        drop(loaded);
        gone.await;
        Ok(())
    }

    /// Every model in memory, sorted by name.
    #[must_use]
    pub fn models(&self) -> Vec<ModelInfo> {
        let info = |loaded: Arc<crate::slot::Loaded>| ModelInfo {
            name: loaded.name.to_string(),
            location: loaded.location.clone(),
            bytes: loaded.bytes(),
            runtime: loaded.model().runtime().name(),
            loaded_at: loaded.since,
        };
        self.0.registry.models().into_iter().map(info).collect()
    }

    /// Every artifact in the source, sorted by name; none without a source.
    ///
    /// # Errors
    /// [`ErrorKind::SourceUnavailable`].
    pub async fn list(&self) -> Result<Vec<Listed>> {
        match &self.0.source {
            Some(source) => source.list().await,
            None => Ok(Vec::new()),
        }
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
