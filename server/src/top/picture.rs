//! The picture: what the server says, as lines. A pure function of it.

use std::time::Duration;

use thicket_engine::Reason;

use super::{
    answer::{Answer, Departure, Row},
    line::{Line, Style},
    sorting::{self, Column, Sorting},
    terminal::Size,
    words,
};

/// Columns of the bar of memory, and points of the line of rates.
const BAR_COLUMNS: usize = 30;

/// Of the lines beneath the numbers, one in so many is a departure.
const DEPARTURE_SHARE: usize = 3;
/// Departures in a picture that is printed once.
const DEPARTURES_ONCE: usize = 10;

/// The table of models: what each column is sorted by, its head, its width, and the screen that has room for it. Names come
/// last: they may be long.
const MODEL_COLUMNS: [(Option<Column>, &str, usize, usize); 9] = [
    (Some(Column::Popularity), "POPULARITY", 10, 0),
    (Some(Column::Worth), "WORTH", 9, 90),
    (Some(Column::Requests), "REQUESTS", 10, 0),
    (Some(Column::Memory), "MEMORY", 10, 0),
    (Some(Column::Age), "THERE FOR", 13, 110),
    (Some(Column::Idle), "IDLE", 13, 120),
    (Some(Column::Leaving), "LEAVES", 12, 0),
    (None, "RUNS ON", 13, 130),
    (Some(Column::Name), "  MODEL", 0, 0),
];

/// The same of the table of departures.
const DEPARTURE_COLUMNS: [(&str, usize, usize); 7] = [
    ("LEFT (UTC)", 10, 0),
    ("REASON", 9, 0),
    ("REQUESTS", 10, 90),
    ("MEMORY", 10, 0),
    ("STAYED", 13, 0),
    ("IDLE", 13, 120),
    ("  MODEL", 0, 0),
];

/// A server that does not answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loss<'a> {
    pub(super) age: Duration,
    pub(super) because: &'a str,
}

/// Everything, for a printout.
pub(super) fn whole(server: &str, answer: &Answer, sorting: Sorting) -> Vec<Line> {
    let mut lines = numbers(server, answer);
    lines.push(Line::default());
    lines.extend(models(answer, sorting, usize::MAX, usize::MAX));
    lines.push(Line::default());
    lines.extend(departures(answer, DEPARTURES_ONCE, usize::MAX));
    lines
}

/// What fits on a screen of that size, with the keys in its last line.
pub(super) fn screen(
    server: &str,
    answer: Option<&Answer>,
    loss: Option<Loss<'_>>,
    sorting: Sorting,
    size: Size,
) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(Loss { age, because }) = loss {
        let age = words::span(age.as_secs_f64());
        lines.push(Line::default().and(Style::Bad, format!("No news for {age}: {because}; trying again")));
    }
    match answer {
        Some(answer) => {
            lines.extend(numbers(server, answer));
            lines.push(Line::default());
            // The heads of both tables, the line between them, and the keys.
            let room = size.rows.saturating_sub(lines.len() + 4);
            let left = (room / DEPARTURE_SHARE).min(answer.departures.len().max(1));
            lines.extend(models(answer, sorting, room - left, size.columns));
            lines.push(Line::default());
            lines.extend(departures(answer, left, size.columns));
        }
        None => lines.push(Line::default().plain_text(format!("thicket at {server}"))),
    }
    lines.truncate(size.rows.saturating_sub(1));
    lines.resize(size.rows.saturating_sub(1), Line::default());
    lines.push(keys());
    lines
}

fn keys() -> Line {
    let line = Line::default().and(Style::Strong, "q").and(Style::Faint, " quit   sort by ");
    sorting::keys().fold(line, |line, name| {
        let (key, rest) = name.split_at(1);
        line.and(Style::Strong, key).and(Style::Faint, format!("{rest} "))
    })
}

/// The numbers of the moment.
fn numbers(server: &str, answer: &Answer) -> Vec<Line> {
    vec![head(server, answer), memory(answer), requests(answer), lookups(answer), latency(answer), left(answer)]
}

fn label(text: &str) -> Line {
    Line::default().and(Style::Faint, format!("{text:<10}"))
}

fn head(server: &str, answer: &Answer) -> Line {
    let of = &answer.server;
    let style = if of.readiness == "ready" { Style::Good } else { Style::Notable };
    Line::default()
        .and(Style::Strong, format!("thicket {}", of.version))
        .plain_text(format!(" at {server}, {}, up {}, ", of.mode, words::span(of.now - of.started)))
        .and(style, &of.readiness)
}

#[expect(clippy::cast_precision_loss, reason = "a share")]
fn memory(answer: &Answer) -> Line {
    let memory = &answer.memory;
    let share = memory.used_bytes as f64 / memory.limit_bytes.max(1) as f64;
    let process = memory.resident_bytes.map(|bytes| format!(", process {}", words::bytes(bytes))).unwrap_or_default();
    label("Memory").and(Style::Good, words::bar(share, BAR_COLUMNS)).plain_text(format!(
        " {} of {}, {}{process}",
        words::bytes(memory.used_bytes),
        words::bytes(memory.limit_bytes),
        words::share(share)
    ))
}

fn requests(answer: &Answer) -> Line {
    let (history, requests) = (&answer.history, &answer.requests);
    let rates = history.rates();
    let shown = &rates[rates.len().saturating_sub(BAR_COLUMNS)..];
    let latest = |column: &[f64]| words::digits(column.last().copied().unwrap_or_default());
    let failed = history.server_error.last().is_some_and(|rate| *rate > 0.0);
    label("Requests")
        .and(Style::Good, format!("{:>BAR_COLUMNS$}", words::blocks(shown)))
        .plain_text(format!(
            " {}/s: 2xx {}, 4xx {}, ",
            latest(&rates),
            latest(&history.success),
            latest(&history.client_error)
        ))
        .and(if failed { Style::Bad } else { Style::Plain }, format!("5xx {}", latest(&history.server_error)))
        .plain_text(format!("; {} in flight, {} connections", requests.in_flight, requests.connections))
}

