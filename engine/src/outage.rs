//! Whether the source answers anybody: a mark that all loads share, so that while it does not, only one question at a time
//! finds out when it does again.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

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
    questions: AtomicU64,
    answers: AtomicU64,
}

/// A question that somebody asks the source, until it is dropped.
#[derive(Debug)]
pub(crate) struct Question<'a>(&'a Outage);

/// How many questions were asked, and how many are over, at some time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    questions: u64,
    answers: u64,
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

    /// Counts a question for as long as it is kept: cheaper than a clock for each.
    pub(crate) fn question(&self) -> Question<'_> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        Question(self)
    }

    /// Whether somebody has waited since `tally` was taken, and nobody was answered. It is taken anew.
    pub(crate) fn is_silent_since(&self, tally: &mut Tally) -> bool {
        let (answers, questions) = (self.answers.load(Ordering::Relaxed), self.questions.load(Ordering::Relaxed));
        let is_silent = answers == tally.answers && answers < tally.questions;
        *tally = Tally { questions, answers };
        is_silent
    }

    /// Takes the mark away; whether it was set.
    pub(crate) fn end(&self) -> bool {
        self.mark.send_replace(None).is_some()
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.0.answers.fetch_add(1, Ordering::Relaxed);
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
    fn silence_is_when_somebody_waits_and_nobody_is_answered() {
        let (outage, mut tally) = (Outage::default(), Tally::default());
        assert!(!outage.is_silent_since(&mut tally));
        let (first, second) = (outage.question(), outage.question());
        assert!(!outage.is_silent_since(&mut tally), "they may have just asked");
        assert!(outage.is_silent_since(&mut tally));
        drop(first);
        assert!(!outage.is_silent_since(&mut tally), "somebody was answered");
        assert!(outage.is_silent_since(&mut tally));
        drop(second);
        assert!(!outage.is_silent_since(&mut tally));
        assert!(!outage.is_silent_since(&mut tally), "nobody waits");
    }

    #[test]
    fn pauses_grow_to_seconds() {
        let pauses: Vec<u128> = pauses().take(7).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 2000, 2000]);
    }
}
