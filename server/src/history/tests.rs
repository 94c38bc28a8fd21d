//! A ring filled by hand.

use serde_json::{Value, json};

use super::*;

/// A sample two seconds times `number` after `start`, with numbers that grow by what their number is.
fn sample(start: Instant, number: u64) -> Sample {
    let mut warm = Durations::default();
    warm.buckets[3] = 10 * number;
    Sample {
        at: SystemTime::UNIX_EPOCH + Duration::from_secs(1000 + 2 * number),
        taken: start + 2 * Duration::from_secs(number),
        memory_bytes: 100 + number,
        models: usize::try_from(number).unwrap(),
        invocations: [8 * number, 0, 2 * number, number, 0],
        hits: 9 * number,
        lookups: 10 * number,
        warm,
        cold: Durations::default(),
        loads: number,
        load_failures: 0,
        departures: ByReason(std::array::from_fn(|reason| number * reason as u64)),
    }
}

fn history(samples: u64) -> History {
    let (history, start) = (History::default(), Instant::now());
    (0..samples).for_each(|number| history.note(sample(start, number)));
    history
}

fn points(history: &History, since: u64) -> Value {
    serde_json::to_value(history.points(since)).unwrap()
}

#[test]
fn points_are_differences_and_rates() {
    let points = points(&history(3), 0);
    for (column, expected) in [
        ("at", json!([1002.0, 1004.0])),
        ("memory_bytes", json!([101, 102])),
        ("models", json!([1, 2])),
        ("success", json!([4.0, 4.0])),
        ("client_error", json!([1.0, 1.0])),
        ("server_error", json!([0.5, 0.5])),
        ("lookups", json!([10, 10])),
        ("hits", json!([9, 9])),
        ("warm_p50_us", json!([175, 175])),
        ("cold_p99_us", json!([null, null])),
        (
            "left",
            json!({
                "room": [0, 0], "pressure": [1, 1], "idle": [2, 2], "unload": [3, 3], "replaced": [4, 4],
                "deleted": [5, 5], "damage": [6, 6],
            }),
        ),
        ("next", json!(3)),
    ] {
        assert_eq!(points[column], expected, "{column}");
    }
}

#[test]
fn whoever_has_seen_the_past_gets_what_is_new() {
    let at = |history: &History, since| {
        let at = points(history, since)["at"].as_array().unwrap().len();
        (at, points(history, since)["next"].as_u64().unwrap())
    };
    assert_eq!(at(&History::default(), 0), (0, 0));
    assert_eq!(at(&history(1), 0), (0, 1));
    let history = history(10);
    assert_eq!(at(&history, 0), (9, 10));
    assert_eq!(at(&history, 9), (1, 10));
    assert_eq!(at(&history, 10), (0, 10));
    assert_eq!(at(&history, 11), (9, 10), "a number of another server's");
    assert_eq!(at(&history, u64::MAX), (9, 10));
}

#[test]
fn the_past_is_bounded() {
    let samples = 3 * SAMPLES_MAX as u64;
    let history = history(samples);
    let all = points(&history, 0);
    assert_eq!(all["at"].as_array().unwrap().len(), SAMPLES_MAX - 1);
    assert_eq!(all["models"][SAMPLES_MAX - 2], samples - 1);
    assert_eq!(points(&history, samples - 2)["models"], json!([samples - 2, samples - 1]));
    assert!(history.ring().samples.capacity() < 2 * SAMPLES_MAX);
    let latencies = history.latencies();
    assert_eq!(latencies.warm.count(), 10 * (SAMPLES_MAX as u64 - 1));
    assert_eq!(latencies.span, Duration::from_mins(15));
}
