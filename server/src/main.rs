//! The `thicket` command.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use thicket_server::{arguments::Arguments, commands, error::ErrorKind};
use tikv_jemalloc_ctl::thread::{allocatedp, deallocatedp};

/// Serves the libraries that models bring along as well: their C++ memory counts as much as ours.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Gives freed memory back to the system a tenth of a second later, from a thread of its own: what leaves memory makes
/// room for other processes too, and a load that frees and takes megabytes does not wait for the system each time. Arenas,
/// each of which keeps pages, are few however many processors there are.
// SAFETY: jemalloc reads a `const char *malloc_conf` of its embedder. A reference to a NUL-ended array that lives for ever
// is such a pointer, and nothing else of that name is linked.
#[allow(unsafe_code)]
#[unsafe(export_name = "malloc_conf")]
static ALLOCATOR_OPTIONS: &[u8; 94] =
    b"dirty_decay_ms:100,muzzy_decay_ms:0,background_thread:true,max_background_threads:1,narenas:4\0";

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    let Err(error) = commands::run(arguments, heap) else { return ExitCode::SUCCESS };
    drop(writeln!(io::stderr(), "thicket: {}", error.story()));
    ExitCode::from(if error.kind() == ErrorKind::Usage { 2 } else { 1 })
}

/// What the calling thread has taken from the allocator and not given back, or less where it gave back what others took.
fn heap() -> Option<i64> {
    let (allocated, deallocated) = (allocatedp::read().ok()?.get(), deallocatedp::read().ok()?.get());
    Some(allocated.cast_signed().wrapping_sub(deallocated.cast_signed()))
}

/// Prints the help or the version that was asked for, or what is wrong with the command line.
fn explain(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if error.use_stderr() {
        drop(write!(io::stderr(), "thicket: {}", text.strip_prefix("error: ").unwrap_or(&text)));
        return ExitCode::from(2);
    }
    drop(write!(io::stdout(), "{text}"));
    ExitCode::SUCCESS
}
