//! Why a measurement could not be made: a chain of texts, the place first.

use std::{error, fmt, io, path::Path};

/// What went wrong, with its place.
#[derive(Debug)]
pub struct Error(String);

/// What measurements return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with that text.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// For `map_err`: the place before what was said of it.
    pub fn at<E: error::Error>(place: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |cause| Self(format!("{place}: {}", chain(&cause)))
    }

    /// The same for a file.
    pub fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::at(path.display())
    }
}

/// An error's text and those of its causes.
fn chain(error: &dyn error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for Error {}
