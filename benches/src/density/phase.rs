//! A part of a run: what clients saw, and what the server counted meanwhile.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Figures;
use crate::{
    distribution::{HEADINGS, micros},
    interval::Counts,
    load::{Answer, Summary},
    metrics::Metrics,
    sample::Sample,
    table::{Table, short},
};

/// Steps of a load.
const STEPS: [&str; 9] = ["wait", "locate", "fetch", "unpack", "convert", "verify", "publish", "reserve", "map"];

/// What clients saw and the server counted. Times are in microseconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Phase {
    /// When it began and ended, in seconds since the start of the run.
    pub span: (f64, f64),
    /// Of the clients of this phase, without those of cold models.
    pub summary: Summary,
    /// For each second of the phase, when it ended and the 99th percentile of what began in it.
    pub p99_us: Vec<(f64, f64)>,
    /// The 99th percentile of requests whose model was in memory, from the server's own histogram: from head to answer,
    /// without the way there and back and the waiting for a processor before and behind it.
    pub server_p99_us: Option<f64>,
    /// Of all requests, the share whose model was in memory.
    pub hit_ratio: f64,
    /// Loads that converted their model, found it converted, and failed.
    pub loads: Loads,
    /// Models in memory at the end.
    pub resident_models: f64,
    /// Seconds of processor time of the server.
    pub processor_s: f64,
    /// What each step of a load took in the mean, where it was taken.
    pub steps_us: Vec<(String, f64)>,
}

/// Loads by what they came to.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Loads {
    /// Fetched and converted.
    pub converted: f64,
    /// Found in the cache.
    pub cached: f64,
    /// Failed.
    pub failed: f64,
}

impl Loads {
    fn of(metrics: &Metrics) -> Self {
        let loads = |result| metrics.of(&format!("thicket_loads_total{{result=\"{result}\"}}"));
        Self { converted: loads("converted"), cached: loads("cached"), failed: loads("failed") }
    }
}

impl Phase {
    /// What happened between two looks at the server's metrics, each with the seconds since the start and the processor
    /// time so far.
    #[must_use]
    pub fn between(before: &(f64, Duration, Metrics), after: &(f64, Duration, Metrics), answers: &[Answer]) -> Self {
        let since = |series: &str| after.2.of(series) - before.2.of(series);
        let lookups = |result| since(&format!("thicket_model_lookups_total{{result=\"{result}\"}}"));
        let (hits, misses) = (lookups("hit"), lookups("miss"));
        let (loads, loads_before) = (Loads::of(&after.2), Loads::of(&before.2));
        let steps = STEPS.iter().filter_map(|step| {
            let of = |part| since(&format!("thicket_load_step_duration_seconds_{part}{{step=\"{step}\"}}"));
            let count = of("count");
            (count > 0.0).then(|| ((*step).to_owned(), of("sum") / count * 1e6))
        });
        Self {
            span: (before.0, after.0),
            summary: Summary::of(answers),
            p99_us: by_second(answers).into_iter().map(|(second, p99_us)| (before.0 + second, p99_us)).collect(),
            server_p99_us: Counts::of(&after.2).warm_us(&Counts::of(&before.2), 0.99),
            hit_ratio: if hits + misses > 0.0 { hits / (hits + misses) } else { 1.0 },
            loads: Loads {
                converted: loads.converted - loads_before.converted,
                cached: loads.cached - loads_before.cached,
                failed: loads.failed - loads_before.failed,
            },
            resident_models: after.2.of("thicket_models"),
            processor_s: after.1.saturating_sub(before.1).as_secs_f64(),
            steps_us: steps.collect(),
        }
    }

    /// How long it was, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.span.1 - self.span.0
    }

    /// Loads that made a model ready, a second.
    #[must_use]
    pub fn loads_per_second(&self) -> f64 {
        (self.loads.converted + self.loads.cached) / self.seconds().max(1e-9)
    }
}

/// For each second, when it ended and the 99th percentile of the good answers to what began in it.
fn by_second(answers: &[Answer]) -> Vec<(f64, f64)> {
    let last = answers.iter().map(|answer| answer.begun.as_secs()).max().unwrap_or_default();
    let mut seconds = vec![Vec::new(); usize::try_from(last).unwrap_or_default() + 1];
    for answer in answers.iter().filter(|answer| answer.is_success()) {
        seconds[usize::try_from(answer.begun.as_secs()).unwrap_or_default()].push(answer.latency);
    }
    let p99 = |times: Vec<Duration>| times.into_iter().collect::<Sample>().sorted().quantile(0.99);
    let ends = (1u32..).map(f64::from);
    ends.zip(seconds).filter(|(_, times)| !times.is_empty()).map(|(end, times)| (end, micros(p99(times)))).collect()
}

/// Each stream of requests.
#[must_use]
pub fn table(figures: &Figures) -> Table {
    let mut headings = vec!["requests"];
    headings.extend(HEADINGS);
    headings.extend(["per second", "errors"]);
    let mut table = Table::new(&headings);
    let phases = &figures.phases;
    let cold = [
        ("poisoned", &phases.poisoned),
        ("cold: never seen", &phases.never_seen),
        ("cold: from the cache", &phases.from_cache),
    ];
    for (name, summary) in named(figures).map(|(name, phase)| (name, &phase.summary)).into_iter().chain(cold) {
        let cells = [name.to_owned()].into_iter().chain(summary.latency.cells());
        table.row(cells.chain([short(summary.per_second), summary.errors_text()]));
    }
    table
}

/// What the server did in each phase.
#[must_use]
pub fn server_table(figures: &Figures) -> Table {
    let headings = [
        "the server",
        "seconds",
        "CPU %",
        "hits %",
        "warm p99 µs",
        "loads per second",
        "converted",
        "failed",
        "resident",
    ];
    let mut table = Table::new(&headings);
    for (name, phase) in named(figures) {
        table.row([
            name.to_owned(),
            short(phase.seconds()),
            short(phase.processor_s / phase.seconds().max(1e-9) * 100.0),
            short(phase.hit_ratio * 100.0),
            phase.server_p99_us.map_or_else(|| "-".to_owned(), short),
            short(phase.loads_per_second()),
            short(phase.loads.converted),
            short(phase.loads.failed),
            short(phase.resident_models),
        ]);
    }
    table
}

/// What the steps of a load took in each phase that had loads.
#[must_use]
pub fn steps_table(figures: &Figures) -> Table {
    let headings: Vec<_> = ["a load's steps, mean µs"].into_iter().chain(STEPS).collect();
    let mut table = Table::new(&headings);
    for (name, phase) in named(figures).into_iter().filter(|(_, phase)| phase.loads_per_second() > 1.0) {
        let step = |step: &str| phase.steps_us.iter().find(|(name, _)| name == step).map(|(_, us)| short(*us));
        let steps = STEPS.iter().map(|name| step(name).unwrap_or_else(|| "-".to_owned()));
        table.row([name.to_owned()].into_iter().chain(steps));
    }
    table
}

fn named(figures: &Figures) -> [(&'static str, &Phase); 5] {
    let phases = &figures.phases;
    [
        ("every model once", &phases.fill),
        ("all after Zipf's law", &phases.mixed),
        ("popular ones alone", &phases.warm),
        ("popular ones beside poisoned ones", &phases.poison),
        ("popular ones beside cold ones", &phases.cold),
    ]
}
