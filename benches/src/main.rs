//! `thicket-bench`: measures thicket, and other servers beside it.

use std::process::ExitCode;

use clap::Parser;
use thicket_benches::{arguments::Arguments, commands};

fn main() -> ExitCode {
    match commands::run(&Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("thicket-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
