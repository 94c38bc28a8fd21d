//! Versions of XGBoost.

use std::fmt;

/// The version of XGBoost that wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 0 where the file does not say, which only versions before 1.0 leave open.
    pub major: u32,
    /// 0 where the file does not say.
    pub minor: u32,
    /// `None` in legacy binary files, which do not hold it.
    pub patch: Option<u32>,
}

impl Version {
    /// The version `major.minor` of unknown patch level.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: None }
    }

    /// Whether this is `major.minor` or later.
    #[must_use]
    pub fn is_since(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.major, self.patch) {
            (0, None) => write!(formatter, "before 1.0"),
            (_, None) => write!(formatter, "{}.{}", self.major, self.minor),
            (_, Some(patch)) => write!(formatter, "{}.{}.{patch}", self.major, self.minor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_and_named() {
        assert!(Version::new(1, 3).is_since(1, 3) && Version::new(2, 0).is_since(1, 3));
        assert!(!Version::new(1, 2).is_since(1, 3) && !Version::new(0, 0).is_since(1, 0));
        assert_eq!(Version::new(0, 0).to_string(), "before 1.0");
        assert_eq!(Version::new(1, 7).to_string(), "1.7");
        assert_eq!(Version { patch: Some(6), ..Version::new(1, 7) }.to_string(), "1.7.6");
    }
}
