//! A model's way: locate, fetch, unpack, convert, verify, publish, reserve, map.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{task::spawn_blocking, time::timeout};

use super::Shared;
use crate::{
    artifact,
    cache::{Entry, Form, Key},
    error::{Error, ErrorKind, Result},
    governor::{Admission, Reservation, policy},
    histogram::micros,
    model::Model,
    reason::Reason,
    registry::Ticket,
    slot::{Arrival, Loaded, Registration},
    source::Source,
    times::{Step, Steps},
};

/// Of the budget, the part that is made free at once: one in so many.
const ROOM_SHARE: u64 = 256;

/// How long a load waits for models that were evicted and are still on loan.
const DRAIN_MAX: Duration = Duration::from_secs(5);

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

/// What a load went through, for the log and the counters.
#[derive(Debug, Default)]
struct Story {
    steps: Steps,
    is_cached: bool,
    /// What the artifact's files have together, where they were read.
    unpacked_bytes: Option<u64>,
    /// Why another engine runs the model, where it was converted.
    fallback: Option<String>,
}

impl Shared {
    /// Carries out an order and tells everybody who waits.
    pub(super) async fn load(self: Arc<Self>, order: Order) {
        let Order { ticket, origin, registration, is_return } = order;
        let started = Instant::now();
        let name = Arc::clone(ticket.name());
        let mut story = Story::default();
        match self.bring(&name, &origin, &mut story).await {
            Ok((model, reservation)) => {
                story.log(&name, &model, reservation.bytes(), started.elapsed());
                self.load_times.observe(&story.steps);
                self.counters.loads.add_one();
                if story.is_cached {
                    self.counters.cached_loads.add_one();
                }
                self.refusals.clear(&name);
                let is_pinned = self.pins.contains(&*name);
                let (location, return_us) = (origin.shown(&name), micros(story.steps.of_a_return()));
                if let Some(registration) = registration.as_ref().filter(|_| !is_return) {
                    ticket.register(Arc::clone(registration));
                }
                ticket.publish(Arrival { location, is_pinned, return_us, registration }, model, reservation);
            }
            Err(error) => {
                let total_us = micros(started.elapsed());
                tracing::warn!(model = &*name, total_us, error = error.story(), "cannot load");
                self.counters.load_failures.add_one();
                if matches!(origin, Origin::Source(_)) {
                    self.refusals.note(&name, &error, Instant::now());
                }
                ticket.fail(error);
            }
        }
    }

    async fn bring(self: &Arc<Self>, name: &str, origin: &Origin, story: &mut Story) -> Result<(Model, Reservation)> {
        let mut clock = Instant::now();
        let _permit = self.load_permits.acquire().await.expect("the permits are never closed");
        story.steps.add(Step::Wait, lap(&mut clock));
        let key = self.locate(name, origin).await?;
        story.steps.add(Step::Locate, lap(&mut clock));
        if let Some(entry) = self.cache.find(&key) {
            match self.open(&entry, &mut story.steps).await {
                Ok(opened) => {
                    story.is_cached = true;
                    self.note_latest(name, origin, &entry);
                    return Ok(opened);
                }
                Err(error) if error.kind() == ErrorKind::InvalidArtifact => {
                    tracing::warn!(model = name, error = error.story(), "converting anew");
                    entry.discard();
                }
                Err(error) => return Err(error),
            }
        }
        let entry = self.convert(name, origin, key, story).await?;
        let opened = self.open(&entry, &mut story.steps).await;
        if opened.is_ok() {
            self.note_latest(name, origin, &entry);
        }
        opened.inspect_err(|error| {
            // What cannot be opened now never can, except where memory or a library is short.
            if matches!(error.kind(), ErrorKind::InvalidArtifact | ErrorKind::Unsupported) {
                entry.discard();
            }
        })
    }

    /// Fetches and converts the artifact, and publishes the conversion in the cache.
    async fn convert(self: &Arc<Self>, name: &str, origin: &Origin, key: Key, story: &mut Story) -> Result<Entry> {
        let (mut clock, mut steps) = (Instant::now(), story.steps);
        let aside = self.cache.aside();
        let (path, key) = match origin {
            Origin::Path(path) => (path.clone(), key),
            Origin::Source(source) => {
                let fetched = source.fetch(name, aside.path(), self.limits.bytes_max).await?;
                // The artifact may have changed since it was located: what was fetched is what the key must say.
                (fetched.path, Key::new(&source.location(), name, &fetched.version.0, self.converter.reading))
            }
        };
        steps.add(Step::Fetch, lap(&mut clock));
        let shared = Arc::clone(self);
        let (entry, told) = blocking(move || shared.convert_artifact(&path, &key, steps)).await?;
        drop(aside);
        *story = told;
        Ok(entry)
    }

    fn convert_artifact(&self, path: &Path, key: &Key, mut steps: Steps) -> Result<(Entry, Story)> {
        let mut clock = Instant::now();
        let files = artifact::read(path, &self.limits)?;
        let unpacked_bytes = files.iter().map(|file| file.bytes.len() as u64).sum();
        steps.add(Step::Unpack, lap(&mut clock));
        let converted = self.converter.convert(&files)?;
        steps.add(Step::Convert, lap(&mut clock).saturating_sub(converted.verify));
        steps.add(Step::Verify, converted.verify);
        let entry = self.cache.publish(key, converted.form, &converted.bytes)?;
        steps.add(Step::Publish, lap(&mut clock));
        let (unpacked_bytes, fallback) = (Some(unpacked_bytes), converted.reason);
        Ok((entry, Story { steps, is_cached: false, unpacked_bytes, fallback }))
    }

