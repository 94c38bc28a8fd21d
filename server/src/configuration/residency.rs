//! Which models stay in memory, beyond what requests decide.

use std::time::Duration;

use super::{seconds, setting::Settings};
use crate::{arguments, error::Result};

/// Which models stay in memory; a value of this type has been checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Residency {
    /// Names of models that leave only when they are unloaded.
    pub pins: Vec<String>,
    /// How long a model stays at least while others can leave.
    pub least: Duration,
    /// How long nobody may ask for a model until it leaves; `None` is for ever.
    pub idle_max: Option<Duration>,
    /// How many models are brought at the start that were worth most before.
    pub preload_max: usize,
}

/// What was set, else the defaults.
pub(super) fn residency(options: &arguments::Residency, settings: &Settings<'_>) -> Result<Residency> {
    let (least, idle) = (options.residency_min.as_ref(), options.model_idle_max.as_ref());
    let idle_max = seconds(settings, "--model-idle-max", idle, "THICKET_MODEL_IDLE_MAX", 0)?;
    let preload = options.preload.as_ref();
    let preload_max =
        settings.parsed("--preload", preload, &["THICKET_PRELOAD"], "a number of models", |text| text.parse().ok())?;
    Ok(Residency {
        pins: pins(options, settings),
        least: seconds(settings, "--residency-min", least, "THICKET_RESIDENCY_MIN", 10)?,
        idle_max: Some(idle_max).filter(|idle_max| !idle_max.is_zero()),
        preload_max: preload_max.unwrap_or(usize::MAX),
    })
}

fn pins(options: &arguments::Residency, settings: &Settings<'_>) -> Vec<String> {
    if !options.pin.is_empty() {
        return options.pin.clone();
    }
    let names = settings.variable("THICKET_PIN").unwrap_or_default();
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
