//! Traffic after Zipf's law on more models than fit in memory, and what the server says of itself meanwhile.

pub mod sampler;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    arguments::Zipf,
    distribution::HEADINGS,
    error::Result,
    interval::{Counts, Interval},
    load::{Answer, Summary, connection::Connection},
    metrics::Metrics,
    outcome::Outcome,
    prefix::Prefix,
    process::Memory,
    sample::Sample,
    server::Server,
    table::{Table, short},
    watch::watch,
};
use sampler::Sampler;

/// Draws that are made before the run, and sent again in turn.
const DRAWS: usize = 1 << 20;

/// The run and how it went on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Models under the prefix.
    pub models: usize,
    /// The exponent of the law.
    pub exponent: f64,
    /// Memory that models may take, in bytes.
    pub memory_limit_bytes: f64,
    /// Connections.
    pub clients: usize,
    /// Requests a second that were to begin; nothing in a closed loop.
    pub rate: Option<f64>,
    /// Latencies, throughput, errors.
    pub summary: Summary,
    /// Of requests, the share whose model was in memory.
    pub hit_ratio: f64,
    /// What was seen, one interval after the other.
    pub intervals: Vec<Interval>,
}

/// Runs the traffic against a server of its own.
///
/// # Errors
/// When the server does not start, or the results cannot be written.
pub fn run(options: &Zipf) -> Result<()> {
    let models = options.models.get();
    eprintln!("copying {models} models");
    let prefix = Prefix::of(models)?;
    let mut sampler = Sampler::new(models, options.exponent, 1);
    let order = (0..DRAWS).map(|_| u32::try_from(sampler.draw()).unwrap_or_default()).collect();
    let requests = prefix.requests()?.in_order(order);
    let limit = ["--memory-limit", options.memory_limit.as_str()];
    let server = Server::start(&options.thicket, &prefix.models(), &prefix.cache(), &limit)?;
    let mut connection = Connection::open(server.address())?;
    let interval = Duration::from_secs_f64(options.interval);
    eprintln!("measuring for {} s", options.traffic.seconds);
    let look = || Some((Metrics::ask(&mut connection).ok()?, server.tree().memory().ok()?));
    let load = options.traffic.load();
    let (answers, seen) = watch(interval, look, || load.run(server.address(), &requests));
    let figures = figures(options, &answers?, &seen);
    print!("{}", table(&[(&options.out.name, &figures)]));
    Outcome::new("zipf", &options.out.name, figures).write(options.out.out.as_deref())
}

fn figures(options: &Zipf, answers: &[Answer], seen: &[(f64, (Metrics, Memory))]) -> Figures {
    let mut before = (0.0, Counts::default());
    let mut intervals = Vec::new();
    for (seconds, (metrics, memory)) in seen {
        let counts = Counts::of(metrics);
        let all = latencies(answers, before.0, *seconds);
        intervals.push(Interval::between(*seconds, &before.1, &counts, metrics, *memory, all));
        before = (*seconds, counts);
    }
    Figures {
        models: options.models.get(),
        exponent: options.exponent,
        memory_limit_bytes: seen
            .last()
            .map_or(0.0, |(_, (metrics, _))| metrics.of("thicket_models_memory_limit_bytes")),
        clients: options.traffic.clients.get(),
        rate: options.traffic.rate,
        summary: Summary::of(answers),
        hit_ratio: before.1.hit_ratio(),
        intervals,
    }
}

/// The latencies of the requests that were answered well and begun between two times, in seconds.
fn latencies(answers: &[Answer], from: f64, until: f64) -> Sample {
    let is_between = |answer: &&Answer| (from..until).contains(&answer.begun.as_secs_f64()) && answer.is_success();
    answers.iter().filter(is_between).map(|answer| answer.latency).collect()
}

/// The runs of these names as a table.
#[must_use]
pub fn table(runs: &[(&str, &Figures)]) -> Table {
    let mut headings = vec!["run", "models", "clients", "rate"];
    headings.extend(HEADINGS);
    headings.extend(["per second", "hits %", "resident", "errors"]);
    let mut table = Table::new(&headings);
    for (name, figures) in runs {
        table.row(cells(name, figures));
    }
    table
}

fn cells(name: &str, figures: &Figures) -> Vec<String> {
    let rate = figures.rate.map_or_else(|| "-".to_owned(), short);
    let mut cells = vec![name.to_owned(), figures.models.to_string(), figures.clients.to_string(), rate];
    cells.extend(figures.summary.latency.cells());
    cells.push(short(figures.summary.per_second));
    cells.push(short(figures.hit_ratio * 100.0));
    cells.push(figures.intervals.last().map_or(0.0, |last| last.resident_models).to_string());
    cells.push(figures.summary.errors_text());
    cells
}
