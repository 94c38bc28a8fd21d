//! The modes of a server in which models come and go.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// The platform loads, invokes and unloads; memory is short besides.
    Container,
    /// Invocations load, and models evict each other.
    StandAlone,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Container, Self::StandAlone];

    /// What the server is started with, for models that lie in the folder `models`.
    #[must_use]
    pub fn options(self, models: &str) -> Vec<&str> {
        match self {
            Self::Container => Vec::new(),
            Self::StandAlone => vec!["--models", models],
        }
    }

    /// Its variables.
    #[must_use]
    pub fn environment(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Container => vec![("SAGEMAKER_MULTI_MODEL", "true".to_owned())],
            Self::StandAlone => Vec::new(),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Container => "container",
            Self::StandAlone => "stand-alone",
        })
    }
}
