//! A thicket server of our own: started on a free port of loopback, ended when it is dropped.

use std::{
    ffi::OsString,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{
    announcement::await_announcement,
    error::{Error, Result},
    group::Group,
    process::Tree,
};

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
}

/// What surrounds a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// The memory cgroup that it runs in.
    pub group: Option<&'a Group>,
    /// Variables that it has beside ours.
    pub environment: &'a [(&'static str, String)],
}

impl Server {
    /// Starts `thicket serve` on the models in `prefix`, with `options` more.
    ///
    /// # Errors
    /// When it does not start, or ends before it says where it listens.
    pub fn start(thicket: &Path, prefix: &Path, cache: &Path, options: &[&str]) -> Result<Self> {
        let prefix = prefix.to_string_lossy();
        let options: Vec<_> = ["--models", &prefix].into_iter().chain(options.iter().copied()).collect();
        Self::start_in(thicket, cache, &options, Surroundings::default())
    }

    /// Starts `thicket serve` with `options`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_in(thicket: &Path, cache: &Path, options: &[&str], surroundings: Surroundings<'_>) -> Result<Self> {
        let own = || vec![OsString::from(thicket)];
        let words = surroundings.group.map_or_else(own, |group| group.entering(thicket));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(["serve", "--host", "127.0.0.1", "--port", "0", "--log-level", "error"]);
        command.arg("--cache-dir").arg(cache).args(options).envs(surroundings.environment.iter().cloned());
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(Error::file(thicket))?;
        let mut server = Self { child, address: String::new() };
        let address = await_announcement(&mut server.child, "listening on http://");
        server.address = address.ok_or_else(|| Error::new(format!("{command:?} did not listen")))?;
        Ok(server)
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
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
