//! The models in memory as a table: some rows of it, in an order.

use std::{cmp::Ordering, time::UNIX_EPOCH};

use serde::Serialize;
use thicket_engine::Standing;

use super::query::{Key, Query};

/// A part of the table.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    /// Models in memory.
    total: usize,
    /// Those of them whose names the filter lets through.
    matching: usize,
    /// How many of these come before the rows.
    offset: usize,
    rows: Vec<Row>,
}

/// One model.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    bytes: u64,
    runtime: &'static str,
    /// Unix time in seconds.
    since: f64,
    requests: u64,
    popularity: f64,
    /// What keeping it gains for each byte, of what the most worthy model gains.
    worth: f64,
    idle_s: f64,
    is_pinned: bool,
    is_new: bool,
    /// How many would leave before it; nothing for one that is pinned.
    leave_before: Option<usize>,
}

/// The rows that `query` asks for.
pub(super) fn table(mut standings: Vec<Standing>, query: &Query) -> Table {
    let total = standings.len();
    let greatest = standings.iter().map(|standing| standing.worth).fold(f64::NEG_INFINITY, f64::max);
    standings.retain(|standing| query.filter.is_empty() || standing.model.name.to_lowercase().contains(&query.filter));
    let matching = standings.len();
    let order = |one: &Standing, other: &Standing| {
        let order = compare(query.sort, one, other);
        let order = if query.is_descending { order.reverse() } else { order };
        order.then_with(|| one.model.name.cmp(&other.model.name))
    };
    // Thousands that are not shown need not be sorted.
    let end = query.offset.saturating_add(query.limit);
    if end < matching {
        standings.select_nth_unstable_by(end, order);
        standings.truncate(end);
    }
    standings.sort_unstable_by(order);
    let shown = standings.into_iter().skip(query.offset).take(query.limit);
    let rows = shown.map(|standing| row(standing, greatest)).collect();
    Table { total, matching, offset: query.offset, rows }
}

fn compare(key: Key, one: &Standing, other: &Standing) -> Ordering {
    let (model, another) = (&one.model, &other.model);
    // Those that never leave come after those that do.
    let place = |standing: &Standing| standing.leave_before.unwrap_or(usize::MAX);
    match key {
        Key::Name => model.name.cmp(&another.name),
        Key::Bytes => model.bytes.cmp(&another.bytes),
        Key::Runtime => model.runtime.cmp(&another.runtime),
        Key::Since => model.loaded_at.cmp(&another.loaded_at),
        Key::Requests => model.requests.cmp(&another.requests),
        Key::Popularity => model.popularity.total_cmp(&another.popularity),
        Key::Worth => one.worth.total_cmp(&other.worth),
        Key::Idle => model.idle.cmp(&another.idle),
        Key::Leaving => place(one).cmp(&place(other)),
    }
}

fn row(standing: Standing, greatest: f64) -> Row {
    let Standing { model, worth, leave_before, is_new } = standing;
    Row {
        bytes: model.bytes,
        runtime: model.runtime.unwrap_or_default(),
        since: model.loaded_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
        requests: model.requests,
        popularity: rounded(model.popularity),
        // Where nothing has been asked for, all are worth the same.
        worth: if greatest.is_finite() { (worth - greatest).exp2() } else { 0.0 },
        idle_s: rounded(model.idle.unwrap_or_default().as_secs_f64()),
        is_pinned: model.is_pinned,
        is_new,
        leave_before,
        name: model.name,
    }
}

/// To a thousandth.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};
    use thicket_engine::ModelInfo;

    use super::*;

    /// A model of `size` bytes and as many requests, which `before` others would leave before.
    fn standing(name: &str, size: u32, worth: f64, before: Option<usize>) -> Standing {
        let model = ModelInfo {
            name: name.to_owned(),
            location: String::new(),
            bytes: size.into(),
            runtime: Some("forest"),
            loaded_at: UNIX_EPOCH + Duration::from_millis(1500),
            requests: size.into(),
            popularity: size.into(),
            idle: Some(Duration::from_secs(size.into())),
            is_pinned: before.is_none(),
        };
        Standing { model, worth, leave_before: before, is_new: false }
    }

    fn standings() -> Vec<Standing> {
        vec![
            standing("<b>", 3, 4.0, Some(2)),
            standing("Berlin", 2, f64::NEG_INFINITY, Some(0)),
            standing("bern", 2, 2.0, Some(1)),
            standing("pinned", 1, 3.0, None),
        ]
    }

    fn shown(query: &str) -> Value {
        serde_json::to_value(table(standings(), &Query::of(query).unwrap())).unwrap()
    }

    #[track_caller]
    fn check(query: &str, expected: &[&str]) {
        let shown = shown(query);
        let names: Vec<_> = shown["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{query}");
    }

    #[test]
    fn rows_are_sorted_filtered_and_cut() {
        check("", &["<b>", "Berlin", "bern", "pinned"]);
        check("sort=leaving&order=ascending", &["Berlin", "bern", "<b>", "pinned"]);
        check("sort=worth&order=descending", &["<b>", "pinned", "bern", "Berlin"]);
        check("sort=name&order=descending", &["pinned", "bern", "Berlin", "<b>"]);
        check("sort=idle&order=ascending&limit=2&offset=1", &["Berlin", "bern"]);
        check("filter=BER", &["Berlin", "bern"]);
        check("filter=nobody", &[]);
        check("offset=99", &[]);
        let shown = shown("filter=ber&limit=1");
        assert_eq!((&shown["total"], &shown["matching"]), (&json!(4), &json!(2)));
    }

    #[test]
    fn a_row_tells_what_a_model_is_worth_beside_the_best() {
        let row = |place: usize| shown("sort=leaving&order=ascending")["rows"][place].clone();
        let expected = json!({
            "name": "bern", "bytes": 2, "runtime": "forest", "since": 1.5, "requests": 2, "popularity": 2.0,
            "worth": 0.25, "idle_s": 2.0, "is_pinned": false, "is_new": false, "leave_before": 1,
        });
        assert_eq!(row(1), expected);
        assert_eq!((&row(0)["worth"], &row(3)["leave_before"]), (&json!(0.0), &Value::Null));
        let unasked = vec![standing("a", 1, f64::NEG_INFINITY, Some(0))];
        assert_eq!(serde_json::to_value(table(unasked, &Query::of("").unwrap())).unwrap()["rows"][0]["worth"], 0.0);
    }
}
