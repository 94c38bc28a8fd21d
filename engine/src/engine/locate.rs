//! Which conversion of an artifact is wanted: that of the state which its source tells or, where that does not answer, the
//! one that was used last.

use std::sync::Arc;

use super::{Shared, load::Origin};
use crate::{
    blocking,
    cache::{Entry, Key},
    error::{ErrorKind, Result},
    source::{Source, Version, directory},
};

impl Shared {
    /// The name under which the cache has the artifact as it is now, or as it was last used where the source does not say.
    pub(super) async fn locate(self: &Arc<Self>, name: &str, origin: &Origin) -> Result<Key> {
        let source = match origin {
            Origin::Source(source) => source,
            Origin::Path(path) => {
                let shown = path.display().to_string();
                let path = path.clone();
                let version = blocking::in_place(move || directory::version_at(&path)).await?;
                return Ok(Key::new("file", &shown, &version.0, self.converter.reading));
            }
        };
        let error = match self.ask(source, name).await {
            Err(error) => error,
            located => return located,
        };
        match error.kind() {
            ErrorKind::SourceUnavailable => {
                tracing::warn!(model = name, error = error.story(), "the source refuses: what was used last is served");
            }
            // The log has it already.
            ErrorKind::SourceUnreachable => {}
            ErrorKind::NotFound => {
                self.cache.forget_latest(&self.latest(source, name));
                return Err(error);
            }
            _ => return Err(error),
        }
        self.cache.latest(&self.latest(source, name)).ok_or(error)
    }

    /// The name under which the cache has the artifact as the source says it is now.
    ///
    /// # Errors
    /// Those of [`Source::version`].
    pub(super) async fn ask(self: &Arc<Self>, source: &Arc<dyn Source>, name: &str) -> Result<Key> {
        let version = self.answer(source, || source.version(name)).await?;
        Ok(self.key(source, name, &version))
    }

    pub(super) fn key(&self, source: &Arc<dyn Source>, name: &str, version: &Version) -> Key {
        Key::new(&source.location(), name, &version.0, self.converter.reading)
    }

    /// Notes what is used of the model, for the time when its source does not answer. Paths are there or not.
    pub(super) fn note_latest(&self, name: &str, origin: &Origin, entry: &Entry) {
        let Origin::Source(source) = origin else { return };
        if let Err(error) = self.cache.note_latest(&self.latest(source, name), entry) {
            tracing::warn!(model = name, error = error.story(), "cannot note what is used of a model");
        }
    }

    /// The name under which the cache notes which state of an artifact was used last.
    pub(super) fn latest(&self, source: &Arc<dyn Source>, name: &str) -> Key {
        Key::of_latest(&source.location(), name, self.converter.reading)
    }
}
