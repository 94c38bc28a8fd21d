//! A load on any server that has routes of models.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    arguments::{Http, Traffic},
    distribution::{HEADINGS, micros},
    error::Result,
    load::{
        Load, Summary,
        pace::Pace,
        requests::{Requests, bodies_from},
    },
    outcome::Outcome,
    process::{Memory, Tree},
    table::{Table, short},
    watch::watch,
};

/// How often memory is looked at.
const INTERVAL: Duration = Duration::from_millis(250);

/// What a run came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Connections.
    pub clients: usize,
    /// Requests a second that were to begin; nothing in a closed loop.
    pub rate: Option<f64>,
    /// Rows of a request.
    pub rows_per_request: usize,
    /// Latencies, throughput, errors.
    pub summary: Summary,
    /// Processor time of the server's processes for each request, in microseconds.
    pub processor_us: Option<f64>,
    /// Their memory by seconds since the start.
    pub memory: Vec<(f64, Memory)>,
}

impl Traffic {
    /// The load that the options ask for.
    #[must_use]
    pub fn load(&self) -> Load {
        Load {
            clients: self.clients.get(),
            pace: self.rate.map_or(Pace::Closed, Pace::Rate),
            duration: Duration::from_secs_f64(self.seconds),
            requests_max: self.requests,
        }
    }
}

/// Runs the load and tells what came of it.
///
/// # Errors
/// When the server cannot be reached, the rows not be read, or the results not be written.
pub fn run(options: &Http) -> Result<()> {
    let bodies = bodies_from(&options.rows, options.rows_per_request.get())?;
    let requests = Requests::new(&options.route, &options.header, &options.model, bodies)?;
    let load = options.traffic.load();
    eprintln!("warming up with {} requests", options.warm_up);
    let warm_up = Load { pace: Pace::Closed, duration: Duration::from_mins(1), requests_max: options.warm_up, ..load };
    warm_up.run(&options.url, &requests)?;
    eprintln!("measuring for up to {} s", options.traffic.seconds);
    let figures = measure(options, &load, &requests)?;
    print!("{}", table(&[(&options.out.name, &figures)]));
    Outcome::new("http", &options.out.name, figures).write(options.out.out.as_deref())
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 requests")]
fn measure(options: &Http, load: &Load, requests: &Requests) -> Result<Figures> {
    let tree = options.pid.map(Tree::of);
    let processor = || tree.map(Tree::processor_time).transpose();
    let before = processor()?;
    let (answers, memory) =
        watch(INTERVAL, || tree.and_then(|tree| tree.memory().ok()), || load.run(&options.url, requests));
    let (answers, after) = (answers?, processor()?);
    let each =
        |(before, after): (Duration, Duration)| micros(after.saturating_sub(before)) / answers.len().max(1) as f64;
    Ok(Figures {
        clients: load.clients,
        rate: options.traffic.rate,
        rows_per_request: options.rows_per_request.get(),
        summary: Summary::of(&answers),
        processor_us: before.zip(after).map(each),
        memory,
    })
}

/// The runs of these names as a table.
#[must_use]
pub fn table(runs: &[(&str, &Figures)]) -> Table {
    let mut headings = vec!["run", "clients", "rate"];
    headings.extend(HEADINGS);
    headings.extend(["per second", "CPU µs each", "PSS MiB", "errors"]);
    let mut table = Table::new(&headings);
    for (name, figures) in runs {
        table.row(cells(name, figures));
    }
    table
}

fn cells(name: &str, figures: &Figures) -> Vec<String> {
    let mut cells =
        vec![name.to_owned(), figures.clients.to_string(), figures.rate.map_or_else(|| "-".to_owned(), short)];
    cells.extend(figures.summary.latency.cells());
    cells.push(short(figures.summary.per_second));
    cells.push(figures.processor_us.map_or_else(|| "-".to_owned(), short));
    cells.push(figures.memory.last().map_or_else(|| "-".to_owned(), |(_, memory)| short(mebibytes(memory.pss_bytes))));
    cells.push(figures.summary.errors_text());
    cells
}

/// The bytes in MiB.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 bytes")]
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
