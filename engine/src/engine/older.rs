//! A model that is not in memory while its artifact has changed to something broken: what it was before is brought back, as
//! it would serve on if it had stayed.

use std::{sync::Arc, time::Instant};

use super::{
    Shared,
    conversion::Conversion,
    load::{Opened, Origin},
    story::Story,
};
use crate::{
    cache::{Entry, Key},
    error::Result,
    source::Source,
};

impl Shared {
    /// As [`obtain`](Self::obtain) does, but where the artifact is to blame for an error, what was used last under its name is
    /// opened, if the cache has it. A broken state is tried again after pauses only.
    pub(super) async fn obtain_or_older(
        self: &Arc<Self>,
        name: &str,
        origin: &Origin,
        key: Key,
        story: &mut Story,
    ) -> Result<Opened> {
        let Origin::Source(source) = origin else { return self.obtain(name, origin, key, None, story).await };
        let state: Arc<str> = key.to_string().into();
        let older = self.older(source, name, &key);
        let error = match self.broken.standing(&state, Instant::now()) {
            Some(error) if older.is_some() => error,
            _ => match self.obtain(name, origin, key, None, story).await {
                Err(error) if error.kind().is_of_artifact() => self.broken.note(&state, error, Instant::now()),
                obtained => {
                    self.broken.clear(&state);
                    return obtained;
                }
            },
        };
        let Some(older) = older else { return Err(error) };
        tracing::warn!(model = name, error = error.story(), "cannot load what changed: the old model is served");
        self.counters.refresh_failures.add_one();
        let opened = self.open(Conversion::Published(older), None, &mut story.steps).await.map_err(|_| error)?;
        story.is_cached = true;
        Ok(opened)
    }

    /// The conversion of what was used last under that name, if it is another state than `key`.
    fn older(&self, source: &Arc<dyn Source>, name: &str, key: &Key) -> Option<Entry> {
        let latest = self.cache.latest(&self.latest(source, name))?;
        if latest == *key { None } else { self.cache.find(&latest) }
    }
}
