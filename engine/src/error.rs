//! The crate's one error: what went wrong, in words an operator can act on, and the questions a caller may ask of it.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the engine could not do what it was asked.
///
/// Cheap to clone: every caller that waited for one failed load receives the same error. [`kind`](Self::kind) says who is
/// to blame; the text is one level of the story and [`source`](StdError::source) the next.
#[derive(Clone)]
pub struct Error {
    inner: Arc<Inner>,
    retry_after: Option<Duration>,
}

struct Inner {
    kind: ErrorKind,
    message: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// Who is to blame for an [`Error`], as far as a caller's reaction differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's: no artifact of that name lies in the source, or no directory at that path.
    NotFound,
    /// The caller's: the model is not loaded, and the call does not load models.
    NotLoaded,
    /// The caller's: a model of that name is loaded or loading already.
    AlreadyLoaded,
    /// The caller's: the rows do not fit the model.
    InvalidInput,
    /// The publisher's: the artifact is damaged, hostile or no model at all.
    InvalidArtifact,
    /// The publisher's: the artifact is well formed, and nothing here can serve it.
    Unsupported,
    /// The operator's: a shared library that this model needs is missing or too old.
    LibraryMissing,
    /// The operator's: the model does not fit into the memory budget, whatever is evicted.
    OutOfMemory,
    /// The source's: it refuses this artifact, or breaks off.
    SourceUnavailable,
    /// The source's: it answers nobody.
    SourceUnreachable,
    /// The machine's: a file operation failed.
    Io,
    /// The machine's: somebody cut the model's file short while it was in use. [`Engine::renew`](crate::Engine::renew) helps.
    Damaged,
    /// Ours.
    Internal,
}

impl ErrorKind {
    /// Whether the artifact is to blame, so that nothing else comes of it until it changes.
    pub(crate) fn is_of_artifact(self) -> bool {
        matches!(self, Self::InvalidArtifact | Self::Unsupported)
    }
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::of(Inner { kind, message: message.into(), cause: None })
    }

    /// An error of `kind` that says `message` and was brought about by `cause`.
    pub fn caused(
        kind: ErrorKind,
        message: impl Into<String>,
        cause: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::of(Inner { kind, message: message.into(), cause: Some(cause.into()) })
    }

    fn of(inner: Inner) -> Self {
        Self { inner: Arc::new(inner), retry_after: None }
    }

    /// The same error of which it is known that nothing else comes of another try before that time has passed.
    #[must_use]
    pub fn until(self, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    /// For how long another try is in vain, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Who is to blame.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The whole story in one line: this level and every cause below it, joined by `: `.
    #[must_use]
    pub fn story(&self) -> String {
        let mut story = self.inner.message.clone();
        let mut cause = self.source();
        while let Some(level) = cause {
            story.push_str(": ");
            story.push_str(&level.to_string());
            cause = level.source();
        }
        story
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?})", self.inner.kind, self.story())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause: &(dyn StdError + 'static) = self.inner.cause.as_deref()?;
        Some(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn story_tells_every_level() {
        let low = std::io::Error::other("disk on fire");
        let error = Error::caused(ErrorKind::Io, "cannot publish", Error::caused(ErrorKind::Io, "cannot write", low));
        assert_eq!(error.story(), "cannot publish: cannot write: disk on fire");
        assert_eq!(error.to_string(), "cannot publish");
    }
}
