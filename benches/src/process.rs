//! What a process and its descendants have used, as `/proc` tells.

use std::{fs, ops::AddAssign, time::Duration};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What `/proc/PID/stat` counts in: a hundredth of a second on every machine that thicket runs on.
const TICK: Duration = Duration::from_millis(10);

/// A process with all its descendants at the moment of asking.
#[derive(Clone, Copy, Debug)]
pub struct Tree(u32);

/// Memory of a tree in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Resident, pages that several processes share counted once among them.
    pub pss_bytes: u64,
    /// Resident, such pages counted in each.
    pub rss_bytes: u64,
}

impl AddAssign for Memory {
    fn add_assign(&mut self, other: Self) {
        self.pss_bytes += other.pss_bytes;
        self.rss_bytes += other.rss_bytes;
    }
}

impl Tree {
    /// The tree whose root has that id.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        Self(pid)
    }

    /// The processor time that its processes have used since each started, in steps of 10 ms; with that of children they
    /// have waited for.
    ///
    /// # Errors
    /// When the root has ended.
    pub fn processor_time(self) -> Result<Duration> {
        let stats = self.each("stat")?;
        Ok(stats.iter().filter_map(|stat| ticks(stat)).map(|ticks| TICK * ticks).sum())
    }

    /// Its memory.
    ///
    /// # Errors
    /// When the root has ended.
    pub fn memory(self) -> Result<Memory> {
        let mut memory = Memory::default();
        for rollup in self.each("smaps_rollup")? {
            let bytes = |name: &str| field(&rollup, name).unwrap_or(0) * 1024;
            memory += Memory { pss_bytes: bytes("Pss:"), rss_bytes: bytes("Rss:") };
        }
        Ok(memory)
    }

    /// A file of `/proc` of the root and of each descendant that still lives.
    fn each(self, name: &str) -> Result<Vec<String>> {
        let path = format!("/proc/{}/{name}", self.0);
        let mut texts = vec![fs::read_to_string(&path).map_err(Error::at(path))?];
        let mut ahead = children(self.0);
        while let Some(pid) = ahead.pop() {
            texts.extend(fs::read_to_string(format!("/proc/{pid}/{name}")));
            ahead.extend(children(pid));
        }
        Ok(texts)
    }
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let of_task = |path: std::path::PathBuf| fs::read_to_string(path.join("children")).unwrap_or_default();
    let text: String = tasks.flatten().map(|task| of_task(task.path())).collect();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The sum of `utime`, `stime`, `cutime` and `cstime`; they follow the eleventh word after the name in parentheses.
fn ticks(stat: &str) -> Option<u32> {
    let words = stat.rsplit_once(") ")?.1.split(' ').skip(11).take(4);
    words.map(|word| word.parse::<u32>().ok()).sum()
}

fn field(rollup: &str, name: &str) -> Option<u64> {
    rollup.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{self, Command};

    use super::*;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 9 9 9 1 20 300 4000 20 0 9 0 5 6";
        assert_eq!((ticks(stat), ticks("nothing")), (Some(4321), None));
    }

    #[test]
    fn children_count() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let (own, both) = (Tree::of(child.id()).memory().unwrap(), Tree::of(process::id()).memory().unwrap());
        let found = children(process::id()).contains(&child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found && own.rss_bytes > 0 && both.rss_bytes > own.rss_bytes && own.pss_bytes <= own.rss_bytes);
        assert!(Tree::of(child.id()).memory().is_err());
        assert!(Tree::of(process::id()).processor_time().is_ok());
    }
}
