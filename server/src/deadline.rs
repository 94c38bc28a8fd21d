//! A moment by which something has to have happened.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::time::{Instant, Sleep, sleep_until};

/// A deadline that is moved far more often than it passes: the timer is only touched when it has to ring earlier, or has
/// rung too early.
#[derive(Debug)]
pub(crate) struct Deadline {
    at: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(crate) fn new(at: Instant) -> Self {
        Self { at, timer: Box::pin(sleep_until(at)) }
    }

    pub(crate) fn move_to(&mut self, at: Instant) {
        self.at = at;
        if at < self.timer.deadline() {
            self.timer.as_mut().reset(at);
        }
    }

    /// Ready once the deadline has passed.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            if self.at <= self.timer.deadline() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

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
}
