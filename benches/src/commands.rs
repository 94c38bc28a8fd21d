//! From the command line to what it asks for.

use crate::{
    arguments::Command, cold, conversion, csv, density, error::Result, http, inprocess, kernels, report, soak, zipf,
};

/// Measures what `command` says.
///
/// # Errors
/// When it cannot be measured, with the place.
pub fn run(command: &Command) -> Result<()> {
    match command {
        Command::Inprocess(options) => inprocess::run(options),
        Command::Kernels(options) => kernels::run(options),
        Command::Conversion(options) => conversion::run(options),
        Command::Csv(options) => csv::run(options),
        Command::Http(options) => http::run(options),
        Command::Cold(options) => cold::run(options),
        Command::Zipf(options) => zipf::run(options),
        Command::Density(options) => density::run(options),
        Command::Soak(options) => soak::run(options),
        Command::Report(options) => report::run(options),
    }
}
