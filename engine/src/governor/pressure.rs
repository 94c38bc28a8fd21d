//! How near the process is to the end of its memory, and how much models should let go for that.

use std::path::PathBuf;

use super::cgroup::{Groups, Usage, machine_stalled_percent, machine_usage};

/// Above this share of the limit models leave, until it is below the second.
const HIGH_PERCENT: u64 = 95;
const LOW_PERCENT: u64 = 90;
/// Where processes stand still for want of memory for so much of their time, and at least this share of the limit is
/// used, so much of it leaves each time.
const STALLED_PERCENT: f64 = 10.0;
const STALLED_FROM_PERCENT: u64 = 80;
const STALLED_SHARE: u64 = 32;

/// What the system says of memory, now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) usage: Usage,
    /// The share of the last ten seconds in which everything stood still for want of memory.
    pub(crate) stalled_percent: Option<f64>,
}

impl Reading {
    /// How much memory should be let go.
    pub(crate) fn excess_bytes(self) -> u64 {
        let Usage { limit_bytes, needed_bytes } = self.usage;
        let percent = |percent| limit_bytes / 100 * percent;
        if needed_bytes > percent(HIGH_PERCENT) {
            return needed_bytes - percent(LOW_PERCENT);
        }
        let is_stalled = self.stalled_percent.is_some_and(|stalled| stalled >= STALLED_PERCENT);
        if is_stalled && needed_bytes > percent(STALLED_FROM_PERCENT) { limit_bytes / STALLED_SHARE } else { 0 }
    }
}

/// Where the system says it.
#[derive(Debug)]
pub(crate) struct Gauge {
    root: PathBuf,
    groups: Option<Groups>,
}

impl Gauge {
    /// Of the process whose file system has its root at `root`.
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { groups: Groups::of_process(&root), root }
    }

    /// The least limit of the groups that the process is in.
    pub(crate) fn limit_bytes(&self) -> Option<u64> {
        self.groups.as_ref()?.limit_bytes()
    }

    /// Of the group that is nearest to its limit, else of the machine.
    pub(crate) fn read(&self) -> Option<Reading> {
        let group = self.groups.as_ref().and_then(Groups::usage);
        let usage = group.or_else(|| machine_usage(&self.root))?;
        let stalled_percent = match &self.groups {
            Some(groups) => groups.stalled_percent(&self.root),
            None => machine_stalled_percent(&self.root),
        };
        Some(Reading { usage, stalled_percent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(needed_bytes: u64, stalled_percent: Option<f64>, excess_bytes: u64) {
        let reading = Reading { usage: Usage { limit_bytes: 3200, needed_bytes }, stalled_percent };
        assert_eq!(reading.excess_bytes(), excess_bytes, "{reading:?}");
    }

    #[test]
    fn near_the_limit_models_leave() {
        check(3040, None, 0);
        check(3041, None, 161);
        check(4000, None, 1120);
    }

    #[test]
    fn where_everything_stands_still_some_leave_earlier() {
        check(2561, Some(9.9), 0);
        check(2561, Some(10.0), 100);
        check(2560, Some(99.0), 0);
        check(3041, Some(99.0), 161);
    }
}
