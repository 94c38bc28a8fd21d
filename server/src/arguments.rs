//! The command line as it is typed. What the values mean is settled in [`configuration`](crate::configuration).

#![expect(clippy::doc_markdown, reason = "these comments are printed as help, where code marks would show")]

mod serve;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use thicket_engine::{Operators, Output};

pub use serve::{Freshness, Limits, Residency, Serve};

/// Serves thousands of tabular models from one small process.
#[derive(Debug, Parser)]
#[command(name = "thicket", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What thicket can be asked to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve models over HTTP
    Serve(Box<Serve>),
    /// Show what a running server does, in a terminal
    Top(Top),
    /// List the models that lie in a directory or under an S3 prefix
    List(List),
    /// Convert a model to ONNX
    Convert(Convert),
    /// Say what a model is
    Inspect(Inspect),
    /// Predict rows of a CSV file
    Predict(Predict),
}

/// How artifacts are read where containers differ.
#[derive(Clone, Debug, Default, Args)]
pub struct Reading {
    /// Whether several model files in one artifact are averaged, true or false; otherwise only the first by name is used:
    /// true [env: THICKET_ENSEMBLE, SAGEMAKER_INFERENCE_ENSEMBLE]
    #[arg(long, value_name = "BOOL")]
    pub ensemble: Option<String>,
    /// Which trees a model uses whose training stopped early: those that containers of XGBoost 3.0 and later use (today),
    /// or those of 1.5 and 1.7 (legacy): today [env: THICKET_BEST_ITERATION]
    #[arg(long, value_name = "RULE")]
    pub best_iteration: Option<String>,
}

/// Where the shared libraries of other engines lie, when it is not where they are looked for.
#[derive(Clone, Debug, Default, Args)]
pub struct Runtimes {
    /// Shared library of ONNX Runtime: looked for beside the binary
    /// [env: THICKET_ONNXRUNTIME, ORT_DYLIB_PATH]
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<String>,
    /// Shared library of XGBoost: looked for beside the binary [env: THICKET_XGBOOST_LIB]
    #[arg(long, value_name = "FILE")]
    pub xgboost: Option<String>,
}

/// Options of thicket top.
#[derive(Debug, Args)]
pub struct Top {
    /// Where the server answers; its console must be on
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Print one plain picture and end, as is done where standard output is no terminal
    #[arg(long)]
    pub once: bool,
}

/// Options of thicket list.
#[derive(Debug, Args)]
pub struct List {
    /// Where models lie, a directory or s3://bucket/prefix
    #[arg(value_name = "URI")]
    pub models: String,
}

/// Options of thicket convert.
#[derive(Debug, Args)]
pub struct Convert {
    /// Model file, directory or model.tar.gz
    pub artifact: PathBuf,
    /// ONNX file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Version of the operators of ai.onnx.ml to write: 3 for runtimes that lack TreeEnsemble
    #[arg(long, value_enum, default_value_t = Opset::Five, value_name = "VERSION")]
    pub opset: Opset,
    /// How artifacts are read where containers differ.
    #[command(flatten)]
    pub reading: Reading,
}

/// Which operators of ai.onnx.ml are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Opset {
    /// TreeEnsembleRegressor, which has no splits by categories
    #[value(name = "3")]
    Three,
    /// TreeEnsemble
    #[value(name = "5")]
    Five,
}

impl From<Opset> for Operators {
    fn from(opset: Opset) -> Self {
        match opset {
            Opset::Three => Self::Older,
            Opset::Five => Self::Current,
        }
    }
}

/// Options of thicket inspect.
#[derive(Debug, Args)]
pub struct Inspect {
    /// Model file, directory or model.tar.gz
    pub artifact: PathBuf,
    /// How artifacts are read where containers differ.
    #[command(flatten)]
    pub reading: Reading,
}

/// Options of thicket predict.
#[derive(Debug, Args)]
pub struct Predict {
    /// Model file, directory or model.tar.gz
    pub artifact: PathBuf,
    /// CSV file of rows: an empty cell is missing, a first line of names is matched with the model's
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// Which numbers to print
    #[arg(long, value_enum, default_value_t = Wanted::Value)]
    pub output: Wanted,
    /// How artifacts are read where containers differ.
    #[command(flatten)]
    pub reading: Reading,
    /// Shared libraries for models that need them.
    #[command(flatten)]
    pub runtimes: Runtimes,
}

/// Which of a model's outputs is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Wanted {
    /// The sum of the leaves, before the objective's link function
    Margin,
    /// The objective's own scale: a price, a probability, a class
    Value,
    /// The number of the leaf that the row reaches, for each tree
    Leaf,
    /// What each column adds to the margin, and the bias, for each target
    Contributions,
}

impl From<Wanted> for Output {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Margin => Self::Margin,
            Wanted::Value => Self::Value,
            Wanted::Leaf => Self::Leaf,
            Wanted::Contributions => Self::Contributions,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn predict_prints_values_unless_asked_for_margins() {
        let wanted = |line: &str| match Arguments::try_parse_from(line.split(' ')).unwrap().command {
            Command::Predict(predict) => predict.output,
            other => panic!("{other:?}"),
        };
        assert_eq!(wanted("thicket predict --input rows.csv model.tar.gz"), Wanted::Value);
        assert_eq!(wanted("thicket predict --output margin --input rows.csv model.tar.gz"), Wanted::Margin);
        assert_eq!(wanted("thicket predict --output leaf --input rows.csv model.tar.gz"), Wanted::Leaf);
    }
}
