//! Whether the source answers anybody: a mark that all loads share, so that while it does not, only one question at a time
//! finds out when it does again.

use std::{sync::atomic::AtomicBool, time::Duration};

use tokio::sync::watch;

use crate::error::{Error, ErrorKind};

/// How long the pauses between two questions are at first and at last.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// The mark; it stands for as long as the source answers nobody.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    mark: watch::Sender<Option<Error>>,
    /// Somebody finds out whether the source answers, and sets the mark and takes it away.
    pub(crate) is_asked: AtomicBool,
}

impl Outage {
    /// What the source did not answer with, while it does not.
    pub(crate) fn standing(&self) -> Option<Error> {
        self.mark.borrow().clone()
    }

    /// Completes when the mark is set.
    pub(crate) async fn begins(&self) -> Error {
        let mut mark = self.mark.subscribe();
        let error = mark.wait_for(Option::is_some).await.ok().and_then(|mark| mark.clone());
        error.unwrap_or_else(|| Error::new(ErrorKind::SourceUnreachable, "the source does not answer"))
    }

    /// Sets the mark, for the next `pause` at least; whether it was not set before.
    pub(crate) fn set(&self, error: &Error, pause: Duration) -> bool {
        self.mark.send_replace(Some(error.clone().until(pause))).is_none()
    }

    /// Takes the mark away; whether it was set.
    pub(crate) fn end(&self) -> bool {
        self.mark.send_replace(None).is_some()
    }
}

/// The pauses between one question and the next, without end.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(PAUSE), |pause| Some((*pause * 2).min(PAUSE_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_mark_stands_until_it_is_taken_away() {
        let (outage, error) = (Outage::default(), Error::new(ErrorKind::SourceUnreachable, "silence"));
        assert!(outage.standing().is_none());
        assert!(outage.set(&error, PAUSE) && !outage.set(&error, PAUSE_MAX));
        assert_eq!(outage.begins().await.retry_after(), Some(PAUSE_MAX));
        assert!(outage.end() && !outage.end());
        assert!(outage.standing().is_none() && outage.set(&error, PAUSE));
    }

    #[test]
    fn pauses_grow_to_seconds() {
        let pauses: Vec<u128> = pauses().take(7).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 2000, 2000]);
    }
}
