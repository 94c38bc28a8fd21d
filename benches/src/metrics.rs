//! What a thicket server says of itself at `GET /metrics`.

use std::collections::HashMap;

use crate::{
    error::{Error, Result},
    load::connection::Connection,
};

/// One answer.
#[derive(Clone, Debug, Default)]
pub struct Metrics(HashMap<String, f64>);

impl Metrics {
    /// Asks the server at the other end.
    ///
    /// # Errors
    /// When it does not answer 200.
    pub fn ask(connection: &mut Connection) -> Result<Self> {
        let request = b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
        match connection.get(request).map_err(Error::at("/metrics"))? {
            (200, body) => Ok(Self::read(&String::from_utf8_lossy(&body))),
            (status, _) => Err(Error::new(format!("/metrics: status {status}"))),
        }
    }

    fn read(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().ok()?))
        });
        Self(samples.collect())
    }

    /// The number of a series, such as `thicket_models` or `thicket_model_lookups_total{result="hit"}`; zero without it.
    #[must_use]
    pub fn of(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_have_their_numbers() {
        let metrics = Metrics::read("# HELP a b\n# TYPE a gauge\na 5\nb{c=\"d e\",le=\"0.1\"} 0.25\n");
        let eighths = |series| format!("{:.0}", metrics.of(series) * 8.0);
        assert_eq!(["a", "b{c=\"d e\",le=\"0.1\"}", "c"].map(eighths), ["40", "2", "0"]);
    }
}
