//! Options of an engine, with their defaults.

use std::{
    collections::HashSet,
    num::NonZero,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    thread::available_parallelism,
    time::Duration,
};

use thicket_converters::onnx;
use tokio::{
    runtime::Handle,
    sync::{Mutex, Semaphore},
};

use super::{Engine, HeapMeter, Shared, Workshop, keeper, sweep, trim};
use crate::{
    artifact::Limits,
    cache::Cache,
    convert::{Converter, Lower},
    counts::Counters,
    departures::Departures,
    error::{Error, ErrorKind, Result},
    governor::{Governor, limit, pressure::Gauge},
    library::Libraries,
    outage::Outage,
    popularity::Popularity,
    reading::Reading,
    refusals::Refusals,
    registry::Registry,
    runtimes::Runtimes,
    source::Source,
    times::LoadTimes,
};

const RESIDENCY_MIN: Duration = Duration::from_secs(10);

/// Options of an [`Engine`].
#[derive(Debug, Default)]
pub struct Builder {
    source: Option<Arc<dyn Source>>,
    cache_dir: Option<PathBuf>,
    memory_limit: Option<u64>,
    residency_min: Option<Duration>,
    idle_max: Option<Duration>,
    pins: HashSet<String>,
    libraries: Option<Libraries>,
    limits: Limits,
    heap_meter: Option<HeapMeter>,
    reading: Reading,
    load_permits: Option<usize>,
    cache_limit: Option<u64>,
    refresh: Option<Duration>,
    deleted_grace: Duration,
    runtime: Option<Handle>,
    lower: Option<Lower>,
}

impl Builder {
    /// Where [`Engine::model`] finds what is not in memory. Without a source, only what [`Engine::load`] loads is served.
    #[must_use]
    pub fn source(mut self, source: Arc<dyn Source>) -> Self {
        self.source = Some(source);
        self
    }

