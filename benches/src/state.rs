//! Answers of models in one state: never seen, cached on disk, in memory.

use serde::{Deserialize, Serialize};

use crate::{
    distribution::{Distribution, HEADINGS},
    sample::Sample,
    table::Table,
};

/// The answers of one state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// In which state models were asked.
    pub state: String,
    /// Latencies of one client.
    pub latency: Distribution,
}

impl State {
    /// The answers of the state of that name.
    #[must_use]
    pub fn new(state: &str, sample: Sample) -> Self {
        Self { state: state.to_owned(), latency: Distribution::of(sample) }
    }
}

/// The states as a table.
#[must_use]
pub fn table(states: &[State]) -> Table {
    let mut headings = vec!["one row, model"];
    headings.extend(HEADINGS);
    let mut table = Table::new(&headings);
    for state in states {
        table.row([state.state.clone()].into_iter().chain(state.latency.cells()));
    }
    table
}
