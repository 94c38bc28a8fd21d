//! From the command line to what it asks for.

use crate::{arguments::Command, csv, error::Result, inprocess, kernels};

/// Measures what `command` says.
///
/// # Errors
/// When it cannot be measured, with the place.
pub fn run(command: &Command) -> Result<()> {
    match command {
        Command::Inprocess => inprocess::run(),
        Command::Kernels(options) => kernels::run(options),
        Command::Csv(options) => csv::run(options),
    }
}
