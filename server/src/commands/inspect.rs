//! `thicket inspect`: what an artifact is.

use std::io::Write;

use thicket_engine::offline;

use super::{about, output};
use crate::{arguments::Inspect, configuration, error::Result};

/// Prints what the artifact is and how it would be served.
pub(super) fn run(options: &Inspect) -> Result<()> {
    let reading = configuration::reading_from_environment(&options.reading)?;
    let inspection = offline::inspect(&options.artifact, reading).map_err(about(&options.artifact))?;
    write!(std::io::stdout(), "{inspection}").map_err(output)
}
