//! From an artifact to its conversion: fetch, unpack, convert, verify, publish.

use std::{
    error::Error as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::{
    Shared, footprint,
    load::{Origin, lap},
    story::Story,
};
use crate::{
    artifact::{self, Limits, ModelFile},
    blocking,
    cache::{Entry, Form, Key, is_full},
    convert::Converted,
    error::{Error, ErrorKind, Result},
    source::{Fetched, Source},
    times::{Step, Steps},
};

/// A conversion, on its way from where it was made to memory.
pub(super) enum Conversion {
    /// A file of the cache.
    Published(Entry),
    /// What the cache did not take.
    Held { key: Key, form: Form, bytes: Vec<u8> },
}

impl Shared {
    /// Fetches and converts the artifact, and publishes the conversion in the cache.
    pub(super) async fn convert(
        self: &Arc<Self>,
        name: &str,
        origin: &Origin,
        key: Key,
        story: &mut Story,
    ) -> Result<Conversion> {
        let (mut clock, mut steps) = (Instant::now(), story.steps);
        let aside = self.cache.aside();
        let (path, key) = match origin {
            Origin::Path(path) => (path.clone(), key),
            Origin::Source(source) => {
                let fetched = self.fetch(source, name, aside.path()).await?;
                // The artifact may have changed since it was located: what was fetched is what the key must say.
                (fetched.path, self.key(source, name, &fetched.version))
            }
        };
        steps.add(Step::Fetch, lap(&mut clock));
        let (conversion, told) = self.convert_in_turn(path, key, steps).await?;
        drop(aside);
        *story = told;
        Ok(conversion)
    }

    /// Converts the artifact at `path` once there is memory for that.
    async fn convert_in_turn(
        self: &Arc<Self>,
        path: PathBuf,
        key: Key,
        mut steps: Steps,
    ) -> Result<(Conversion, Story)> {
        let mut clock = Instant::now();
        let read = |bytes_max| {
            let (path, limits) = (path.clone(), Limits { bytes_max, ..self.limits });
            blocking::in_place(move || artifact::read(&path, &limits))
        };
        let announced = {
            let path = path.clone();
            blocking::in_place(move || Ok(artifact::announced_bytes(&path)))
        };
        let announced_bytes = announced.await?.min(self.limits.bytes_max);
        let mut place = self.workshop.place(announced_bytes).await?;
        steps.add(Step::Wait, lap(&mut clock));
        let mut files = read(if place.is_large { self.limits.bytes_max } else { announced_bytes }).await;
        if !place.is_large && files.as_ref().is_err_and(|error| error.kind() == ErrorKind::InvalidArtifact) {
            // It may only be larger than it said.
            drop(place);
            place = self.workshop.large_place().await?;
            files = read(self.limits.bytes_max).await;
        }
        let files = files?;
        steps.add(Step::Unpack, lap(&mut clock));
        let shared = Arc::clone(self);
        let converted = blocking::in_place(move || shared.convert_files(&files, key, steps)).await;
        drop(place);
        converted
    }

    /// Brings an artifact here; where the disk is full, what was used least recently makes room once.
    async fn fetch(self: &Arc<Self>, source: &Arc<dyn Source>, name: &str, aside: &Path) -> Result<Fetched> {
        let fetch = || source.fetch(name, aside, self.limits.bytes_max);
        let fetched = match fetch().await {
            Err(error) if lacks_room(&error) => {
                let (shared, aside) = (Arc::clone(self), aside.to_owned());
                blocking::in_place(move || {
                    let needed_bytes = aside.metadata().map_or(0, |metadata| metadata.len()) * 2;
                    drop(std::fs::remove_file(&aside));
                    shared.cache.make_room(needed_bytes, &shared.keys());
                    Ok(())
                })
                .await?;
                fetch().await
            }
            fetched => fetched,
        };
        fetched.inspect_err(|error| self.note_outage(source, error))
    }

    fn convert_files(&self, files: &[ModelFile], key: Key, mut steps: Steps) -> Result<(Conversion, Story)> {
        let mut clock = Instant::now();
        let unpacked_bytes = files.iter().map(|file| file.bytes.len() as u64).sum();
        let converted = self.converter.convert(files)?;
        steps.add(Step::Convert, lap(&mut clock).saturating_sub(converted.verify));
        steps.add(Step::Verify, converted.verify);
        let Converted { form, bytes, reason: fallback, .. } = converted;
        let conversion = match self.cache.publish(&key, form, &bytes, || self.keys()) {
            Ok(entry) => Conversion::Published(entry),
            Err(error) => {
                tracing::warn!(error = error.story(), "a model is served from memory, and converted anew if it leaves");
                Conversion::Held { key, form, bytes }
            }
        };
        steps.add(Step::Publish, lap(&mut clock));
        Ok((conversion, Story { steps, is_cached: false, unpacked_bytes: Some(unpacked_bytes), fallback }))
    }
}

impl Conversion {
    pub(super) fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Published(entry) => Some(entry),
            Self::Held { .. } => None,
        }
    }

    /// The memory that it takes at the most when it is opened.
    pub(super) fn footprint(&self) -> u64 {
        match self {
            Self::Published(entry) => footprint::bound(entry.form, entry.bytes),
            Self::Held { form, bytes, .. } => footprint::bound(*form, bytes.len() as u64),
        }
    }
}

/// Whether it is room on the disk that was lacking.
fn lacks_room(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(is_full)
}
