//! How artifacts are read where containers differ.

use thicket_engine::{BestIteration, Reading};

use super::setting::Settings;
use crate::{arguments, error::Result};

/// The choices that were made, else those of today's container.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::error::ErrorKind::Usage) with the option or variable, its value and what was expected.
pub fn reading(options: &arguments::Reading, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Reading> {
    let settings = Settings::new(lookup);
    let ensemble =
        settings.parsed("--ensemble", options.ensemble.as_ref(), &["THICKET_ENSEMBLE"], "true or false", |text| {
            text.parse().ok()
        })?;
    // AWS's containers take everything but this one word for a no.
    let is_wanted = || settings.variable("SAGEMAKER_INFERENCE_ENSEMBLE").is_none_or(|text| text == "true");
    Ok(Reading {
        ensemble: ensemble.unwrap_or_else(is_wanted),
        best_iteration: best_iteration(options, &settings)?.unwrap_or_default(),
    })
}

fn best_iteration(options: &arguments::Reading, settings: &Settings<'_>) -> Result<Option<BestIteration>> {
    let (flag, variables) = (options.best_iteration.as_ref(), &["THICKET_BEST_ITERATION"]);
    settings.parsed("--best-iteration", flag, variables, "today or legacy", |text| match text {
        "today" => Some(BestIteration::AsToday),
        "legacy" => Some(BestIteration::Legacy),
        _ => None,
    })
}
