//! Whether AWS's container is followed in what it does, or in what it means to do.

use super::setting::Settings;
use crate::{arguments::Serve, error::Result};

/// What is answered where AWS's container departs from its own intentions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    /// What the container means to answer: a status that says whose fault it is, with the cause.
    #[default]
    Intended,
    /// What it answers: one 503 for every request that it cannot use, and predictions for rows that are too short.
    Strict,
}

impl Compat {
    /// Whether AWS's container is followed to the letter.
    #[must_use]
    pub fn is_strict(self) -> bool {
        self == Self::Strict
    }
}

pub(super) fn compat(serve: &Serve, settings: &Settings<'_>) -> Result<Compat> {
    let (flag, variables) = (serve.compat.as_ref(), &["THICKET_COMPAT"]);
    let compat = settings.parsed("--compat", flag, variables, "intended or strict", |text| match text {
        "intended" => Some(Compat::Intended),
        "strict" => Some(Compat::Strict),
        _ => None,
    })?;
    Ok(compat.unwrap_or_default())
}
