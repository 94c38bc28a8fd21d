//! Where the log goes: standard error, a line for each event.

use std::io;

use tracing::level_filters::LevelFilter;

use crate::configuration::LogForm;

/// Starts the log of this process; a log that has been started already goes on as it is.
pub(crate) fn start(form: LogForm, level: LevelFilter) {
    let subscriber = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(level).with_target(false);
    let started = match form {
        LogForm::Text => subscriber.with_ansi(false).try_init(),
        LogForm::Json => subscriber.json().flatten_event(true).try_init(),
    };
    drop(started);
}
