//! What happens to models in memory while nobody asks for them: some leave because nobody does, and some because memory runs
//! short. And to a source that lets everybody wait. Ends with the engine.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{self, Instant};

use super::Shared;
use crate::{
    governor::{
        policy::{self, Resident},
        pressure::{Gauge, Reading},
    },
    outage::Tally,
    reason::Reason,
    slot::Loaded,
};

/// How often it is looked after models.
const PERIOD: Duration = Duration::from_secs(1);
/// How often it is written down which models are popular.
const WRITING_PERIOD: Duration = Duration::from_mins(1);

/// Looks after the models of an engine for as long as somebody has it.
pub(super) async fn keep(shared: Weak<Shared>, gauge: Gauge) {
    let (mut written_at, mut tally) = (Instant::now(), Tally::default());
    loop {
        time::sleep(PERIOD).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.tend(&gauge);
        shared.doubt(&mut tally);
        if written_at.elapsed() >= WRITING_PERIOD {
            shared.write_popular();
            written_at = Instant::now();
        }
    }
}

impl Shared {
    fn tend(&self, gauge: &Gauge) {
        let models = self.registry.appraised();
        if let Some(idle_max) = self.idle_max {
            let is_idle = |loaded: &&Arc<Loaded>| !loaded.is_pinned && loaded.idle() > idle_max;
            models.iter().filter(is_idle).for_each(|loaded| self.let_go(loaded, Reason::Idle));
        }
        let excess_bytes = gauge.read().map_or(0, Reading::excess_bytes);
        if excess_bytes > 0 {
            self.relieve(&models, excess_bytes);
        }
    }

    /// Lets models go that take `excess_bytes` together, or all that may go.
    fn relieve(&self, models: &[Arc<Loaded>], excess_bytes: u64) {
        let residents: Vec<Resident> = models.iter().map(|loaded| loaded.resident()).collect();
        let may_leave = residents.iter().filter(|resident| !resident.is_pinned);
        let bytes = excess_bytes.min(may_leave.map(|resident| resident.bytes).sum());
        let victims = policy::victims(&residents, bytes, self.residency_min).unwrap_or_default();
        tracing::warn!(excess_bytes, models = victims.len(), "memory runs short");
        for victim in victims {
            self.let_go(&models[victim], Reason::Pressure);
        }
    }

    /// Takes a model out, if it is still there.
    pub(super) fn let_go(&self, loaded: &Arc<Loaded>, reason: Reason) {
        if self.registry.evict(loaded) {
            self.note_departure(loaded, reason);
        }
    }
}
