//! First answers over HTTP: of models never seen, of models whose packs are on disk, of models that were evicted.

use std::{ops::RangeInclusive, path::Path, time::Duration};

use crate::{
    arguments::Cold,
    error::{Error, Result},
    load::{Load, connection::Connection, pace::Pace, requests::Requests},
    metrics::Metrics,
    outcome::Outcome,
    prefix::Prefix,
    sample::Sample,
    server::Server,
    state::{State, table},
};

/// Measures the states one after the other.
///
/// # Errors
/// When the server does not start, a request is refused, or models were in another state than they should have been.
pub fn run(options: &Cold) -> Result<()> {
    let models = options.models;
    let prefix = Prefix::of(usize::try_from(models).map_err(Error::at("models"))?)?;
    let requests = prefix.requests()?;
    let mut states = Vec::new();
    let mut bench = Bench { prefix: &prefix, requests: &requests, thicket: &options.thicket, states: &mut states };
    let bytes = bench.states_of("never seen", "warm", "converted", models)?;
    bench.states_of("cached on disk", "", "cached", models)?;
    bench.evicted(bytes, models)?;
    print!("{}", table(&states));
    Outcome::new("cold", &options.out.name, states).write(options.out.out.as_deref())
}

struct Bench<'a> {
    prefix: &'a Prefix,
    requests: &'a Requests,
    thicket: &'a Path,
    states: &'a mut Vec<State>,
}

impl Bench<'_> {
    fn start(&self, options: &[&str]) -> Result<Server> {
        Server::start(self.thicket, &self.prefix.models(), &self.prefix.cache(), options)
    }

    /// One answer of each model, and one more of each where `later` is the name of that state; the bytes they take.
    fn states_of(&mut self, first: &str, later: &str, loads: &str, models: u64) -> Result<f64> {
        let server = self.start(&[])?;
        self.measure(&server, first, models)?;
        if !later.is_empty() {
            self.measure(&server, later, models * 10)?;
        }
        let metrics = Metrics::ask(&mut Connection::open(server.address())?)?;
        expect(&metrics, &format!("thicket_loads_total{{result=\"{loads}\"}}"), models..=models)?;
        Ok(metrics.of("thicket_models_memory_bytes"))
    }

    /// Two answers of each model where a quarter of them fits in memory: each is gone when its turn comes again, but for a few
    /// that something held up when they came, since they are worth more.
    fn evicted(&mut self, bytes: f64, models: u64) -> Result<()> {
        let limit = format!("{:.0}", (bytes / 4.0).max(1.0));
        let server = self.start(&["--memory-limit", &limit])?;
        self.latencies(&server, models)?;
        self.measure(&server, "evicted before", models)?;
        let metrics = Metrics::ask(&mut Connection::open(server.address())?)?;
        expect(&metrics, "thicket_loads_total{result=\"cached\"}", models * 2 - models / 10..=models * 2)
    }

    /// The latencies of `count` requests of one client, all of which must be answered well.
    fn latencies(&self, server: &Server, count: u64) -> Result<Sample> {
        let load = Load { clients: 1, pace: Pace::Closed, duration: Duration::from_mins(10), requests_max: count };
        let answers = load.run(server.address(), self.requests)?;
        match answers.iter().find(|answer| !answer.is_success()) {
            Some(answer) => Err(Error::new(format!("request {}: status {}", answer.number, answer.status))),
            None => Ok(answers.iter().map(|answer| answer.latency).collect()),
        }
    }

    fn measure(&mut self, server: &Server, state: &str, count: u64) -> Result<()> {
        eprintln!("{state}: {count} requests");
        let latencies = self.latencies(server, count)?;
        self.states.push(State::new(state, latencies));
        Ok(())
    }
}

fn expect(metrics: &Metrics, series: &str, counts: RangeInclusive<u64>) -> Result<()> {
    let found = metrics.of(series);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter of a few thousand")]
    let is_right = counts.contains(&(found.round() as u64));
    let (least, most) = counts.into_inner();
    if is_right { Ok(()) } else { Err(Error::new(format!("{series} is {found}, expected {least} to {most}"))) }
}
