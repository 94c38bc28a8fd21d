//! What an engine tells of its models and of its source.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::Engine;
use crate::{
    departures::Departure,
    error::Result,
    governor::policy::{self, Place, Resident},
    slot::{Loaded, Registration},
    source::{Listed, Page},
};

/// A model in memory, as a listing shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// The name it is asked for by.
    pub name: String,
    /// Where it came from: the path it was loaded from, or its name in the source.
    pub location: String,
    /// Memory that comes back when it leaves; 0 when it has left and comes back on demand.
    pub bytes: u64,
    /// What runs it, when it is in memory.
    pub runtime: Option<&'static str>,
    /// Since when it is in memory or, for one that comes back on demand, loaded.
    pub loaded_at: SystemTime,
    /// Requests since it came into memory.
    pub requests: u64,
    /// The same over all its stays in memory, where recent requests count more: what decides who leaves, together with the
    /// memory it takes and the time its return would take.
    pub popularity: f64,
    /// For how long nobody has asked for it; nothing when it is not in memory.
    pub idle: Option<Duration>,
    /// It leaves memory only when it is unloaded.
    pub is_pinned: bool,
}

/// A model in memory, and where it stands among those that may leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The model.
    pub model: ModelInfo,
    /// What keeping it gains for each byte, as a binary logarithm on a scale that shifts with time: what is worth least
    /// leaves first. That of a model that nobody has asked for is negative infinity.
    pub worth: f64,
    /// How many would leave before it if room were made now; nothing for one that is pinned.
    pub leave_before: Option<usize>,
    /// It came so lately that it stays while others can leave.
    pub is_new: bool,
}

impl Engine {
    /// Every model in memory, and those that were [loaded](Self::load) and come back on demand, sorted by name.
    #[must_use]
    pub fn models(&self) -> Vec<ModelInfo> {
        self.some_models(0, usize::MAX).0
    }

    /// At most `count` of the [models](Self::models) from number `first` on, and how many there are. Only names are looked at
    /// of the others.
    #[must_use]
    pub fn some_models(&self, first: usize, count: usize) -> (Vec<ModelInfo>, usize) {
        let names = self.0.registry.names();
        let wanted = names.iter().skip(first).take(count);
        (wanted.filter_map(|name| self.known(name)).collect(), names.len())
    }

    /// The one of the [models](Self::models) that has that name.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<ModelInfo> {
        let in_memory = self.0.registry.find(name).map(|loaded| self.info(&loaded));
        in_memory.or_else(|| self.0.registry.registration(name).map(|registration| registration.info(name)))
    }

    /// Every model in memory, in no order, with who would leave before whom. To look changes nothing.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        let models = self.0.registry.loaded();
        let residents: Vec<Resident> = models.iter().map(|loaded| loaded.resident()).collect();
        let places = policy::places(&residents, self.0.residency_min);
        let standing = |((loaded, resident), place): ((&Arc<Loaded>, Resident), Option<Place>)| Standing {
            model: self.info(loaded),
            worth: resident.worth,
            leave_before: place.map(|place| place.before),
            is_new: place.is_some_and(|place| place.is_new),
        };
        models.iter().zip(residents).zip(places).map(standing).collect()
    }

    /// The latest models that left memory, the last first: 256 at the most.
    #[must_use]
    pub fn departures(&self) -> Vec<Departure> {
        self.0.departures.latest()
    }

    /// Every artifact in the source, sorted by name; none without a source.
    ///
    /// # Errors
    /// [`ErrorKind::SourceUnavailable`](crate::ErrorKind::SourceUnavailable).
    pub async fn list(&self) -> Result<Vec<Listed>> {
        match &self.0.source {
            Some(source) => source.list().await,
            None => Ok(Vec::new()),
        }
    }

    /// A page of the artifacts in the source, as [`Source::page`](crate::source::Source::page) gives it, and for each whether it
    /// is in memory. None without a source.
    ///
    /// # Errors
    /// As [`Source::page`](crate::source::Source::page).
    pub async fn page(&self, next: Option<&str>, artifacts_max: usize) -> Result<(Page, Vec<bool>)> {
        let Some(source) = &self.0.source else { return Ok((Page::default(), Vec::new())) };
        let page = self.0.answer(source, || source.page(next, artifacts_max)).await?;
        let is_here = |listed: &Listed| self.0.registry.find(&listed.name).is_some();
        let are_here = page.artifacts.iter().map(is_here).collect();
        Ok((page, are_here))
    }

    fn info(&self, loaded: &Loaded) -> ModelInfo {
        ModelInfo {
            name: loaded.name.to_string(),
            location: loaded.location.clone(),
            bytes: loaded.bytes(),
            runtime: Some(loaded.model().runtime().name()),
            loaded_at: loaded.since,
            requests: loaded.requests(),
            popularity: self.0.registry.popularity(loaded),
            idle: Some(loaded.idle()),
            is_pinned: loaded.is_pinned,
        }
    }
}

impl Registration {
    fn info(&self, name: &str) -> ModelInfo {
        ModelInfo {
            name: name.to_owned(),
            location: self.path.display().to_string(),
            bytes: 0,
            runtime: None,
            loaded_at: self.since,
            requests: 0,
            popularity: 0.0,
            idle: None,
            is_pinned: false,
        }
    }
}
