//! Models of the source that could not be loaded lately, and when they may be tried again: so that a broken or a missing one
//! costs a try now and then, however often it is asked for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::error::{Error, ErrorKind};

/// How many names are remembered.
const NAMES_MAX: usize = 4096;

/// How long it takes until a try may follow the first that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Pauses grow up to this where the artifact is to blame, and up to this where the source or the machine is.
const ARTIFACT_PAUSE_MAX: Duration = Duration::from_mins(1);
const SOURCE_PAUSE_MAX: Duration = Duration::from_secs(4);

#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<Arc<str>, Refusal>>);

#[derive(Clone, Debug)]
struct Refusal {
    error: Error,
    pause: Duration,
    until: Instant,
}

impl Refusals {
    /// What the last try came to, while it is too early for another.
    pub(crate) fn standing(&self, name: &str, now: Instant) -> Option<Error> {
        let names = self.names();
        let refusal = names.get(name).filter(|refusal| now < refusal.until)?;
        Some(refusal.error.clone().until(refusal.until - now))
    }

    /// Notes that a try failed; the error with the pause that follows, if one does. The next pause is twice as long, if nothing
    /// has gone well since.
    pub(crate) fn note(&self, name: &Arc<str>, error: Error, now: Instant) -> Error {
        let Some(pause_max) = pause_max(error.kind()) else { return error };
        let mut names = self.names();
        let pause = names.get(name).map_or(PAUSE, |refusal| refusal.pause * 2).min(pause_max);
        if names.len() >= NAMES_MAX {
            // Those that may be tried again lose only how long their pauses had become.
            names.retain(|_, refusal| now < refusal.until);
        }
        if names.len() < NAMES_MAX || names.contains_key(name) {
            names.insert(Arc::clone(name), Refusal { error: error.clone(), pause, until: now + pause });
            return error.until(pause);
        }
        error
    }

    /// Forgets failures: the model was loaded.
    pub(crate) fn clear(&self, name: &str) {
        self.names().remove(name);
    }

    fn names(&self) -> MutexGuard<'_, HashMap<Arc<str>, Refusal>> {
        // Each entry is whole or not there: a panic elsewhere does not spoil them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long pauses after an error of that kind become; nothing where the next try may do better at once.
fn pause_max(kind: ErrorKind) -> Option<Duration> {
    match kind {
        // When a source answers again is soon known.
        ErrorKind::NotFound | ErrorKind::SourceUnreachable => Some(PAUSE),
        ErrorKind::InvalidArtifact | ErrorKind::Unsupported | ErrorKind::LibraryMissing => Some(ARTIFACT_PAUSE_MAX),
        ErrorKind::SourceUnavailable | ErrorKind::Io => Some(SOURCE_PAUSE_MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn pauses_grow_and_end() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let name = Arc::from("broken");
        let error = Error::new(ErrorKind::InvalidArtifact, "no model");
        assert!(refusals.standing("broken", start).is_none());
        let mut now = start;
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            refusals.note(&name, error.clone(), now);
            let late = refusals.standing("broken", now + Duration::from_millis(pause * 1000 - 1)).unwrap();
            assert_eq!(late.retry_after(), Some(Duration::from_millis(1)));
            now += seconds(pause);
            assert!(refusals.standing("broken", now).is_none());
        }
        refusals.clear("broken");
        refusals.note(&name, error.clone(), now);
        assert!(refusals.standing("broken", now + seconds(1)).is_none());
    }

    #[test]
    fn what_is_missing_is_remembered_briefly_and_a_full_memory_not_at_all() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let name = Arc::from("a");
        for _ in 0..5 {
            refusals.note(&name, Error::new(ErrorKind::NotFound, "nothing there"), now);
        }
        assert!(refusals.standing("a", now).is_some() && refusals.standing("a", now + PAUSE).is_none());
        refusals.clear("a");
        refusals.note(&name, Error::new(ErrorKind::OutOfMemory, "full"), now);
        assert!(refusals.standing("a", now).is_none());
    }

    #[test]
    fn names_are_bounded() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let note = |number: usize, now| {
            let error = Error::new(ErrorKind::NotFound, "nothing there");
            refusals.note(&Arc::from(number.to_string()), error, now);
        };
        (0..2 * NAMES_MAX).for_each(|number| note(number, now));
        assert_eq!(refusals.names().len(), NAMES_MAX);
        note(2 * NAMES_MAX, now + PAUSE);
        assert_eq!(refusals.names().len(), 1);
    }
}
