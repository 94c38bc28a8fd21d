//! `thicket list`: the models under a prefix, by the names that requests call them.

use std::io::Write;

use thicket_engine::source;
use tokio::runtime::Builder;

use super::{about, output};
use crate::{
    arguments::List,
    error::{Error, ErrorKind, Result},
};

/// Prints size and name of each model, a line each, sorted by name.
pub(super) fn run(options: &List) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::caused(ErrorKind::Io, "cannot start threads", error))?;
    let listed = runtime.block_on(async { source::open(&options.models).await?.list().await });
    let mut stdout = std::io::stdout().lock();
    for model in listed.map_err(about(options.models.as_ref()))? {
        writeln!(stdout, "{:>12} {}", model.bytes, model.name).map_err(output)?;
    }
    Ok(())
}
