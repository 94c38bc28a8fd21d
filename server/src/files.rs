//! How many files the process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// Files beside connections: loads, sockets to a source, libraries, the log.
const SPARE: u64 = 256;

/// What is to be done so that connections do not take all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    /// The limit to ask for, where the present one is too low.
    raise_to: Option<u64>,
    connections_max: u64,
}

/// Lets the process open as many files as `connections_max` connections need, as far as the system lets it; the
/// connections that there are files for.
pub(crate) fn allow(connections_max: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(connections_max).unwrap_or(u64::MAX);
    let possible = plan(wanted, current, maximum);
    let raise = |files| setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum }).is_ok();
    let is_possible = possible.raise_to.is_none_or(raise);
    let granted = if is_possible { possible } else { plan(wanted, current, current) }.connections_max;
    if granted < wanted {
        warn!(granted, connections_max, "fewer connections are taken: the process may not open enough files");
    }
    usize::try_from(granted).unwrap_or(usize::MAX)
}

/// `None` is no limit.
fn plan(connections_max: u64, current: Option<u64>, maximum: Option<u64>) -> Plan {
    let files = maximum.unwrap_or(u64::MAX).min(connections_max.saturating_add(SPARE));
    // Where there are very few files, half of them are left for everything else.
    let spare = SPARE.min(files / 2);
    Plan {
        raise_to: current.filter(|current| *current < files).map(|_| files),
        connections_max: connections_max.min(files - spare).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(connections_max: u64, current: Option<u64>, maximum: Option<u64>, expected: (Option<u64>, u64)) {
        let plan = plan(connections_max, current, maximum);
        assert_eq!((plan.raise_to, plan.connections_max), expected);
    }

    #[test]
    fn the_limit_is_raised_no_further_than_needed_and_allowed() {
        check(8192, Some(1024), Some(1 << 20), (Some(8192 + SPARE), 8192));
        check(8192, Some(1024), None, (Some(8192 + SPARE), 8192));
        check(8192, Some(20_000), Some(20_000), (None, 8192));
        check(8192, None, None, (None, 8192));
        check(8192, Some(1024), Some(4096), (Some(4096), 4096 - SPARE));
        check(8192, Some(1024), Some(1024), (None, 1024 - SPARE));
        check(8192, Some(64), Some(64), (None, 32));
        check(8192, Some(0), Some(0), (None, 1));
    }
}
