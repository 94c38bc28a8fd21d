//! Which models were worth most, written down so that the next start can bring them before they are asked for.

use std::sync::atomic::Ordering;

use super::{Engine, Shared};

/// Of the budget, the part that is filled before anybody asks, in percent: what is asked for then still finds room.
const FILLED_PERCENT: u64 = 75;

impl Engine {
    /// Brings the pinned models, and then those of the source that were worth most when it was last written down, while
    /// they fit; at most `models_max` of these. Each is a load like any other: what fails is logged and left out.
    pub async fn preload(&self, models_max: usize) {
        self.0.is_preloading.store(true, Ordering::Relaxed);
        for name in &self.0.pins {
            drop(self.lease(name).await);
        }
        for name in self.0.read_popular().into_iter().take(models_max) {
            let memory = self.memory();
            if memory.used_bytes >= memory.limit_bytes / 100 * FILLED_PERCENT {
                break;
            }
            drop(self.lease(&name).await);
        }
        self.0.is_preloading.store(false, Ordering::Relaxed);
    }

    /// Writes down which models are worth most, as is done once a minute. A list that is there is left alone while its models
    /// are brought, and where no model of the source is in memory.
    pub fn write_popular(&self) {
        self.0.write_popular();
    }
}

impl Shared {
    /// Writes the names of the models from the source, those that are worth most first.
    pub(super) fn write_popular(&self) {
        let Some(source) = &self.source else { return };
        let mut models = self.registry.appraised();
        models.retain(|loaded| loaded.is_from_source());
        models.sort_unstable_by(|one, other| other.worth().total_cmp(one.worth()));
        if models.is_empty() || self.is_preloading.load(Ordering::Relaxed) {
            return;
        }
        let names: Vec<&str> = models.iter().map(|loaded| &*loaded.name).collect();
        let text = serde_json::to_vec(&names).expect("names are strings");
        if let Err(error) = self.cache.write_popular(&source.location(), &text) {
            tracing::warn!(error = error.story(), "cannot write down which models are popular");
        }
    }

    /// The names that were written last; none where there are none, or none that can be read.
    fn read_popular(&self) -> Vec<String> {
        let text = self.source.as_ref().and_then(|source| self.cache.read_popular(&source.location()));
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }
}
