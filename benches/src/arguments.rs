//! The command line as it is typed.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Parser, Subcommand};

/// Measures thicket, and other servers beside it.
#[derive(Debug, Parser)]
#[command(name = "thicket-bench", version)]
pub struct Arguments {
    /// What to measure.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Time first and later answers of the four city models in process
    Inprocess,
    /// Time predictions in process, on models and rows from a folder
    Kernels(Kernels),
    /// Time the reader of CSV on bodies from a folder
    Csv(Csv),
}

/// Where results go.
#[derive(Clone, Debug, Args)]
pub struct Out {
    /// Folder for the results as JSON; without it they are only printed
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What this run is called in the results
    #[arg(long, default_value = "thicket")]
    pub name: String,
}

/// Options of thicket-bench kernels.
#[derive(Debug, Args)]
pub struct Kernels {
    /// Folder of workloads: NAME/meta.json {"features": ..., "rows": ...}, NAME/rows.f32 (row-major, little-endian, NaN is
    /// missing), NAME/model.* and perhaps NAME/expected.f32 (margins)
    #[arg(long, value_name = "DIR")]
    pub workloads: PathBuf,
    /// Rows of a call
    #[arg(long, value_delimiter = ',', default_values = ["1", "256", "10000"])]
    pub batches: Vec<NonZeroUsize>,
    /// Passes over all rows, of which the fastest counts
    #[arg(long, default_value = "5")]
    pub passes: NonZeroUsize,
    /// Names of the workloads to measure: all
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
}

/// Options of thicket-bench csv.
#[derive(Debug, Args)]
pub struct Csv {
    /// Folder of bodies: NAME.csv
    #[arg(long, value_name = "DIR")]
    pub folder: PathBuf,
    /// Passes over each body, of which the fastest counts
    #[arg(long, default_value = "15")]
    pub passes: NonZeroUsize,
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
