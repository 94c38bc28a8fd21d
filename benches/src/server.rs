//! A thicket server of our own: started on a free port of loopback, ended when it is dropped.

use std::{
    io::{self, BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use crate::{
    error::{Error, Result},
    process::Tree,
};

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts `thicket serve` on the models in `prefix`, with `options` more.
    ///
    /// # Errors
    /// When it does not start, or ends before it says where it listens.
    pub fn start(thicket: &Path, prefix: &Path, cache: &Path, options: &[&str]) -> Result<Self> {
        let mut command = Command::new(thicket);
        command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--log-level", "error", "--models"]);
        command.arg(prefix).arg("--cache-dir").arg(cache).args(options);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(Error::file(thicket))?;
        let mut server = Self { child, address: String::new() };
        server.address = server.announced().ok_or_else(|| Error::new(format!("{command:?} did not listen")))?;
        Ok(server)
    }

    /// Where it says that it listens.
    fn announced(&mut self) -> Option<String> {
        let mut output = BufReader::new(self.child.stdout.take()?);
        let mut line = String::new();
        while output.read_line(&mut line).ok()? > 0 {
            if let Some((_, address)) = line.trim_end().split_once("listening on http://") {
                // Somebody has to read on: a server that cannot print stands still.
                thread::spawn(move || io::copy(&mut output, &mut io::sink()));
                return Some(address.to_owned());
            }
            line.clear();
        }
        None
    }

    /// Its `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its processes.
    #[must_use]
    pub fn tree(&self) -> Tree {
        Tree::of(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What it leaves behind is scratch; that it has ended already is no harm.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
