//! From figures to charts.

use crate::{distribution::Distribution, http, http::mebibytes, interval::Interval, zipf};

use super::{
    axis::Axis,
    svg::{Chart, Series},
};

/// How latencies are distributed: the share of each bucket, all buckets equally wide on the logarithmic axis.
pub(super) fn latencies<'a>(all: impl Iterator<Item = (&'a str, &'a Distribution)>) -> Chart {
    let steps = |(name, latency): (&str, &Distribution)| Series {
        name: name.to_owned(),
        points: outline(latency),
        is_filled: true,
    };
    let series: Vec<_> = all.filter(|(_, latency)| latency.count > 0).map(steps).collect();
    Chart {
        title: "Latency",
        x: Axis::logarithmic("latency, logarithmic", numbers(&series, |point| point.0)),
        y: Axis::linear("share of requests, %", numbers(&series, |point| point.1)),
        series,
    }
}

/// The outline of a histogram's bars.
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 requests")]
fn outline(latency: &Distribution) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for &(end, count) in &latency.buckets {
        let (start, share) = (Distribution::bucket_start_us(end), count as f64 * 100.0 / latency.count as f64);
        if let Some(&(last, _)) = points.last().filter(|(last, _)| start > last * 1.001) {
            points.extend([(last, 0.0), (start, 0.0)]);
        }
        if points.is_empty() {
            points.push((start, 0.0));
        }
        points.extend([(start, share), (end, share)]);
    }
    points.extend(points.last().map(|last| (last.0, 0.0)));
    points
}

/// What servers take in memory as time goes by.
pub(super) fn memory(runs: &[(&str, &http::Figures)]) -> Chart {
    let with_memory = runs.iter().filter(|(_, figures)| !figures.memory.is_empty());
    let series = with_memory.map(|(name, figures)| Series {
        name: (*name).to_owned(),
        points: figures.memory.iter().map(|(seconds, memory)| (*seconds, mebibytes(memory.pss_bytes))).collect(),
        is_filled: false,
    });
    over_time("Memory of the server (PSS)", "MiB", series.collect())
}

/// How a run after Zipf's law went on.
pub(super) fn course(figures: &zipf::Figures) -> [Chart; 5] {
    let line = |name: &str, value: &dyn Fn(&Interval) -> Option<f64>| Series {
        name: name.to_owned(),
        points: figures.intervals.iter().filter_map(|one| Some((one.seconds, value(one)?))).collect(),
        is_filled: false,
    };
    let latency = vec![
        line("cold p99", &|one| one.cold_p99_us),
        line("cold p50", &|one| one.cold_p50_us),
        line("warm p99", &|one| one.warm_p99_us),
        line("warm p50", &|one| one.warm_p50_us),
    ];
    let memory = vec![
        line("server, PSS", &|one| Some(mebibytes(one.memory.pss_bytes))),
        line("models", &|one| Some(one.models_bytes / f64::from(1 << 20))),
        line("limit for models", &|_| Some(figures.memory_limit_bytes / f64::from(1 << 20))),
    ];
    let hits = vec![line("hits", &|one| Some(one.hit_ratio * 100.0))];
    let latency = Chart {
        y: Axis::logarithmic("latency, logarithmic", numbers(&latency, |point| point.1)),
        ..over_time("Latency by whether the model was in memory, in the server", "", latency)
    };
    let seen = [("clients", &figures.summary.latency)];
    [
        latencies(seen.into_iter()),
        latency,
        over_time("Models in memory", "models", vec![line("resident", &|one| Some(one.resident_models))]),
        over_time("Memory", "MiB", memory),
        Chart {
            y: Axis::linear("%", std::iter::once(100.0)),
            ..over_time("Requests whose model was in memory", "%", hits)
        },
    ]
}

/// Lines by seconds since the start.
pub(super) fn over_time(title: &'static str, label: &'static str, series: Vec<Series>) -> Chart {
    Chart {
        title,
        x: Axis::time("seconds since the start", numbers(&series, |point| point.0)),
        y: Axis::linear(label, numbers(&series, |point| point.1)),
        series,
    }
}

/// One coordinate of all points.
pub(super) fn numbers(series: &[Series], number: fn(&(f64, f64)) -> f64) -> impl Iterator<Item = f64> + Clone {
    series.iter().flat_map(move |one| one.points.iter().map(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_falls_to_nothing_between_bars_that_lie_apart() {
        let (near, far) = (10f64.powf(0.05), 10f64.powf(0.2));
        let latency = Distribution { count: 4, buckets: vec![(near, 1), (far, 3)], ..Distribution::default() };
        let shares: Vec<_> = outline(&latency).iter().map(|(_, share)| format!("{share:.0}")).collect();
        assert_eq!(shares, ["0", "25", "25", "0", "0", "75", "75", "0"]);
    }
}