    /// Makes room for a conversion and opens it.
    async fn open(self: &Arc<Self>, entry: &Entry, steps: &mut Steps) -> Result<(Model, Reservation)> {
        let mut clock = Instant::now();
        let reservation = self.reserve(footprint(entry)?).await?;
        steps.add(Step::Reserve, lap(&mut clock));
        let (shared, entry) = (Arc::clone(self), entry.clone());
        let opened = blocking(move || Ok((Model::open(&entry, &shared.runtimes)?, reservation))).await;
        steps.add(Step::Map, lap(&mut clock));
        opened
    }

    /// Reserves `bytes`, evicting models that are worth less until they fit.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`].
    async fn reserve(&self, bytes: u64) -> Result<Reservation> {
        let _one_at_a_time = self.admission.lock().await;
        let deadline = Instant::now() + DRAIN_MAX;
        loop {
            let freed = self.governor.freed();
            match self.governor.admit(bytes) {
                Admission::Granted(reservation) => return Ok(reservation),
                Admission::Never => return Err(self.out_of_memory(bytes)),
                Admission::Full { missing_bytes: 0 } => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    timeout(left, freed).await.map_err(|_| self.out_of_memory(bytes))?;
                }
                Admission::Full { missing_bytes } => self.evict(missing_bytes, bytes)?,
            }
        }
    }

    /// Takes out models that give back `missing_bytes` together once their last lease is dropped.
    fn evict(&self, missing_bytes: u64, for_bytes: u64) -> Result<()> {
        let models = self.registry.appraised();
        let residents: Vec<_> = models.iter().map(|loaded| loaded.resident()).collect();
        let victims = |bytes| policy::victims(&residents, bytes, self.residency_min);
        // Room for a few models costs one look at all that are there, as room for one does.
        let room_bytes = missing_bytes.max(self.governor.memory().limit_bytes / ROOM_SHARE);
        let victims = victims(room_bytes).or_else(|| victims(missing_bytes));
        for victim in victims.ok_or_else(|| self.out_of_memory(for_bytes))? {
            self.let_go(&models[victim], Reason::Room);
        }
        Ok(())
    }

    pub(super) fn note_departure(&self, loaded: &Loaded, reason: Reason) {
        self.counters.departures(reason).add_one();
        self.departures.note(loaded, reason);
    }

    fn out_of_memory(&self, bytes: u64) -> Error {
        let memory = self.governor.memory();
        Error::new(
            ErrorKind::OutOfMemory,
            format!(
                "the model needs {bytes} bytes of memory; models take {} of {} bytes, and none of them can leave",
                memory.used_bytes, memory.limit_bytes
            ),
        )
    }
}

impl Story {
    /// One line for one load; steps that were not taken are left out.
    fn log(&self, name: &str, model: &Model, bytes: u64, total: Duration) {
        let us = |step| self.steps.us(step);
        tracing::info!(
            model = name,
            runtime = model.runtime().name(),
            bytes,
            unpacked_bytes = self.unpacked_bytes,
            cached = self.is_cached,
            fallback = self.fallback.as_deref(),
            wait_us = us(Step::Wait),
            locate_us = us(Step::Locate),
            fetch_us = us(Step::Fetch),
            unpack_us = us(Step::Unpack),
            convert_us = us(Step::Convert),
            verify_us = us(Step::Verify),
            publish_us = us(Step::Publish),
            reserve_us = us(Step::Reserve),
            map_us = us(Step::Map),
            total_us = micros(total),
            "loaded"
        );
    }
}

impl Origin {
    /// What listings call the place of the model `name`.
    fn shown(&self, name: &str) -> String {
        match self {
            Self::Source(_) => name.to_owned(),
            Self::Path(path) => path.display().to_string(),
        }
    }
}

/// The memory that a conversion takes when it is opened.
///
/// A pack takes what it maps. Other engines copy their models: measured with networks and boosters of some megabytes,
/// ONNX Runtime keeps up to four times the file and `XGBoost` up to three times.
fn footprint(entry: &Entry) -> Result<u64> {
    let metadata = std::fs::metadata(&entry.path)
        .map_err(|error| Error::caused(ErrorKind::Io, format!("cannot open {}", entry.path.display()), error))?;
    Ok(match entry.form {
        Form::Forest | Form::Bundle => metadata.len(),
        Form::Onnx => metadata.len() * 4 + (64 << 10),
        Form::Booster => metadata.len() * 3 + (64 << 10),
    })
}

/// Runs work that blocks where it holds nobody up. A panic there is an error here.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::caused(ErrorKind::Internal, "a load broke off", error)),
    }
}

/// The time since `clock`, which then starts anew.
fn lap(clock: &mut Instant) -> Duration {
    let lap = clock.elapsed();
    *clock = Instant::now();
    lap
}
