//! What can be wrong with a model file, and where.

use std::fmt;

/// The result of everything that reads or lowers a model.
pub type Result<T> = std::result::Result<T, Error>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A complaint about a model file: what was expected and the place where it was not found.
#[derive(Debug)]
pub struct Error(Box<Complaint>);

#[derive(Debug)]
struct Complaint {
    kind: Kind,
    message: String,
    place: String,
    cause: Option<Cause>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Malformed,
    Unsupported,
}

impl Error {
    /// The file breaks the rules of its own format at `place`.
    pub(crate) fn malformed(place: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self::new(Kind::Malformed, &place, &message)
    }

    /// The file is well formed, but what stands at `place` cannot be expressed here.
    pub(crate) fn unsupported(place: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self::new(Kind::Unsupported, &place, &message)
    }

    fn new(kind: Kind, place: &dyn fmt::Display, message: &dyn fmt::Display) -> Self {
        Self(Box::new(Complaint { kind, message: message.to_string(), place: place.to_string(), cause: None }))
    }

    /// The same complaint with the error that caused it.
    pub(crate) fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The same complaint seen from one level further out: `step` comes before the place.
    pub(crate) fn within(mut self, step: impl fmt::Display) -> Self {
        let dot = if self.0.place.is_empty() || self.0.place.starts_with('[') { "" } else { "." };
        self.0.place = format!("{step}{dot}{}", self.0.place);
        self
    }

    /// Whether the file is well formed but holds something that cannot be expressed here; otherwise it is malformed.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.0.kind == Kind::Unsupported
    }

    /// Where in the input: an offset in the file or a path in its tree.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.0.place
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.place, self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| &**cause as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_from_the_outside_in() {
        let error = Error::malformed("[3]", "expected a number").within("left_children").within("trees[1]");
        assert_eq!(error.to_string(), "trees[1].left_children[3]: expected a number");
        assert!(!error.is_unsupported());
    }

    #[test]
    fn the_cause_is_kept_apart_from_the_message() {
        let cause = "x".parse::<i32>().unwrap_err();
        let error = Error::unsupported("offset 4", "expected a whole number").caused_by(cause.clone());
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), cause.to_string());
        assert!(error.is_unsupported());
    }
}
