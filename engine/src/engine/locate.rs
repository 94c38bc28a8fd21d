//! Which conversion of an artifact is wanted: that of the state which its source tells or, where that does not answer, the
//! one that was used last.

use super::{
    Shared,
    load::{Origin, blocking},
};
use crate::{
    cache::{Entry, Key},
    error::{ErrorKind, Result},
    reading::Reading,
    source::directory,
};

impl Shared {
    /// The name under which the cache has the artifact as it is now, or as it was last used where the source does not answer.
    pub(super) async fn locate(&self, name: &str, origin: &Origin) -> Result<Key> {
        let error = match origin.key(name, self.converter.reading).await {
            Err(error) if error.kind() == ErrorKind::SourceUnavailable => error,
            located => return located,
        };
        let latest = origin.latest(name, self.converter.reading).and_then(|latest| self.cache.latest(&latest));
        let Some(key) = latest else { return Err(error) };
        tracing::warn!(model = name, error = error.story(), "the source does not answer: what was used last is served");
        Ok(key)
    }

    /// Notes what is used of the model, for the time when its source does not answer.
    pub(super) fn note_latest(&self, name: &str, origin: &Origin, entry: &Entry) {
        let Some(latest) = origin.latest(name, self.converter.reading) else { return };
        if let Err(error) = self.cache.note_latest(&latest, entry) {
            tracing::warn!(model = name, error = error.story(), "cannot note what is used of a model");
        }
    }
}

impl Origin {
    /// The name under which the cache notes which state of this artifact was used last; nothing for paths, which are there or
    /// not.
    fn latest(&self, name: &str, reading: Reading) -> Option<Key> {
        match self {
            Self::Source(source) => Some(Key::of_latest(&source.location(), name, reading)),
            Self::Path(_) => None,
        }
    }

    /// The name under which the cache has this artifact as it is now.
    async fn key(&self, name: &str, reading: Reading) -> Result<Key> {
        match self {
            Self::Source(source) => {
                let version = source.version(name).await?;
                Ok(Key::new(&source.location(), name, &version.0, reading))
            }
            Self::Path(path) => {
                let shown = path.display().to_string();
                let path = path.clone();
                let version = blocking(move || directory::version_at(&path)).await?;
                Ok(Key::new("file", &shown, &version.0, reading))
            }
        }
    }
}
