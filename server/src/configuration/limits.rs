//! What one client may take of the server: connections, time and bytes.

use std::{ops::RangeInclusive, time::Duration};

use super::setting::Settings;
use crate::{arguments, error::Result, size};

/// A day: longer waits are typing errors.
const SECONDS_MAX: f64 = 86_400.0;

/// What hyper's buffer for heads holds with room to spare, and the largest target and number of fields that it reads.
const HEAD_BYTES_MAX: usize = 256 << 10;
const TARGET_BYTES_MAX: usize = 65_534;
const FIELDS_MAX: usize = 10_000;

/// What one client may take of the server; a value of this type has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; those beyond are answered 503 and closed.
    pub connections_max: usize,
    /// How long a connection may wait for its next request: by default longer than the minute for which load balancers
    /// keep connections, so that it is they who close them.
    pub idle: Duration,
    /// How long a request's head may take from its first byte to its last.
    pub head_arrival: Duration,
    /// How long a request's body may take from the end of its head to its last byte.
    pub body_arrival: Duration,
    /// How long a client may take to read an answer that does not fit into the socket's buffer.
    pub answer_departure: Duration,
    /// Largest head in bytes, and as much for all trailers and chunk extensions of a body.
    pub head_bytes_max: usize,
    /// Fields in a head.
    pub fields_max: usize,
    /// Longest request target in bytes.
    pub target_bytes_max: usize,
    /// Chunks in a body.
    pub chunks_max: usize,
    /// Bytes of all bodies at once; `None` leaves it to the memory that models may take.
    pub bodies_bytes_max: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 8192,
            idle: Duration::from_secs(65),
            head_arrival: Duration::from_secs(10),
            body_arrival: Duration::from_secs(30),
            answer_departure: Duration::from_secs(30),
            head_bytes_max: 16 << 10,
            fields_max: 100,
            target_bytes_max: 8 << 10,
            chunks_max: 1 << 20,
            bodies_bytes_max: None,
        }
    }
}

/// The limits that were set, else the defaults.
pub(super) fn limits(options: &arguments::Limits, settings: &Settings<'_>) -> Result<Limits> {
    let (wanted, default) = (Wanted(settings), Limits::default());
    let place = |option, flag, variable| Place { option, flag, variable };
    let connections = place("--connections-max", &options.connections_max, "THICKET_CONNECTIONS_MAX");
    let idle = place("--idle-timeout", &options.idle_timeout, "THICKET_IDLE_TIMEOUT");
    let head = place("--head-timeout", &options.head_timeout, "THICKET_HEAD_TIMEOUT");
    let body = place("--body-timeout", &options.body_timeout, "THICKET_BODY_TIMEOUT");
    let answer = place("--write-timeout", &options.write_timeout, "THICKET_WRITE_TIMEOUT");
    let head_bytes = place("--head-max", &options.head_max, "THICKET_HEAD_MAX");
    let fields = place("--headers-max", &options.headers_max, "THICKET_HEADERS_MAX");
    let target_bytes = place("--uri-max", &options.uri_max, "THICKET_URI_MAX");
    let chunks = place("--chunks-max", &options.chunks_max, "THICKET_CHUNKS_MAX");
    let bodies = place("--bodies-max", &options.bodies_max, "THICKET_BODIES_MAX");
    Ok(Limits {
        connections_max: wanted.number(connections, 1..=1_000_000, default.connections_max)?,
        idle: wanted.duration(idle, default.idle)?,
        head_arrival: wanted.duration(head, default.head_arrival)?,
        body_arrival: wanted.duration(body, default.body_arrival)?,
        answer_departure: wanted.duration(answer, default.answer_departure)?,
        head_bytes_max: wanted.bytes(head_bytes, 256..=HEAD_BYTES_MAX, default.head_bytes_max)?,
        fields_max: wanted.number(fields, 1..=FIELDS_MAX, default.fields_max)?,
        target_bytes_max: wanted.bytes(target_bytes, 16..=TARGET_BYTES_MAX, default.target_bytes_max)?,
        chunks_max: wanted.number(chunks, 1..=1_000_000_000, default.chunks_max)?,
        bodies_bytes_max: wanted.size(bodies)?,
    })
}

/// Where one limit may have been set.
struct Place<'a> {
    option: &'static str,
    flag: &'a Option<String>,
    variable: &'static str,
}

/// Reads limits from the settings.
struct Wanted<'a>(&'a Settings<'a>);

impl Wanted<'_> {
    fn parsed<T>(&self, place: Place<'_>, expected: &str, default: T, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        let set = self.0.parsed(place.option, place.flag.as_ref(), &[place.variable], expected, parse)?;
        Ok(set.unwrap_or(default))
    }

    fn duration(&self, place: Place<'_>, default: Duration) -> Result<Duration> {
        self.parsed(place, "seconds above 0, up to 86400", default, |text| {
            let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0 && *seconds <= SECONDS_MAX)?;
            Duration::try_from_secs_f64(seconds).ok()
        })
    }

    fn number(&self, place: Place<'_>, range: RangeInclusive<usize>, default: usize) -> Result<usize> {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        self.parsed(place, &expected, default, |text| text.parse().ok().filter(|number| range.contains(number)))
    }

    fn size(&self, place: Place<'_>) -> Result<Option<usize>> {
        self.parsed(place, "a size above 0, such as 256MiB", None, |text| {
            size::parse(text).and_then(|bytes| usize::try_from(bytes).ok()).filter(|bytes| *bytes > 0).map(Some)
        })
    }

    fn bytes(&self, place: Place<'_>, range: RangeInclusive<usize>, default: usize) -> Result<usize> {
        let expected = format!("a size from {} to {} bytes", range.start(), range.end());
        self.parsed(place, &expected, default, |text| {
            size::parse(text).and_then(|bytes| usize::try_from(bytes).ok()).filter(|bytes| range.contains(bytes))
        })
    }
}
