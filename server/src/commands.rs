//! What the command line can do.

use thicket_engine::HeapMeter;

use crate::{
    arguments::{Arguments, Command},
    error::{Error, ErrorKind, Result},
};

mod convert;
mod inspect;
mod list;
mod predict;
mod serve;
mod top;

/// Does what the command line asks for, in a process whose allocator `heap_meter` counts for.
///
/// # Errors
/// [`ErrorKind::Usage`] for options that cannot be used, and whatever stops the command.
pub fn run(arguments: Arguments, heap_meter: HeapMeter) -> Result<()> {
    match arguments.command {
        Command::Serve(options) => serve::run(&options, heap_meter),
        Command::Top(options) => top::run(&options),
        Command::List(options) => list::run(&options),
        Command::Convert(options) => convert::run(&options),
        Command::Inspect(options) => inspect::run(&options),
        Command::Predict(options) => predict::run(&options),
    }
}

/// Turns an engine's complaint about the artifact at `path` into ours.
fn about(path: &std::path::Path) -> impl FnOnce(thicket_engine::Error) -> Error {
    move |error| Error::caused(ErrorKind::Engine, path.display().to_string(), error)
}

/// Turns a complaint about reading or writing the file at `path` into ours.
fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error {
    move |error| Error::caused(ErrorKind::Io, path.display().to_string(), error)
}

/// Turns a complaint about standard output into ours.
fn output(error: std::io::Error) -> Error {
    Error::caused(ErrorKind::Io, "cannot write to standard output", error)
}
