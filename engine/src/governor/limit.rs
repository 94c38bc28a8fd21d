//! How much memory models may take: what the operator said, else most of the container's limit, else of the machine's.

use sysinfo::{Pid, Process, ProcessesToUpdate, System};

use crate::error::{Error, ErrorKind, Result};

/// Of a limit that is not ours alone, the share that models may take; the rest is for requests and conversions.
const SHARE_PERCENT: u64 = 80;

/// The budget in bytes for all models together.
///
/// # Errors
/// [`ErrorKind::Io`] when the system does not say how much memory there is.
pub(crate) fn detect(given: Option<u64>) -> Result<u64> {
    match given {
        Some(bytes) => Ok(bytes),
        None => Ok(available()? / 100 * SHARE_PERCENT),
    }
}

/// The limit of the innermost memory cgroup that has one, else the machine's memory.
fn available() -> Result<u64> {
    let unknown = |error| Error::new(ErrorKind::Io, format!("cannot tell how much memory there is: {error:?}"));
    let mut system = System::new().map_err(unknown)?;
    system.refresh_memory();
    let machine_bytes = system.total_memory();
    let own = Pid::from_u32(std::process::id());
    system.refresh_processes(ProcessesToUpdate::Some(&[own]), true);
    let group_bytes = system.process(own).and_then(Process::cgroup_limits).map(|limits| limits.total_memory);
    Ok(group_bytes.filter(|&bytes| bytes > 0).map_or(machine_bytes, |bytes| bytes.min(machine_bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_word_is_final_and_the_machine_has_an_answer() {
        assert_eq!(detect(Some(7)).unwrap(), 7);
        assert!(detect(None).unwrap() > 1 << 20);
    }
}