    /// The folder of converted models; it is made when it is missing and may be shared by engines on one machine.
    ///
    /// Default: `thicket` in the system's folder for temporary files.
    #[must_use]
    pub fn cache_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(folder.into());
        self
    }

    /// How many bytes the cache should take on disk: where there is more, conversions that are not in memory are removed, those
    /// that nobody has used for longest first.
    ///
    /// Default: as many as the disk has room for.
    #[must_use]
    pub fn cache_limit(mut self, bytes: Option<u64>) -> Self {
        self.cache_limit = bytes;
        self
    }

    /// How often the source is asked whether artifacts of models in memory have changed or are gone. What has changed is loaded
    /// and takes the place of the old model, which serves until then.
    ///
    /// Default: never.
    #[must_use]
    pub fn refresh(mut self, period: Option<Duration>) -> Self {
        self.refresh = period;
        self
    }

    /// How long a model stays in memory at least whose artifact is found to be gone from the source.
    ///
    /// Default: not at all.
    #[must_use]
    pub fn deleted_grace(mut self, grace: Duration) -> Self {
        self.deleted_grace = grace;
        self
    }

    /// How many bytes all models may take together.
    ///
    /// Default: 80 % of the limit of the container (memory cgroup), or of the machine's memory.
    #[must_use]
    pub fn memory_limit(mut self, bytes: Option<u64>) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// What tells how much memory the models of other engines take, by what the heap grows by when they are opened. They are opened
    /// by the thread that asks before and after.
    ///
    /// Default: nothing does, and they count as what such models were seen to take at the most for the size of their files.
    #[must_use]
    pub fn heap_meter(mut self, meter: Option<HeapMeter>) -> Self {
        self.heap_meter = meter;
        self
    }

    /// How long a model stays in memory at least, while there are older ones that can leave. Models that are younger hold
    /// half of the memory at the most.
    ///
    /// Default: 10 seconds.
    #[must_use]
    pub fn residency_min(mut self, residency_min: Duration) -> Self {
        self.residency_min = Some(residency_min);
        self
    }

    /// How long nobody may ask for a model until it leaves memory.
    ///
    /// Default: for ever.
    #[must_use]
    pub fn idle_max(mut self, idle_max: Option<Duration>) -> Self {
        self.idle_max = idle_max;
        self
    }

    /// Names of models that leave memory only when they are unloaded.
    ///
    /// Default: none.
    #[must_use]
    pub fn pins(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.pins.extend(names);
        self
    }

    /// Where the libraries of other engines are looked for.
    ///
    /// Default: nowhere; forests need none.
    #[must_use]
    pub fn libraries(mut self, libraries: Libraries) -> Self {
        self.libraries = Some(libraries);
        self
    }

    /// How many bytes an artifact may have, packed or unpacked.
    ///
    /// Default: 256 MiB.
    #[must_use]
    pub fn model_bytes_max(mut self, bytes: u64) -> Self {
        self.limits.bytes_max = bytes;
        self
    }

    /// How artifacts are read where containers differ.
    ///
    /// Default: as today's container reads them.
    #[must_use]
    pub fn reading(mut self, reading: Reading) -> Self {
        self.reading = reading;
        self
    }

    /// How many models may be fetched and converted at once.
    ///
    /// Default: one for each processor, and at least two, so that a small model need not wait for a large one.
    #[must_use]
    pub fn load_permits(mut self, permits: usize) -> Self {
        self.load_permits = Some(permits);
        self
    }

    /// Where loads run; its blocking threads convert, and its clock (`enable_time`) is needed.
    ///
    /// Default: the runtime in which [`build`](Self::build) is called.
    #[must_use]
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// What writes boosters as ONNX.
    #[cfg(test)]
    pub(super) fn lower(mut self, lower: Lower) -> Self {
        self.lower = Some(lower);
        self
    }

    /// Opens the cache and takes the measure of the machine.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the cache cannot be used, [`ErrorKind::Internal`] when there is no runtime.
    pub fn build(self) -> Result<Engine> {
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => Handle::try_current().map_err(|error| {
                Error::caused(ErrorKind::Internal, "an engine needs a runtime for its loads", error)
            })?,
        };
        let processors = || available_parallelism().map_or(1, NonZero::get);
        let gauge = Gauge::new("/");
        let available = limit::available(&gauge);
        let memory_bytes = available.as_ref().copied().unwrap_or(u64::MAX);
        let limit_bytes = limit::detect(self.memory_limit, available)?;
        tracing::info!(limit_bytes, "memory for models");
        let cache_dir = self.cache_dir.unwrap_or_else(|| std::env::temp_dir().join("thicket"));
        let counters = Arc::<Counters>::default();
        let load_permits_max = self.load_permits.unwrap_or_else(|| processors().max(2)).max(1);
        let times = self.refresh.map(|period| sweep::Times { period, deleted_grace: self.deleted_grace });
        let shared = Arc::new(Shared {
            source: self.source,
            cache: Cache::open(&cache_dir, self.cache_limit)?,
            registry: Registry::new(),
            governor: Governor::new(limit_bytes),
            runtimes: Runtimes::new(self.libraries.unwrap_or_else(|| Libraries::find(None, None, &[]))),
            limits: self.limits,
            heap_meter: self.heap_meter,
            residency_min: self.residency_min.unwrap_or(RESIDENCY_MIN),
            idle_max: self.idle_max,
            converter: Converter::lowering(self.lower.unwrap_or(onnx::lower), self.reading, Arc::clone(&counters)),
            counters,
            load_times: LoadTimes::default(),
            popularity: Popularity::default(),
            departures: Departures::default(),
            refusals: Refusals::default(),
            broken: Refusals::default(),
            outage: Outage::default(),
            pins: self.pins,
            is_preloading: AtomicBool::new(false),
            load_permits: Semaphore::new(load_permits_max),
            load_permits_max,
            workshop: Workshop::new(memory_bytes),
            admission: Mutex::new(()),
            runtime,
        });
        if let (Some(source), Some(times)) = (&shared.source, times) {
            shared.runtime.spawn(sweep::sweep(Arc::downgrade(&shared), Arc::clone(source), times));
        }
        if self.cache_limit.is_some() {
            shared.runtime.spawn(trim::keep_quota(Arc::downgrade(&shared)));
        }
        shared.runtime.spawn(keeper::keep(Arc::downgrade(&shared), gauge));
        Ok(Engine(shared))
    }
}
