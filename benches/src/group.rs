//! A memory cgroup of our own: the kernel's limit around a process, made for a measurement and removed after it.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use crate::error::{Error, Result};

/// Where the hierarchies are mounted.
const VERSION_1: &str = "/sys/fs/cgroup/memory";
const VERSION_2: &str = "/sys/fs/cgroup";

/// How often and how long a group is asked to go: the kernel takes a moment after its last process.
const REMOVALS: u32 = 100;
const REMOVAL_PERIOD: Duration = Duration::from_millis(20);

/// Sets groups of one process apart.
static SEQUENCE: AtomicU32 = AtomicU32::new(0);

/// Moves itself into the group and becomes the program.
const ENTER: &str = "echo $$ > \"$0\" && exec \"$@\"";

/// A group; it goes when it is dropped, after its last process.
#[derive(Debug)]
pub struct Group {
    folder: PathBuf,
    names: &'static Names,
}

/// What the files of a version are called.
#[derive(Debug)]
struct Names {
    limit: &'static str,
    /// A second limit, of memory and swap together, or of swap; left out where the kernel has none.
    swap_limit: (&'static str, bool),
    usage: &'static str,
    kills: &'static str,
    anonymous: &'static str,
    mapped: &'static str,
}

const NAMES_1: Names = Names {
    limit: "memory.limit_in_bytes",
    swap_limit: ("memory.memsw.limit_in_bytes", true),
    usage: "memory.usage_in_bytes",
    kills: "memory.oom_control",
    anonymous: "total_rss ",
    mapped: "total_mapped_file ",
};

const NAMES_2: Names = Names {
    limit: "memory.max",
    swap_limit: ("memory.swap.max", false),
    usage: "memory.current",
    kills: "memory.events",
    anonymous: "anon ",
    mapped: "file_mapped ",
};

/// What a group takes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All of it, with the page cache.
    pub all_bytes: u64,
    /// What processes have written and hold.
    pub anonymous_bytes: u64,
    /// Files that are mapped.
    pub mapped_bytes: u64,
}

impl Group {
    /// A new group that may take so many bytes, without swap.
    ///
    /// # Errors
    /// When this machine lets us make none, with what would have to be writable.
    pub fn new(limit_bytes: u64) -> Result<Self> {
        let name = format!("thicket-bench-{}-{}", process::id(), SEQUENCE.fetch_add(1, Ordering::Relaxed));
        let (parent, names) = parent()?;
        let folder = parent.join(name);
        fs::create_dir(&folder).map_err(|error| {
            Error::new(format!(
                "a memory limit needs a memory cgroup, and {} cannot be made: {error}",
                folder.display()
            ))
        })?;
        let group = Self { folder, names };
        group.write(names.limit, &limit_bytes.to_string())?;
        let (swap_limit, is_total) = names.swap_limit;
        if group.folder.join(swap_limit).exists() {
            group.write(swap_limit, &if is_total { limit_bytes } else { 0 }.to_string())?;
        }
        Ok(group)
    }

    /// The command line that runs `program` in the group; its arguments follow.
    #[must_use]
    pub fn entering(&self, program: &Path) -> Vec<OsString> {
        let processes = self.folder.join("cgroup.procs");
        let words = [OsStr::new("sh"), OsStr::new("-c"), OsStr::new(ENTER), processes.as_os_str(), program.as_os_str()];
        words.into_iter().map(OsStr::to_owned).collect()
    }

    /// What it takes now.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn usage(&self) -> Result<Usage> {
        let stat = self.read("memory.stat")?;
        let all = self.read(self.names.usage)?;
        Ok(Usage {
            all_bytes: all.trim().parse().map_err(Error::at(self.names.usage))?,
            anonymous_bytes: number(&stat, self.names.anonymous),
            mapped_bytes: number(&stat, self.names.mapped),
        })
    }

    /// How many of its processes the kernel has killed for want of memory.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn kills(&self) -> Result<u64> {
        Ok(number(&self.read(self.names.kills)?, "oom_kill "))
    }

    fn read(&self, name: &str) -> Result<String> {
        let path = self.folder.join(name);
        fs::read_to_string(&path).map_err(Error::file(&path))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(Error::file(&path))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..REMOVALS {
            match fs::remove_dir(&self.folder) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => thread::sleep(REMOVAL_PERIOD),
                // An empty group that stays costs nothing.
                _ => return,
            }
        }
    }
}

/// Where a group can be made: in version 1 below our own, in version 2 at the top, since there a group that has processes
/// has no groups with limits below it.
fn parent() -> Result<(PathBuf, &'static Names)> {
    let top = Path::new(VERSION_1);
    if top.join(NAMES_1.limit).exists() {
        let own = own_path(|controllers| controllers.split(',').any(|name| name == "memory"));
        let below = own.map(|path| top.join(path.trim_start_matches('/'))).filter(|path| path.is_dir());
        return Ok((below.unwrap_or_else(|| top.to_owned()), &NAMES_1));
    }
    let top = Path::new(VERSION_2);
    let control = top.join("cgroup.subtree_control");
    let Ok(enabled) = fs::read_to_string(&control) else {
        return Err(Error::new(format!(
            "a memory limit needs a memory cgroup, and neither {VERSION_1} (version 1) nor {VERSION_2} (version 2) is one"
        )));
    };
    if !enabled.split_whitespace().any(|name| name == "memory") {
        fs::write(&control, "+memory").map_err(|error| {
            let control = control.display();
            Error::new(format!("a memory limit needs a memory cgroup, and {control} does not take +memory: {error}"))
        })?;
    }
    Ok((top.to_owned(), &NAMES_2))
}

/// Our own group in the hierarchy whose controllers are meant.
fn own_path(is_meant: impl Fn(&str) -> bool) -> Option<String> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        is_meant(controllers).then(|| path.to_owned())
    })
}

/// The number behind `name` at the beginning of a line; 0 without one.
fn number(text: &str, name: &str) -> u64 {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_the_whole_name() {
        let text = "total_rss_huge 5\ntotal_rss 7\noom_kill_disable 0\noom_kill 2\n";
        let found = ["total_rss ", "oom_kill ", "anon "].map(|name| number(text, name));
        assert_eq!(found, [7, 2, 0]);
    }

    #[test]
    fn programs_enter_before_they_start() {
        let folder = tempfile::tempdir().unwrap();
        let processes = folder.path().join("cgroup.procs");
        let group = Group { folder: folder.path().to_owned(), names: &NAMES_2 };
        let words = group.entering(Path::new("sh"));
        let child = process::Command::new(&words[0]).args(&words[1..]).args(["-c", "echo $$"]).output().unwrap();
        assert_eq!(fs::read(processes).unwrap(), child.stdout);
    }
}
