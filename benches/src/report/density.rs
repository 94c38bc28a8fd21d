//! What is said and drawn of a run of many models in little memory.

use super::{
    axis::Axis,
    charts::{latencies, numbers, over_time},
    svg::{Chart, Series},
};
use crate::{
    capacity::Capacity,
    density::{Figures, Moment, Phase},
    http::mebibytes,
    table::{Table, short},
};

/// In one sentence, what was done.
pub(super) fn introduction(figures: &Figures) -> String {
    format!(
        "{} models of {} trees in S3, a server that may take {:.0} MiB. Zipf({}); {:.0} requests a second for {} popular models, {:.0} for cold ones.",
        figures.models,
        figures.trees,
        mebibytes(figures.limit_bytes),
        figures.exponent,
        figures.rates.0,
        figures.popular_models,
        figures.rates.1,
    )
}

/// The charts, each with the name of its file.
pub(super) fn charts(figures: &Figures) -> [(&'static str, Chart); 5] {
    let phases = &figures.phases;
    let warm = [("alone", &phases.warm), ("beside poisoned ones", &phases.poison), ("beside cold ones", &phases.cold)];
    let cold = [("never seen", &phases.never_seen.latency), ("from the cache", &phases.from_cache.latency)];
    [
        (
            "warm",
            Chart {
                title: "Latency of popular models",
                ..latencies(warm.into_iter().map(|(name, phase)| (name, &phase.summary.latency)))
            },
        ),
        ("cold", Chart { title: "Latency of models that were not in memory", ..latencies(cold.into_iter()) }),
        ("course", course(&warm)),
        ("memory", memory(figures)),
        ("models", over_time("Models in memory", "models", vec![line(figures, "resident", |one| one.resident_models)])),
    ]
}

fn course(phases: &[(&str, &Phase)]) -> Chart {
    let series = |(name, phase): &(&str, &Phase)| Series {
        name: (*name).to_owned(),
        points: phase.p99_us.clone(),
        is_filled: false,
    };
    let series: Vec<_> = phases.iter().map(series).collect();
    Chart {
        y: Axis::logarithmic("latency, logarithmic", numbers(&series, |point| point.1)),
        ..over_time("99th percentile of popular models, second by second", "", series)
    }
}

fn memory(figures: &Figures) -> Chart {
    let limit = mebibytes(figures.limit_bytes);
    let series = vec![
        line(figures, "with the page cache", |one| mebibytes(one.all_bytes)),
        line(figures, "models", |one| one.models_bytes / f64::from(1 << 20)),
        line(figures, "heap and stacks", |one| mebibytes(one.anonymous_bytes)),
        line(figures, "limit", move |_| limit),
    ];
    over_time("Memory of the server", "MiB", series)
}

fn line(figures: &Figures, name: &str, value: impl Fn(&Moment) -> f64) -> Series {
    let points = figures.course.iter().map(|one| (one.seconds, value(one))).collect();
    Series { name: name.to_owned(), points, is_filled: false }
}

/// How many models each server holds in the same memory.
pub(super) fn capacities(figures: &[&Figures], rivals: &[(&str, &Capacity)]) -> Table {
    let mut table = Table::new(&["server", "limit MiB", "models in memory", "how it ended"]);
    let limit = |bytes| short(mebibytes(bytes));
    for figures in figures {
        let resident = figures.phases.cold.resident_models;
        let end = "goes on: others come and go".to_owned();
        table.row(["thicket".to_owned(), limit(figures.limit_bytes), short(resident), end]);
    }
    for (name, rival) in rivals {
        table.row([(*name).to_owned(), limit(rival.limit_bytes), rival.models.to_string(), rival.end.clone()]);
    }
    table
}
