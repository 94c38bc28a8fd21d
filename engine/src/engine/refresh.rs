//! A model in memory whose artifact has changed: the new one is loaded beside it and takes its place, while it serves.

use std::{sync::Arc, time::Instant};

use super::{
    Shared,
    load::{Opened, Origin},
    story::Story,
};
use crate::{error::Result, histogram::micros, reason::Reason, slot::Arrival, source::Source};

impl Shared {
    /// Loads what the model's artifact has changed to beside the model in memory, and then puts it in its place.
    pub(super) async fn refresh(self: &Arc<Self>, name: &Arc<str>, source: Arc<dyn Source>) -> Result<()> {
        let started = Instant::now();
        let _permit = self.load_permits.acquire().await.expect("the permits are never closed");
        let found = self.registry.find(name).filter(|loaded| loaded.is_from_source());
        let Some(old) = found.map(|loaded| loaded.key) else { return Ok(()) };
        let mut story = Story::default();
        let brought = async {
            let key = self.ask(&source, name).await?;
            if key == old {
                return Ok(None);
            }
            let origin = Origin::Source(Arc::clone(&source));
            self.obtain(name, &origin, key, Some(&old), &mut story).await.map(Some)
        };
        let brought = brought.await.inspect_err(|_| self.counters.refresh_failures.add_one());
        let Some(Opened { key, model, reservation }) = brought? else { return Ok(()) };
        self.note_load(name, &model, reservation.bytes(), &story, started.elapsed());
        self.refusals.clear(name);
        let arrival = Arrival {
            location: name.to_string(),
            key,
            is_pinned: self.pins.contains(&**name),
            return_us: micros(story.steps.of_a_return()),
            registration: None,
        };
        if let Some(left) = self.registry.replace(name, &old, arrival, model, reservation) {
            self.note_departure(&left, Reason::Replaced);
        }
        Ok(())
    }
}
