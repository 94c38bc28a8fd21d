//! What is aimed at, and whether it was reached.

use super::{Figures, Phase};
use crate::{
    error::{Error, Result},
    fleet::POISONED,
    table::{Table, short},
};

/// An upper or lower bound of a figure.
struct Goal {
    name: &'static str,
    figure: f64,
    bound: f64,
    is_least: bool,
}

impl Goal {
    fn is_reached(&self) -> bool {
        if self.is_least { self.figure >= self.bound } else { self.figure <= self.bound }
    }
}

fn goals(figures: &Figures) -> Vec<Goal> {
    let phases = &figures.phases;
    let p99_us = |phase: &Phase| phase.summary.latency.p99_us.max(1e-9);
    let (alone_us, beside_us) = (p99_us(&phases.warm), p99_us(&phases.cold));
    let most = |name, figure, bound| Goal { name, figure, bound, is_least: false };
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let (failures, kills) = (failures(figures) as f64, figures.kills as f64);
    vec![
        most("failed or wrong answers", failures, 0.0),
        most("processes killed by the kernel", kills, 0.0),
        Goal { name: "cold loads a second", figure: cold_per_second(figures), bound: 50.0, is_least: true },
        most("p99 of popular models beside cold ones, ms", beside_us / 1e3, 1.0),
        most("the same by what it is without cold ones", beside_us / alone_us, 1.2),
        most("p99 of popular models beside poisoned ones by the same", p99_us(&phases.poison) / alone_us, 1.1),
        most("tries of a poisoned model", tries(figures), tries_max(figures)),
        most("p99 of models never seen, ms", phases.never_seen.latency.p99_us / 1e3, 20.0),
        most("p99 of models from the cache, ms", phases.from_cache.latency.p99_us / 1e3, 20.0),
    ]
}

/// Answers of all phases that were errors, or wrong.
fn failures(figures: &Figures) -> usize {
    let phases = &figures.phases;
    let streams = [&phases.fill, &phases.mixed, &phases.warm, &phases.poison, &phases.cold].map(|phase| &phase.summary);
    let streams = streams.into_iter().chain([&phases.never_seen, &phases.from_cache]);
    let failed: usize = streams.flat_map(|summary| summary.errors.values()).sum();
    // No answer of a model that cannot be loaded is right.
    failed + phases.poisoned.latency.count
}

/// How often each poisoned model was loaded in vain.
#[expect(clippy::cast_precision_loss, reason = "a handful")]
fn tries(figures: &Figures) -> f64 {
    figures.phases.poison.loads.failed / POISONED as f64
}

/// How often it may be: pauses between tries begin with a second and become twice as long each time.
fn tries_max(figures: &Figures) -> f64 {
    (figures.phases.poison.seconds() + 1.0).log2().ceil()
}

/// Of the last phase, loads that were asked for on purpose.
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 requests")]
fn cold_per_second(figures: &Figures) -> f64 {
    let phases = &figures.phases;
    let count = phases.never_seen.latency.count + phases.from_cache.latency.count;
    count as f64 / phases.cold.seconds().max(1e-9)
}

/// Every goal with its figure.
#[must_use]
pub fn table(figures: &Figures) -> Table {
    let mut table = Table::new(&["goal", "bound", "measured", "reached"]);
    for goal in goals(figures) {
        let bound = format!("{} {}", if goal.is_least { "≥" } else { "≤" }, short(goal.bound));
        let reached = if goal.is_reached() { "yes" } else { "no" };
        table.row([goal.name.to_owned(), bound, short(goal.figure), reached.to_owned()]);
    }
    table
}

/// Nothing but an error where answers failed or were wrong, or a process died: whatever its speed, a run is good for nothing then.
///
/// # Errors
/// With what happened.
pub fn hold(figures: &Figures) -> Result<()> {
    let (failures, kills) = (failures(figures), figures.kills);
    if failures > 0 || kills > 0 || !figures.is_alive {
        let end = if figures.is_alive { "runs" } else { "has ended" };
        return Err(Error::new(format!("{failures} answers failed or were wrong, {kills} kills; the server {end}")));
    }
    Ok(())
}
