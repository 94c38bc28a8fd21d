//! What the tests from outside share: the fixtures, read from the repository.

#![forbid(unsafe_code)]
#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a broken fixture may end a test")]

mod cases;
mod graphs;
mod houses;
mod mutation;
pub mod repair;
mod rows;

pub use cases::{Case, cases, contributions};
pub use graphs::{Graph, graphs};
pub use houses::{House, houses, prefix};
pub use mutation::{Random, mutate};
pub use rows::{bits, matrix, numbers, parse, worst};

use std::path::PathBuf;

/// The repository's own folder.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The folder of the fixtures.
#[must_use]
pub fn fixtures() -> PathBuf {
    root().join("tests/fixtures")
}
