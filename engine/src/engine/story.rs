//! What a load went through, for the log and the counters.

use std::time::Duration;

use crate::{
    histogram::micros,
    model::Model,
    times::{Step, Steps},
};

/// What a load went through, for the log and the counters.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) steps: Steps,
    pub(super) is_cached: bool,
    /// What the artifact's files have together, where they were read.
    pub(super) unpacked_bytes: Option<u64>,
    /// Why another engine runs the model, where it was converted.
    pub(super) fallback: Option<String>,
}

impl Story {
    /// One line for one load; steps that were not taken are left out.
    pub(super) fn log(&self, name: &str, model: &Model, bytes: u64, total: Duration) {
        let us = |step| self.steps.us(step);
        tracing::info!(
            model = name,
            runtime = model.runtime().name(),
            bytes,
            unpacked_bytes = self.unpacked_bytes,
            cached = self.is_cached,
            fallback = self.fallback.as_deref(),
            wait_us = us(Step::Wait),
            locate_us = us(Step::Locate),
            fetch_us = us(Step::Fetch),
            unpack_us = us(Step::Unpack),
            convert_us = us(Step::Convert),
            verify_us = us(Step::Verify),
            publish_us = us(Step::Publish),
            reserve_us = us(Step::Reserve),
            map_us = us(Step::Map),
            total_us = micros(total),
            "loaded"
        );
    }
}
