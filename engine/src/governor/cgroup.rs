//! The memory cgroups around this process, of version 1 and 2: what they allow and what counts against it.

use std::{
    fs,
    path::{Path, PathBuf},
};

#[cfg(test)]
mod tests;

/// Version 1 has no word for "no limit" but numbers near the greatest.
const UNLIMITED: u64 = 1 << 60;

/// The memory cgroups that this process is in, as far as they can be seen: the innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Groups {
    folders: Vec<PathBuf>,
    names: &'static Names,
}

/// What the files and their fields are called.
#[derive(Debug, PartialEq, Eq)]
struct Names {
    limit: &'static str,
    usage: &'static str,
    active_file: &'static str,
    inactive_file: &'static str,
    mapped_file: &'static str,
}

const VERSION_1: Names = Names {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    active_file: "total_active_file",
    inactive_file: "total_inactive_file",
    mapped_file: "total_mapped_file",
};

const VERSION_2: Names = Names {
    limit: "memory.max",
    usage: "memory.current",
    active_file: "active_file",
    inactive_file: "inactive_file",
    mapped_file: "file_mapped",
};

/// What counts against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// The limit.
    pub(crate) limit_bytes: u64,
    /// What is used, without pages of files that nobody maps: the kernel drops those before it kills.
    pub(crate) needed_bytes: u64,
}

impl Groups {
    /// The groups of this process. `root` is the root of the file system, or of a tree that stands for it.
    pub(crate) fn of_process(root: &Path) -> Option<Self> {
        let proc = root.join("proc/self");
        let memberships = fs::read_to_string(proc.join("cgroup")).ok()?;
        let mounts = fs::read_to_string(proc.join("mountinfo")).ok()?;
        let mounts: Vec<Mount<'_>> = mounts.lines().filter_map(Mount::parse).collect();
        let version_1 = memberships.lines().find_map(|line| membership(line, |names| names.split(',').any(is_memory)));
        let in_version_1 = version_1.and_then(|path| Some((mounts.iter().find(|mount| mount.is_version_1())?, path)));
        // In a hybrid set-up memory is accounted in version 1, and version 2 is there without it.
        let version_2 = || {
            let path = memberships.lines().find_map(|line| membership(line, str::is_empty))?;
            Some((mounts.iter().find(|mount| mount.kind == "cgroup2")?, path))
        };
        let (mount, path, names) = match in_version_1 {
            Some((mount, path)) => (mount, path, &VERSION_1),
            None => version_2().map(|(mount, path)| (mount, path, &VERSION_2))?,
        };
        let innermost = mount.folder(root, path);
        let top = mount.folder(root, mount.root);
        let around = innermost.ancestors().take_while(|folder| folder.starts_with(&top));
        let folders: Vec<PathBuf> =
            around.filter(|folder| folder.join(names.usage).is_file()).map(Path::to_path_buf).collect();
        (!folders.is_empty()).then_some(Self { folders, names })
    }

    /// The least limit of all groups.
    pub(crate) fn limit_bytes(&self) -> Option<u64> {
        self.folders.iter().filter_map(|folder| self.limit_of(folder)).min()
    }

    /// What is used in the group that is nearest to its limit; nothing where none has one.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let usages = self.folders.iter().filter_map(|folder| self.usage_of(folder));
        usages.min_by_key(|usage| usage.limit_bytes.saturating_sub(usage.needed_bytes))
    }

    fn limit_of(&self, folder: &Path) -> Option<u64> {
        let own = number(&folder.join(self.names.limit));
        // Version 1 tells what the groups around allow, also where they cannot be seen.
        let around = field(&folder.join("memory.stat"), "hierarchical_memory_limit");
        own.into_iter().chain(around).filter(|&bytes| bytes < UNLIMITED).min()
    }

    fn usage_of(&self, folder: &Path) -> Option<Usage> {
        let limit_bytes = self.limit_of(folder)?;
        let used_bytes = number(&folder.join(self.names.usage))?;
        let stat = fs::read_to_string(folder.join("memory.stat")).ok()?;
        let bytes = |name| field_in(&stat, name).unwrap_or(0);
        let file_bytes = bytes(self.names.active_file) + bytes(self.names.inactive_file);
        let unmapped_bytes = file_bytes.saturating_sub(bytes(self.names.mapped_file));
        Some(Usage { limit_bytes, needed_bytes: used_bytes.saturating_sub(unmapped_bytes) })
    }

    /// The share of the last ten seconds in which everything in the innermost group stood still for want of memory, in
    /// percent; the machine's where groups have none.
    pub(crate) fn stalled_percent(&self, root: &Path) -> Option<f64> {
        let own = self.folders.first().and_then(|folder| stalled(&folder.join("memory.pressure")));
        own.or_else(|| machine_stalled_percent(root))
    }
}

/// The same of the machine.
pub(crate) fn machine_stalled_percent(root: &Path) -> Option<f64> {
    stalled(&root.join("proc/pressure/memory"))
}

/// What is used of the machine's memory, as far as the kernel could not give it away.
pub(crate) fn machine_usage(root: &Path) -> Option<Usage> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let bytes = |name| Some(field_in(&text, name)? << 10);
    let limit_bytes = bytes("MemTotal:")?;
    Some(Usage { limit_bytes, needed_bytes: limit_bytes.saturating_sub(bytes("MemAvailable:")?) })
}

/// A line of `/proc/self/mountinfo`: of a file system, the part at `root` lies at `point`.
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (mounted, described) = line.split_once(" - ")?;
        let mut mounted = mounted.split(' ').skip(3);
        let mut described = described.split(' ');
        let (root, point) = (mounted.next()?, mounted.next()?);
        let (kind, options) = (described.next()?, described.nth(1)?);
        Some(Self { root, point, kind, options })
    }

    fn is_version_1(&self) -> bool {
        self.kind == "cgroup" && self.options.split(',').any(is_memory)
    }

    /// Where the group at `path` lies; where it cannot be seen, the nearest that can.
    fn folder(&self, root: &Path, path: &str) -> PathBuf {
        let point = root.join(self.point.trim_start_matches('/'));
        let below = Path::new(path).strip_prefix(self.root);
        below.map_or_else(|_| point.clone(), |below| point.join(below))
    }
}

fn is_memory(name: &str) -> bool {
    name == "memory"
}

/// The path in a line of `/proc/self/cgroup` whose controllers are meant.
fn membership(line: &str, is_meant: impl Fn(&str) -> bool) -> Option<&str> {
    let (_, rest) = line.split_once(':')?;
    let (names, path) = rest.split_once(':')?;
    is_meant(names).then_some(path)
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn field(file: &Path, name: &str) -> Option<u64> {
    field_in(&fs::read_to_string(file).ok()?, name)
}

fn field_in(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next() == Some(name)).then(|| words.next()?.parse().ok())?)
}

/// The line `full avg10=…` of a file of pressure.
fn stalled(file: &Path) -> Option<f64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("full avg10="))?;
    line.split(' ').next()?.parse().ok()
}
