//! How artifacts are read where containers differ.

use thicket_engine::Reading;

use super::setting::Settings;
use crate::{arguments, error::Result};

/// The choices that were made, else those of today's container.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::error::ErrorKind::Usage) with the option or variable, its value and what was expected.
pub fn reading(options: &arguments::Reading, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Reading> {
    let settings = Settings::new(lookup);
    let chosen =
        settings.parsed("--ensemble", options.ensemble.as_ref(), &["THICKET_ENSEMBLE"], "true or false", |text| {
            text.parse().ok()
        })?;
    // AWS's containers take everything but this one word for a no.
    let is_wanted = || settings.variable("SAGEMAKER_INFERENCE_ENSEMBLE").is_none_or(|text| text == "true");
    Ok(Reading { ensemble: chosen.unwrap_or_else(is_wanted) })
}
