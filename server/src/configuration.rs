//! What the server is told to be: options, environment variables and defaults, checked as a whole before a port is bound.
//!
//! `SageMaker`'s own variables stand behind ours, so that an image runs there without any option.

use std::{
    env,
    num::NonZero,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use thicket_engine::{HeapMeter, Libraries, Reading};
use tracing::level_filters::LevelFilter;

use crate::{
    arguments::{self, Runtimes, Serve},
    decode::Rules,
    encode::{self, Accepted, Dialect, Selection, Style},
    error::{Error, ErrorKind, Result},
    size,
};

mod compat;
mod console;
mod freshness;
mod limits;
mod mode;
mod place;
mod reading;
mod residency;
mod rows;
mod setting;

pub use compat::Compat;
pub use console::Console;
pub use freshness::Freshness;
pub use limits::Limits;
pub use mode::{Chosen, Mode};
pub use place::libraries;
pub use reading::reading;
pub use residency::Residency;
use setting::Settings;

/// AWS's container never lets `MAX_CONTENT_LENGTH` go beyond this.
const MAX_CONTENT_LENGTH_MAX: u64 = 20 << 20;

/// A day: longer waits are typing errors.
const SECONDS_MAX: f64 = 86_400.0;

/// Everything that `thicket serve` needs to know; a value of this type has been checked.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Whose endpoint this is.
    pub mode: Mode,
    /// Why it is that, for the log.
    pub because: &'static str,
    /// Whether AWS's container is followed in its mistakes.
    pub compat: Compat,
    /// Name or address to listen on.
    pub host: String,
    /// Port to listen on; 0 for any free one.
    pub port: u16,
    /// What all models may take together in bytes; `None` leaves it to the cgroup or the machine.
    pub memory_limit_bytes: Option<u64>,
    /// What tells how much memory the models of other engines take: known by whoever chose the process's allocator, and none unless set.
    pub heap_meter: Option<HeapMeter>,
    /// Which models stay in memory.
    pub residency: Residency,
    /// What changes in the source and on disk.
    pub freshness: Freshness,
    /// Where converted models are kept.
    pub cache_dir: PathBuf,
    /// Threads that answer requests; at least 1.
    pub workers: usize,
    /// Largest request body in bytes.
    pub body_bytes_max: usize,
    /// Largest artifact in bytes.
    pub model_bytes_max: u64,
    /// How long a request waits for its model to load.
    pub load_wait: Duration,
    /// How long running requests may go on once the server stops.
    pub grace: Duration,
    /// How long a server that is to stop takes new connections all the same, unready.
    pub drain_wait: Duration,
    /// Who is shown the console.
    pub console: Console,
    /// The namespace of the metrics that are written to standard output for CloudWatch; none are without one.
    pub emf: Option<String>,
    /// How a log line looks.
    pub log: LogForm,
    /// What is logged.
    pub log_level: LevelFilter,
    /// What one client may take of the server.
    pub limits: Limits,
    /// What a client that asks for nothing in particular gets.
    pub accept_default: Accepted,
    /// How answers are written.
    pub style: Style,
    /// What of its predictions a server of one model answers, where that is selected.
    pub selection: Option<Selection>,
    /// How artifacts are read where containers differ.
    pub reading: Reading,
    /// How rows are read where containers differ.
    pub rows: Rules,
    /// Where other engines' shared libraries are looked for.
    pub libraries: Libraries,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Configuration {
    /// The configuration of `serve` in the environment of this process.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn from_environment(serve: &Serve) -> Result<Self> {
        Self::resolve_beside(serve, &variable, Path::new(mode::MODEL_DIR).is_dir())
    }

    /// The configuration of `serve` where `lookup` knows the environment's variables, and no platform has left a model.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] with the option or variable, its value and what was expected, and when the environment asks
    /// for the user's own Python.
    pub fn resolve(serve: &Serve, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        Self::resolve_beside(serve, lookup, false)
    }

    /// The same where `has_model_dir` says whether the platform's folder for one model is there.
    fn resolve_beside(serve: &Serve, lookup: &dyn Fn(&str) -> Option<String>, has_model_dir: bool) -> Result<Self> {
        let settings = Settings::new(lookup);
        refuse_script_mode(&settings)?;
        let Chosen { mode, because, is_contained: container } = mode::chosen(serve, &settings, has_model_dir)?;
        let compat = compat::compat(serve, &settings)?;
        let host = settings.text("--host", serve.host.as_ref(), &["THICKET_HOST"]);
        let cache_dir = settings.text("--cache-dir", serve.cache_dir.as_ref(), &["THICKET_CACHE_DIR"]);
        let host = host.unwrap_or_else(|| if container { "0.0.0.0" } else { "127.0.0.1" }.to_owned());
        Ok(Self {
            port: port(serve, &settings)?,
            compat,
            heap_meter: None,
            memory_limit_bytes: memory_limit(serve, &settings)?,
            residency: residency::residency(&serve.residency, &settings)?,
            freshness: freshness::freshness(&serve.freshness, &settings)?,
            cache_dir: cache_dir.map_or_else(|| place::cache_dir(container, lookup), PathBuf::from),
            workers: workers(serve, &settings)?,
            body_bytes_max: body_bytes_max(serve, &settings)?,
            model_bytes_max: model_bytes_max(serve, &settings)?,
            load_wait: seconds(&settings, "--load-wait", serve.load_wait.as_ref(), "THICKET_LOAD_WAIT", 60)?,
            grace: seconds(&settings, "--grace", serve.grace.as_ref(), "THICKET_GRACE", 25)?,
            drain_wait: seconds(&settings, "--drain-wait", serve.drain_wait.as_ref(), "THICKET_DRAIN_WAIT", 0)?,
            console: console::console(serve, &settings, &host)?,
            host,
            emf: emf(serve, &settings)?,
            log: log_form(serve, &settings)?,
            log_level: log_level(serve, &settings)?,
            limits: limits::limits(&serve.limits, &settings)?,
            accept_default: accept_default(&settings, &mode)?,
            style: Style { dialect: mode.dialect(), batch: settings.variable("SAGEMAKER_BATCH").is_some() },
            selection: selection(&settings, &mode),
            reading: reading(&serve.reading, lookup)?,
            rows: rows::rules(serve, &settings, compat)?,
            libraries: libraries(&serve.runtimes, lookup),
            mode,
            because,
        })
    }
}

