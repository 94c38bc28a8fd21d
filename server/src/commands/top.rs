//! `thicket top`: what a running server does, in a terminal.

use crate::{arguments::Top, error::Result, top};

/// Shows the server until it is told to end, or once.
pub(super) fn run(options: &Top) -> Result<()> {
    top::run(&options.url, options.once)
}
