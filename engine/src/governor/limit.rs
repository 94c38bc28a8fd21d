//! How much memory models may take: what the operator said, else most of the container's limit, else of the machine's.

use sysinfo::System;

use super::pressure::Gauge;
use crate::error::{Error, ErrorKind, Result};

/// Of a limit that is not ours alone, the share that models may take; the rest is for requests and conversions.
const SHARE_PERCENT: u64 = 80;

/// The budget in bytes for all models together, out of what is [`available`].
///
/// # Errors
/// That of `available`, where nothing is given.
pub(crate) fn detect(given: Option<u64>, available: Result<u64>) -> Result<u64> {
    match given {
        Some(bytes) => Ok(bytes),
        None => Ok(available? / 100 * SHARE_PERCENT),
    }
}

/// The least limit of the memory cgroups that have one, else the machine's memory.
///
/// # Errors
/// [`ErrorKind::Io`] when the system does not say how much memory there is.
pub(crate) fn available(gauge: &Gauge) -> Result<u64> {
    let unknown = |error| Error::new(ErrorKind::Io, format!("cannot tell how much memory there is: {error:?}"));
    let mut system = System::new().map_err(unknown)?;
    system.refresh_memory();
    let machine_bytes = system.total_memory();
    Ok(gauge.limit_bytes().filter(|&bytes| bytes > 0).map_or(machine_bytes, |bytes| bytes.min(machine_bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_word_is_final_and_the_machine_has_an_answer() {
        let gauge = Gauge::new("/");
        assert_eq!(detect(Some(7), available(&gauge)).unwrap(), 7);
        assert!(detect(None, available(&gauge)).unwrap() > 1 << 20);
    }
}
