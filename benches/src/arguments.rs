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
    Inprocess(Inprocess),
    /// Time predictions in process, on models and rows from a folder
    Kernels(Kernels),
    /// Time the conversion of model files, verified, and the opening of what comes of it
    Conversion(Conversion),
    /// Time the reader of CSV on bodies from a folder
    Csv(Csv),
    /// Put load on any server and take its latencies
    Http(Http),
    /// Time the first answers of a thicket server's models over HTTP
    Cold(Cold),
    /// Ask more models than fit in a thicket server's memory, some much more often than others
    Zipf(Zipf),
    /// Serve far more models from S3 than the kernel lets a thicket server keep in memory
    Density(Density),
    /// Load, invoke and let models go in numbers, and see that nothing is left behind
    Soak(Soak),
    /// Write results as one page for a browser
    Report(Report),
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

/// Options of thicket-bench inprocess.
#[derive(Debug, Args)]
pub struct Inprocess {
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
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
    /// Use only kernels that every processor of the kind can run
    #[arg(long)]
    pub portable: bool,
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
}

/// Options of thicket-bench conversion.
#[derive(Debug, Args)]
pub struct Conversion {
    /// Model files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How often each is converted, and what comes of it opened
    #[arg(long, default_value = "50")]
    pub rounds: NonZeroUsize,
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
}

/// Options of thicket-bench csv.
#[derive(Debug, Args)]
pub struct Csv {
    /// Folder of bodies, NAME.csv: bodies of 1 MB that are made up
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Passes over each body, of which the fastest counts
    #[arg(long, default_value = "15")]
    pub passes: NonZeroUsize,
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
}

/// How many requests begin, and when.
#[derive(Clone, Debug, Args)]
pub struct Traffic {
    /// Connections, each with one request under way at the most
    #[arg(long, default_value = "1")]
    pub clients: NonZeroUsize,
    /// Requests a second, whose latency counts from when they should have begun; without it each client sends its next
    /// request as soon as the last one is answered
    #[arg(long, value_name = "PER_SECOND", value_parser = positive)]
    pub rate: Option<f64>,
    /// How long requests begin
    #[arg(long, default_value = "10", value_parser = positive)]
    pub seconds: f64,
    /// How many begin at the most
    #[arg(long, default_value = "10000000")]
    pub requests: u64,
}

/// Options of thicket-bench http.
#[derive(Debug, Args)]
pub struct Http {
    /// Where the server answers, such as 127.0.0.1:8080, with or without the scheme
    pub url: String,
    /// Route of an invocation; {model} stands for the model's name
    #[arg(long, default_value = "/models/{model}/invoke")]
    pub route: String,
    /// Header of each request, such as 'accept: text/csv'; {model} stands for the model's name
    #[arg(long)]
    pub header: Vec<String>,
    /// Names of models, asked in turn
    #[arg(long, value_delimiter = ',', required = true)]
    pub model: Vec<String>,
    /// CSV file of rows; each request's cells are drawn from all of them, so that no two are the same
    #[arg(long, value_name = "FILE")]
    pub rows: PathBuf,
    /// Rows of a request
    #[arg(long, default_value = "1")]
    pub rows_per_request: NonZeroUsize,
    /// Requests before the measurement
    #[arg(long, default_value = "1000")]
    pub warm_up: u64,
    /// Process of the server, whose whole tree is charged for processor time and memory
    #[arg(long)]
    pub pid: Option<u32>,
    /// How many requests begin, and when.
    #[command(flatten)]
    pub traffic: Traffic,
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
}

/// Options of thicket-bench cold.
#[derive(Debug, Args)]
pub struct Cold {
    /// The server's binary
    #[arg(long, default_value = "target/release/thicket")]
    pub thicket: PathBuf,
    /// Models in each state
    #[arg(long, default_value = "200", value_parser = clap::value_parser!(u64).range(4..=10_000))]
    pub models: u64,
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
}

/// Options of thicket-bench zipf.
#[derive(Debug, Args)]
pub struct Zipf {
    /// The server's binary
    #[arg(long, default_value = "target/release/thicket")]
    pub thicket: PathBuf,
    /// Models under the prefix
    #[arg(long, default_value = "1000")]
    pub models: NonZeroUsize,
    /// The exponent: the k-th model is asked in proportion to 1 / k^s
    #[arg(long, value_name = "S", default_value = "0.9")]
    pub exponent: f64,
    /// Memory that models may take
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    pub memory_limit: String,
    /// Seconds between two looks at the server
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = positive)]
    pub interval: f64,
    /// How many requests begin, and when.
    #[command(flatten)]
    pub traffic: Traffic,
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
}

/// Options of thicket-bench density.
#[derive(Debug, Args)]
pub struct Density {
    /// The server's binary
    #[arg(long, default_value = "target/release/thicket")]
    pub thicket: PathBuf,
    /// The S3 server's binary
    #[arg(long, default_value = ".tools/bin/s3s-fs")]
    pub s3_server: PathBuf,
    /// Models under the prefix
    #[arg(long, default_value = "10000", value_parser = many)]
    pub models: usize,
    /// Memory that the kernel lets the server have, in bytes
    #[arg(long, value_name = "BYTES", default_value = "536870912")]
    pub limit: u64,
    /// Ask no kernel: the limit becomes the server's own --memory-limit
    #[arg(long)]
    pub no_group: bool,
    /// The exponent of Zipf's law: the k-th model is asked in proportion to 1 / k^s
    #[arg(long, value_name = "S", default_value = "1")]
    pub exponent: f64,
    /// Requests a second for popular models
    #[arg(long, value_name = "PER_SECOND", default_value = "2000", value_parser = positive)]
    pub rate: f64,
    /// Requests a second for models that are not in memory, half of which were never seen, and for those that cannot be loaded
    #[arg(long, value_name = "PER_SECOND", default_value = "60", value_parser = positive)]
    pub cold_rate: f64,
    /// How long each of the four measured phases takes
    #[arg(long, default_value = "60", value_parser = positive)]
    pub seconds: f64,
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
}

/// Options of thicket-bench soak.
#[derive(Debug, Args)]
pub struct Soak {
    /// The server's binary
    #[arg(long, default_value = "target/release/thicket")]
    pub thicket: PathBuf,
    /// Cycles in all
    #[arg(long, default_value = "100000", value_parser = clap::value_parser!(u64).range(1000..))]
    pub cycles: u64,
    /// Connections, each with a thread
    #[arg(long, default_value = "32")]
    pub clients: NonZeroUsize,
    /// The server leaks on purpose: it is a failure not to notice
    #[arg(long)]
    pub planted: bool,
    /// Where results go.
    #[command(flatten)]
    pub out: Out,
}

/// Options of thicket-bench report.
#[derive(Debug, Args)]
pub struct Report {
    /// Folder of results as JSON
    pub folder: PathBuf,
    /// Page to write: report.html in that folder
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Document in which the figures of density are written between its marks, with charts beside it
    #[arg(long, value_name = "FILE")]
    pub into: Option<PathBuf>,
}

/// A number of models that all differ.
fn many(text: &str) -> Result<usize, String> {
    let number = text.parse().map_err(|_| format!("{text} is no number"))?;
    if (20..=16_384).contains(&number) { Ok(number) } else { Err(format!("{text} is not between 20 and 16384")) }
}

/// A number above zero and below a billion.
fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if number > 0.0 && number < 1e9 { Ok(number) } else { Err(format!("{text} is not above 0 and below 1e9")) }
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