fn lookups(answer: &Answer) -> Line {
    let (history, requests, counts) = (&answer.history, &answer.requests, &answer.counts);
    let (hits, lookups) = (history.hits.last(), history.lookups.last());
    label("Hits").plain_text(format!(
        "{} (since the start {}); {} models in memory; {} loads, {} cached, {} failed",
        words::percent(hits.copied().unwrap_or_default(), lookups.copied().unwrap_or_default()),
        words::percent(requests.hits, requests.lookups),
        answer.models.total,
        counts.loads,
        counts.cached_loads,
        counts.load_failures,
    ))
}

fn latency(answer: &Answer) -> Line {
    let history = &answer.history;
    let latest = |column: &[Option<u64>]| words::micros(column.last().copied().flatten());
    label("Latency").plain_text(format!(
        "warm p50 {}, p99 {}; cold p50 {}, p99 {}",
        latest(&history.warm_p50_us),
        latest(&history.warm_p99_us),
        latest(&history.cold_p50_us),
        latest(&history.cold_p99_us),
    ))
}

fn left(answer: &Answer) -> Line {
    let count = |reason: Reason| answer.counts.left.get(reason.name()).copied().filter(|count| *count > 0);
    let counts = Reason::ALL.into_iter().filter_map(|reason| Some(format!("{} {}", reason.name(), count(reason)?)));
    let text = counts.collect::<Vec<_>>().join(", ");
    label("Left").plain_text(if text.is_empty() { "none".to_owned() } else { text })
}

/// The table of models: its head, and so many of them, for a screen of so many columns.
fn models(answer: &Answer, sorting: Sorting, rows: usize, columns: usize) -> Vec<Line> {
    let head = MODEL_COLUMNS.iter().filter(|(.., least)| columns >= *least).fold(
        Line::default(),
        |line, (column, name, width, _)| {
            let style = if *column == Some(sorting.column) { Style::Strong } else { Style::Faint };
            line.and(style, format!("{name:>width$}"))
        },
    );
    let mut lines = vec![head];
    if answer.models.rows.is_empty() {
        lines.push(Line::default().and(Style::Faint, "no model is in memory: the first request for one brings it"));
    }
    lines.extend(answer.models.rows.iter().take(rows).map(|row| model(row, answer, columns)));
    lines
}

fn model(row: &Row, answer: &Answer, columns: usize) -> Line {
    let age_s = (answer.server.now - row.since).max(0.0);
    let (style, leaves) = leaves(row, answer.server.residency_min_s - age_s);
    let cells = [
        (Style::Plain, format!("{:.1}", row.popularity)),
        (Style::Plain, words::share(row.worth)),
        (Style::Plain, row.requests.to_string()),
        (Style::Plain, words::bytes(row.bytes)),
        (Style::Plain, words::span(age_s)),
        (Style::Plain, words::span(row.idle_s)),
        (style, leaves),
        (Style::Plain, row.runtime.clone()),
        (Style::Plain, format!("  {}", row.name)),
    ];
    let shown = MODEL_COLUMNS.iter().zip(cells).filter(|((.., least), _)| columns >= *least);
    shown.fold(Line::default(), |line, ((_, _, width, _), (style, text))| line.and(style, format!("{text:>width$}")))
}

/// When a model would leave, of which `stay_s` are left in which others leave first.
fn leaves(row: &Row, stay_s: f64) -> (Style, String) {
    match row.leave_before {
        _ if row.is_pinned => (Style::Faint, "pinned".to_owned()),
        None => (Style::Faint, "never".to_owned()),
        Some(_) if row.is_new => (Style::Faint, format!("new, {:.0} s", stay_s.max(0.0))),
        Some(0) => (Style::Notable, "next".to_owned()),
        Some(before) => (Style::Plain, format!("after {before}")),
    }
}

/// The table of those that left: its head, and so many of them.
fn departures(answer: &Answer, rows: usize, columns: usize) -> Vec<Line> {
    let head = DEPARTURE_COLUMNS.iter().filter(|(.., least)| columns >= *least);
    let head = head.fold(Line::default(), |line, (name, width, _)| line.and(Style::Faint, format!("{name:>width$}")));
    let mut lines = vec![head];
    if answer.departures.is_empty() {
        lines.push(Line::default().and(Style::Faint, "nothing has left memory yet"));
    }
    lines.extend(answer.departures.iter().take(rows).map(|left| departure(left, columns)));
    lines
}

fn departure(left: &Departure, columns: usize) -> Line {
    let style = if left.reason == "pressure" { Style::Bad } else { Style::Notable };
    let cells = [
        (Style::Plain, words::clock(left.at)),
        (style, left.reason.clone()),
        (Style::Plain, left.requests.to_string()),
        (Style::Plain, words::bytes(left.bytes)),
        (Style::Plain, words::span(left.age_s)),
        (Style::Plain, words::span(left.idle_s)),
        (Style::Plain, format!("  {}", left.model)),
    ];
    let shown = DEPARTURE_COLUMNS.iter().zip(cells).filter(|((.., least), _)| columns >= *least);
    shown.fold(Line::default(), |line, ((_, width, _), (style, text))| line.and(style, format!("{text:>width$}")))
}

#[cfg(test)]
mod tests;