/// The libraries for a command other than `serve`, in the environment of this process.
#[must_use]
pub fn libraries_from_environment(runtimes: &Runtimes) -> Libraries {
    libraries(runtimes, &variable)
}

/// How a command other than `serve` reads its artifact, in the environment of this process.
///
/// # Errors
/// As [`reading`].
pub fn reading_from_environment(options: &arguments::Reading) -> Result<Reading> {
    reading(options, &variable)
}

fn variable(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

fn refuse_script_mode(settings: &Settings<'_>) -> Result<()> {
    for variable in ["SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"] {
        if let Some(value) = settings.variable(variable) {
            let message = format!(
                "{variable}: '{value}' asks for the user's own Python, expected no such variable: thicket runs no Python"
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
    }
    Ok(())
}

fn port(serve: &Serve, settings: &Settings<'_>) -> Result<u16> {
    let variables = &["THICKET_PORT", "SAGEMAKER_BIND_TO_PORT"];
    let setting = settings
        .parsed("--port", serve.port.as_ref(), variables, "a port from 0 to 65535", |text| text.parse().ok())?;
    Ok(setting.unwrap_or(8080))
}

fn memory_limit(serve: &Serve, settings: &Settings<'_>) -> Result<Option<u64>> {
    let expected = "a size above 0, such as 512MiB or 2G";
    settings.parsed("--memory-limit", serve.memory_limit.as_ref(), &["THICKET_MEMORY_LIMIT"], expected, |text| {
        size::parse(text).filter(|bytes| *bytes > 0)
    })
}

fn workers(serve: &Serve, settings: &Settings<'_>) -> Result<usize> {
    let expected = "a number from 1 to 1024";
    let workers = settings.parsed("--workers", serve.workers.as_ref(), &["THICKET_WORKERS"], expected, |text| {
        text.parse().ok().filter(|workers| (1..=1024).contains(workers))
    })?;
    Ok(workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get)))
}

fn body_bytes_max(serve: &Serve, settings: &Settings<'_>) -> Result<usize> {
    let expected = "a size above 0, such as 6MiB";
    let bytes = |text: &str| size::parse(text).filter(|bytes| *bytes > 0);
    let variables = &["THICKET_BODY_MAX", "SAGEMAKER_MAX_REQUEST_SIZE"];
    let chosen = settings.parsed("--body-max", serve.body_max.as_ref(), variables, expected, bytes)?;
    let capped = settings.parsed("MAX_CONTENT_LENGTH", None, &["MAX_CONTENT_LENGTH"], expected, bytes)?;
    let bytes = chosen.or(capped.map(|bytes| bytes.min(MAX_CONTENT_LENGTH_MAX))).unwrap_or(6 << 20);
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn model_bytes_max(serve: &Serve, settings: &Settings<'_>) -> Result<u64> {
    let expected = "a size above 0, such as 256MiB";
    let bytes = settings.parsed("--model-max", serve.model_max.as_ref(), &["THICKET_MODEL_MAX"], expected, |text| {
        size::parse(text).filter(|bytes| *bytes > 0)
    })?;
    Ok(bytes.unwrap_or(256 << 20))
}

fn seconds(
    settings: &Settings<'_>,
    option: &'static str,
    flag: Option<&String>,
    variable: &'static str,
    default: u64,
) -> Result<Duration> {
    let wait = settings.parsed(option, flag, &[variable], "seconds from 0 to 86400", |text| {
        let seconds = text.parse().ok().filter(|seconds| (0.0..=SECONDS_MAX).contains(seconds))?;
        Duration::try_from_secs_f64(seconds).ok()
    })?;
    Ok(wait.unwrap_or(Duration::from_secs(default)))
}

fn emf(serve: &Serve, settings: &Settings<'_>) -> Result<Option<String>> {
    let expected = "a namespace of 1 to 255 letters, digits and any of . - _ / # :, but not AWS's own";
    let is_named = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#:".contains(&byte);
    settings.parsed("--emf", serve.emf.as_ref(), &["THICKET_EMF"], expected, |text| {
        let is_namespace = (1..=255).contains(&text.len()) && text.bytes().all(is_named) && !text.starts_with("AWS/");
        is_namespace.then(|| text.to_owned())
    })
}

fn log_form(serve: &Serve, settings: &Settings<'_>) -> Result<LogForm> {
    let form = settings.parsed("--log", serve.log.as_ref(), &["THICKET_LOG"], "text or json", |text| match text {
        "text" => Some(LogForm::Text),
        "json" => Some(LogForm::Json),
        _ => None,
    })?;
    Ok(form.unwrap_or(LogForm::Text))
}

fn log_level(serve: &Serve, settings: &Settings<'_>) -> Result<LevelFilter> {
    let expected = "error, warn, info, debug, trace or off";
    let level = settings.parsed("--log-level", serve.log_level.as_ref(), &["THICKET_LOG_LEVEL"], expected, |text| {
        text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_alphabetic()))
    })?;
    Ok(level.unwrap_or(LevelFilter::INFO))
}

fn accept_default(settings: &Settings<'_>, mode: &Mode) -> Result<Accepted> {
    let variable = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT";
    let expected = "application/json, text/csv, application/jsonlines or application/x-recordio-protobuf";
    let form = settings.parsed(variable, None, &[variable], expected, encode::Form::named)?;
    Ok(Accepted::default_of(form.unwrap_or_else(|| mode.form_default()), mode.dialect()))
}

/// Only AWS's server of one model selects.
fn selection(settings: &Settings<'_>, mode: &Mode) -> Option<Selection> {
    let names = settings.variable("SAGEMAKER_INFERENCE_OUTPUT")?;
    (mode.dialect() == Dialect::SingleModel).then(|| Selection::parse(&names))
}

#[cfg(test)]
mod tests;
