//! What a process holds, as the kernel counts it: what must not grow however long it runs.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How much more memory a server may hold than when it was warm.
const GROWTH_BYTES_MAX: u64 = 5 << 20;
/// How many mappings more: those of an allocator that splits and joins its own.
const MAPPINGS_SLACK: usize = 16;
/// How often a server is looked at that is settling.
const PERIOD: Duration = Duration::from_millis(50);
/// How long it must hold the same.
const STEADY: Duration = Duration::from_millis(300);

/// What every complaint of growth says.
pub const GREW: &str = "grew from";

/// What a process holds at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// Memory that it has written and holds: allocations and stacks.
    pub heap_bytes: u64,
    /// Open file descriptors.
    pub files: usize,
    /// Threads.
    pub threads: usize,
    /// Mappings.
    pub mappings: usize,
}

impl Holdings {
    /// What the process holds now.
    ///
    /// # Errors
    /// When it has ended.
    pub fn of(pid: u32) -> Result<Self> {
        let read = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            fs::read_to_string(&path).map_err(Error::at(path))
        };
        let count = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            fs::read_dir(&path).map(Iterator::count).map_err(Error::at(path))
        };
        Ok(Self {
            heap_bytes: anonymous_bytes(&read("smaps_rollup")?),
            files: count("fd")?,
            threads: count("task")?,
            mappings: read("maps")?.lines().count(),
        })
    }

    /// What it holds once that does not change for a moment, and at the latest after `patience`.
    ///
    /// # Errors
    /// When it has ended.
    pub fn steady(pid: u32, patience: Duration) -> Result<Self> {
        let (mut steady, mut since) = (Self::of(pid)?, Instant::now());
        Self::awaited(pid, patience, |held| {
            if *held != steady {
                (steady, since) = (*held, Instant::now());
            }
            since.elapsed() >= STEADY
        })
    }

    /// What it holds once that is no more than when it was `warm`, and at the latest after `patience`: threads that only a
    /// busy process needs go later.
    ///
    /// # Errors
    /// When it has ended.
    pub fn settled(pid: u32, warm: &Self, patience: Duration) -> Result<Self> {
        Self::awaited(pid, patience, |held| complaints(warm, held).is_empty())
    }

    fn awaited(pid: u32, patience: Duration, mut is_it: impl FnMut(&Self) -> bool) -> Result<Self> {
        let start = Instant::now();
        loop {
            let held = Self::of(pid)?;
            if is_it(&held) || start.elapsed() >= patience {
                return Ok(held);
            }
            thread::sleep(PERIOD);
        }
    }

    /// The memory in MiB.
    #[must_use]
    pub fn heap_mib(&self) -> f64 {
        crate::http::mebibytes(self.heap_bytes)
    }
}

/// What the last of `all` holds more than the first, which was warm.
#[must_use]
pub fn growth(all: &[Holdings]) -> Vec<String> {
    match all {
        [warm, .., last] => complaints(warm, last),
        _ => vec!["nothing to compare".to_owned()],
    }
}

fn complaints(warm: &Holdings, last: &Holdings) -> Vec<String> {
    let told = |what: &str, warm: u64, last: u64| format!("{what} {GREW} {warm} to {last}");
    let mut complaints = Vec::new();
    if last.heap_bytes > warm.heap_bytes + GROWTH_BYTES_MAX {
        complaints.push(told("bytes of memory", warm.heap_bytes, last.heap_bytes));
    }
    let counts = [
        ("open files", warm.files, last.files, 0),
        ("threads", warm.threads, last.threads, 0),
        ("mappings", warm.mappings, last.mappings, MAPPINGS_SLACK),
    ];
    for (what, warm, last, slack) in counts {
        if last > warm + slack {
            complaints.push(told(what, warm as u64, last as u64));
        }
    }
    complaints
}

fn anonymous_bytes(rollup: &str) -> u64 {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:"));
    let kilobytes: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or_default() * 1024
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        process::{Command, Stdio},
    };

    use super::*;

    const WARM: Holdings = Holdings { heap_bytes: 40 << 20, files: 40, threads: 10, mappings: 200 };

    /// What is said of rounds in each of which something leaks.
    fn said(leak: impl Fn(&mut Holdings, u64)) -> String {
        let rounds = (0..10).map(|round| {
            let mut held = WARM;
            leak(&mut held, round);
            held
        });
        growth(&rounds.collect::<Vec<_>>()).join("; ")
    }

    #[test]
    fn what_leaks_is_told() {
        assert_eq!(said(|_, _| ()), "");
        assert_eq!(said(|held, round| held.heap_bytes += round << 19), "");
        assert_eq!(
            said(|held, round| held.heap_bytes += round << 20),
            "bytes of memory grew from 41943040 to 51380224"
        );
        let leaks = said(|held, round| {
            held.files += usize::from(round == 9);
            held.threads += usize::from(round > 3);
            held.mappings += 17 * usize::from(round > 0);
        });
        assert_eq!(leaks, "open files grew from 40 to 41; threads grew from 10 to 11; mappings grew from 200 to 217");
    }

    #[test]
    fn a_process_that_keeps_what_it_takes_is_told_of() {
        let mut shell = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut input, mut output) = (shell.stdin.take().unwrap(), BufReader::new(shell.stdout.take().unwrap()));
        let mut holdings_after = |commands: &str| {
            writeln!(input, "{commands}; echo done").unwrap();
            output.read_line(&mut String::new()).unwrap();
            Holdings::of(shell.id()).unwrap()
        };
        let warm = holdings_after("true");
        let last = holdings_after("exec 7</dev/null; kept=$(head -c 8000000 /dev/zero | tr '\\0' x)");
        drop(input);
        shell.wait().unwrap();
        let said = growth(&[warm, last]);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("bytes of memory grew") && said[1].starts_with("open files grew"), "{said:?}");
    }
}
