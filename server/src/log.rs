//! Where the log goes: standard error, a line for each event.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::configuration::LogForm;

/// What our crates' names begin with.
const OURS: &str = "thicket";

/// Starts the log of this process; a log that has been started already goes on as it is.
///
/// Of libraries only warnings are logged, whatever the level: what they say about a request to a store may hold its
/// signature.
pub(crate) fn start(form: LogForm, level: LevelFilter) {
    let targets = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target(OURS, level);
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let lines = match form {
        LogForm::Text => lines.with_ansi(false).boxed(),
        LogForm::Json => lines.json().flatten_event(true).boxed(),
    };
    drop(registry().with(lines.with_filter(targets)).try_init());
}
