use crate::{
    distribution::Distribution, interval::Counts, interval::Interval, load::Summary, metrics::Metrics, process::Memory,
};
use std::time::Duration;

use super::*;

fn distribution() -> Distribution {
    Distribution::of((1..=100).map(Duration::from_micros).collect())
}

fn http() -> http::Figures {
    let summary = Summary { latency: distribution(), per_second: 1234.0, errors: [(503, 7)].into() };
    let memory = vec![(0.5, Memory { pss_bytes: 8 << 20, rss_bytes: 9 << 20 }), (1.0, Memory::default())];
    http::Figures { clients: 8, rate: Some(2000.0), rows_per_request: 1, summary, processor_us: Some(23.1), memory }
}

fn zipf() -> zipf::Figures {
    let of = |seconds| {
        let (before, after) = (Counts::default(), Counts::default());
        Interval::between(
            seconds,
            &before,
            &after,
            &Metrics::default(),
            Memory::default(),
            std::iter::empty().collect(),
        )
    };
    zipf::Figures {
        models: 500,
        exponent: 0.9,
        memory_limit_bytes: 1e7,
        clients: 4,
        rate: None,
        summary: Summary { latency: distribution(), ..Summary::default() },
        hit_ratio: 0.5,
        intervals: vec![of(0.5), of(1.0)],
    }
}

/// The page of results that were written and read back.
fn page() -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = Some(folder.path());
    Outcome::new("http", "a<b", http()).write(out).unwrap();
    let state = State { state: "never seen".to_owned(), latency: distribution() };
    Outcome::new("cold", "thicket", vec![state]).write(out).unwrap();
    Outcome::new("zipf", "thicket", zipf()).write(out).unwrap();
    Results::read(folder.path()).unwrap().page()
}

#[test]
fn the_page_has_every_result_and_what_it_came_from() {
    let page = page();
    for text in
        ["<td>a&lt;b</td>", "<td>1234</td>", "<td>503: 7</td>", "never seen", "Models in memory", "10 µs", "MiB"]
    {
        assert!(page.contains(text), "{text} is missing");
    }
    assert!(page.contains("Zipf(0.9) over 500 models, of which 10 MiB") && page.contains("How this was measured"));
    assert_eq!(page.matches("<svg ").count(), 8);
}

#[test]
fn the_page_asks_for_nothing_outside_and_runs_nothing() {
    let page = page();
    for text in ["<script", "http://", "https://", "@import", "url(", "<link", "<img"] {
        assert!(!page.contains(text), "{text} is there");
    }
}

#[test]
fn elements_are_closed() {
    let page = page();
    for name in ["svg", "text", "figure", "table", "tr", "td", "th", "div", "span", "dl", "dd", "style"] {
        let opened = page.matches(&format!("<{name}>")).count() + page.matches(&format!("<{name} ")).count();
        assert_eq!(opened, page.matches(&format!("</{name}>")).count(), "{name}");
    }
}

#[test]
fn what_is_no_result_is_told_by_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let told = || Results::read(folder.path()).err().unwrap().to_string();
    assert!(told().contains("no results"));
    Outcome::new("other", "a", 1).write(Some(folder.path())).unwrap();
    assert!(told().ends_with("other-a.json: results of an unknown kind: other"), "{}", told());
    Outcome::new("http", "a", 1).write(Some(folder.path())).unwrap();
    assert!(told().contains("http-a.json: results: "), "{}", told());
}
