//! The crate's one error: what stops a command or spoils a body of rows, in words its reader can act on.

use std::{error::Error as StdError, fmt};

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command cannot go on, or why a body cannot be read.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// Who is to blame for an [`Error`], as far as a caller's reaction differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operator's: an option or a variable has a value that cannot be used.
    Usage,
    /// The client's: the body holds nothing at all.
    EmptyBody,
    /// The client's: the rows cannot be read.
    InvalidRows,
    /// The client's: the rows can be read, but do not fit the model or are more than is held at once.
    UnfitRows,
    /// The client's: rows come in a form that is not read here.
    UnknownContentType,
    /// The client's: it accepts no form that is written here.
    UnknownAccept,
    /// The client's: it asks for an output that there is not.
    UnknownOutput,
    /// The engine's: its own error is the cause.
    Engine,
    /// The machine's: a file, a port or a thread is not to be had.
    Io,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None }
    }

    /// An error of `kind` that says `message` and was brought about by `cause`.
    pub fn caused(
        kind: ErrorKind,
        message: impl Into<String>,
        cause: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, message: message.into(), cause: Some(cause.into()) }
    }

    /// Who is to blame.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The whole story in one line: this level and every cause below it, joined by `: `.
    #[must_use]
    pub fn story(&self) -> String {
        let mut story = self.message.clone();
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
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause: &(dyn StdError + 'static) = self.cause.as_deref()?;
        Some(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn story_tells_every_level() {
        let error = Error::caused(ErrorKind::Io, "cannot bind 127.0.0.1:80", std::io::Error::other("taken"));
        assert_eq!(error.story(), "cannot bind 127.0.0.1:80: taken");
        assert_eq!(error.to_string(), "cannot bind 127.0.0.1:80");
    }
}
