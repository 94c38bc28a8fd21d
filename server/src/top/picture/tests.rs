//! Pictures of a server made by hand.

use serde_json::json;

use super::*;

fn answer() -> Answer {
    let row = |name: &str, leave_before: Option<usize>, is_new: bool| {
        json!({
            "name": name, "bytes": 2048, "runtime": "forest", "since": 940.0, "requests": 7, "popularity": 6.25,
            "worth": 0.5, "idle_s": 3.0, "is_pinned": leave_before.is_none(), "is_new": is_new,
            "leave_before": leave_before,
        })
    };
    let numbers = |number: f64| vec![number; 3];
    let answer = json!({
        "server": {
            "version": "1.2.3", "mode": "stand-alone", "readiness": "ready", "started": 100.0, "now": 1000.0,
            "residency_min_s": 70.0,
        },
        "memory": { "used_bytes": 1536, "limit_bytes": 2048, "resident_bytes": null },
        "requests": { "in_flight": 1, "connections": 2, "hits": 3, "lookups": 4 },
        "counts": {
            "loads": 5, "cached_loads": 4, "load_failures": 1,
            "left": { "pressure": 8, "room": 9, "idle": 0, "damage": 7 },
        },
        "models": { "total": 4, "rows": [
            row("a", Some(0), false), row("\u{1b}[2J", Some(1), false), row("c", Some(2), true), row("d", None, false),
        ] },
        "departures": [
            { "model": "gone", "reason": "room", "at": 61.0, "bytes": 1, "requests": 2, "age_s": 30.0, "idle_s": 1.0 },
        ],
        "history": {
            "success": numbers(9.0), "client_error": numbers(0.5), "server_error": numbers(0.5), "lookups": [4, 4, 4],
            "hits": [2, 2, 3], "warm_p50_us": [1, 2, 40], "warm_p99_us": [1, 2, 400], "cold_p50_us": [1, null, null],
            "cold_p99_us": [1, 2, null],
        },
    });
    serde_json::from_value(answer).unwrap()
}

#[track_caller]
fn check(lines: &[Line], expected: &[&str]) {
    let text: Vec<String> = lines.iter().map(Line::plain).collect();
    let text = text.join("\n");
    for part in expected {
        assert!(text.contains(part), "{text}\nlacks {part:?}");
    }
}

#[test]
fn a_printout_has_everything() {
    let lines = whole("host:1", &answer(), Sorting::default());
    let expected = [
        "thicket 1.2.3 at host:1, stand-alone, up 15 min 0 s, ready",
        "1.50 KiB of 2.00 KiB, 75.0 %",
        "10.0/s: 2xx 9.00, 4xx 0.50, 5xx 0.50; 1 in flight, 2 connections",
        "75.0 % (since the start 75.0 %); 4 models in memory; 5 loads, 4 cached, 1 failed",
        "warm p50 40 us, p99 400 us; cold p50 –, p99 –",
        "room 9, pressure 8, damage 7",
        "next       forest  a",
        "after 1       forest  \\u{1b}[2J",
        "new, 10 s       forest  c",
        "pinned       forest  d",
        "00:01:01     room         2       1 B         30 s        1.0 s  gone",
    ];
    check(&lines, &expected);
}

#[test]
fn a_screen_is_full_and_no_fuller() {
    for rows in [1, 2, 5, 10, 14, 24, 60] {
        let size = Size { columns: 80, rows };
        let lines = screen("host:1", Some(&answer()), None, Sorting::default(), size);
        assert_eq!(lines.len(), rows);
        check(&lines[rows - 1..], &["q quit", "name memory age"]);
    }
}

#[test]
fn a_narrow_screen_has_names_too() {
    let size = Size { columns: 80, rows: 24 };
    let lines = screen("host:1", Some(&answer()), None, Sorting::default(), size);
    check(&lines, &["  REQUESTS    MEMORY      LEAVES  MODEL", "2.00 KiB        next  a", "1 B         30 s  gone"]);
    assert!(lines.iter().all(|line| !line.plain().contains("RUNS ON")));
}

#[test]
fn a_server_that_is_gone_is_said_to_be_and_was_last_seen_so() {
    let loss = Loss { age: Duration::from_secs(12), because: "cannot reach host:1" };
    let size = Size { columns: 80, rows: 24 };
    let lines = screen("host:1", Some(&answer()), Some(loss), Sorting::default(), size);
    check(&lines[..1], &["No news for 12 s: cannot reach host:1; trying again"]);
    check(&lines, &["thicket 1.2.3", "gone"]);
    check(&screen("host:1", None, Some(loss), Sorting::default(), size), &["No news", "thicket at host:1"]);
}
