//! A moment by which something has to have happened.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

/// A deadline that is moved and asked far more often than it passes: the timer is only touched when it has to ring earlier
/// or wake another task, or has rung too early.
#[derive(Debug)]
pub(crate) struct Deadline {
    at: Instant,
    timer: Pin<Box<Sleep>>,
    /// Whom the timer wakes, from the first question on.
    waker: Option<Waker>,
}

impl Deadline {
    pub(crate) fn new(at: Instant) -> Self {
        Self { at, timer: Box::pin(sleep_until(at)), waker: None }
    }

    pub(crate) fn move_to(&mut self, at: Instant) {
        self.at = at;
        if at < self.timer.deadline() {
            self.timer.as_mut().reset(at);
        }
    }

    /// Ready once the deadline has passed.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let is_known = self.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker()));
        if is_known && !self.timer.is_elapsed() {
            return Poll::Pending;
        }
        // A task that has had its turn is told to come again, and the timer would not know of it.
        while pin!(unconstrained(self.timer.as_mut())).poll(context).is_ready() {
            if self.at <= self.timer.deadline() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.at);
        }
        self.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use tokio::{task::coop::poll_proceed, time::timeout};

    use super::*;

    #[tokio::test]
    async fn a_deadline_passes_where_it_was_moved_to() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        for (first, second) in [(1, 40), (60_000, 40)] {
            let mut deadline = Deadline::new(after(first));
            deadline.move_to(after(second));
            poll_fn(|context| deadline.poll(context)).await;
            assert!((after(40)..after(10_000)).contains(&Instant::now()));
        }
    }

    #[tokio::test]
    async fn a_deadline_passes_for_a_task_that_has_had_its_turn() {
        let mut deadline = Deadline::new(Instant::now() + Duration::from_millis(40));
        let passing = poll_fn(|context| {
            while let Poll::Ready(progress) = poll_proceed(context) {
                progress.made_progress();
            }
            deadline.poll(context)
        });
        timeout(Duration::from_secs(10), passing).await.unwrap();
    }
}
