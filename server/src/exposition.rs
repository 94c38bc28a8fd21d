//! Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write};

use thicket_engine::{BOUNDS_US, Durations};

/// The content type of the text.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const MICROSECONDS: f64 = 1e-6;

/// Metrics, written one after the other.
#[derive(Debug, Default)]
pub(crate) struct Exposition(String);

/// The kinds of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

/// Labels and their values.
type Labels<'a> = &'a [(&'a str, &'a str)];

impl Exposition {
    /// Begins a metric; its samples follow.
    pub(crate) fn metric<'a>(&'a mut self, name: &'a str, kind: Kind, help: &str) -> Metric<'a> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        };
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Metric { text: &mut self.0, name }
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// One metric, to which samples are added.
#[derive(Debug)]
pub(crate) struct Metric<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl Metric<'_> {
    pub(crate) fn sample(&mut self, labels: Labels<'_>, value: impl Display) -> &mut Self {
        self.line("", labels, value)
    }

    /// A histogram in seconds.
    pub(crate) fn durations(&mut self, labels: Labels<'_>, durations: &Durations) -> &mut Self {
        let mut count = 0;
        for (bucket, &requests) in durations.buckets.iter().enumerate() {
            count += requests;
            let bound = BOUNDS_US.get(bucket).map_or_else(|| "+Inf".to_owned(), |&us| seconds(us).to_string());
            let labels: Vec<_> = labels.iter().copied().chain([("le", bound.as_str())]).collect();
            self.line("_bucket", &labels, count);
        }
        self.line("_sum", labels, seconds(durations.sum_us)).line("_count", labels, count)
    }

    /// A sum and of how many.
    pub(crate) fn summary(&mut self, sum: u64, count: u64) -> &mut Self {
        self.line("_sum", &[], sum).line("_count", &[], count)
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, value: impl Display) -> &mut Self {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (number, (label, text)) in labels.iter().enumerate() {
            let open = if number == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{open}{label}=\"{}\"", escaped(text));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
        self
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sum of microseconds that f64 cannot hold takes centuries")]
fn seconds(us: u64) -> f64 {
    (us as f64 * MICROSECONDS * 1e6).round() / 1e6
}

/// A label's value as the format wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_break_out_of_their_quotes() {
        let mut exposition = Exposition::default();
        exposition.metric("a_total", Kind::Counter, "A.").sample(&[("model", "x\"} 1\n\\"), ("b", "é")], 7);
        assert_eq!(
            exposition.into_text(),
            "# HELP a_total A.\n# TYPE a_total counter\na_total{model=\"x\\\"} 1\\n\\\\\",b=\"é\"} 7\n"
        );
    }

    #[test]
    fn buckets_are_cumulative_and_in_seconds() {
        let mut durations = Durations { sum_us: 1_500_026, ..Durations::default() };
        (durations.buckets[0], durations.buckets[1], durations.buckets[BOUNDS_US.len()]) = (2, 1, 1);
        let mut exposition = Exposition::default();
        exposition.metric("a", Kind::Histogram, "A.").durations(&[("step", "map")], &durations);
        let text = exposition.into_text();
        for line in [
            "a_bucket{step=\"map\",le=\"0.000025\"} 2\n",
            "a_bucket{step=\"map\",le=\"0.00005\"} 3\n",
            "a_bucket{step=\"map\",le=\"60\"} 3\n",
            "a_bucket{step=\"map\",le=\"+Inf\"} 4\n",
            "a_sum{step=\"map\"} 1.500026\na_count{step=\"map\"} 4\n",
        ] {
            assert!(text.contains(line), "{text} lacks {line}");
        }
    }
}
