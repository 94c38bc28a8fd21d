//! Whose turn it is to compute: the work that is due first, where the more there is to do the later it is due.

use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

/// Work is due after this many times what it should take: short work passes long work that came so much before it, and
/// no more, so that none waits for ever.
const PATIENCE: u32 = 8;

/// No work counts as longer.
const COST_MAX: Duration = Duration::from_secs(1);

/// As many turns as were given.
#[derive(Clone, Debug)]
pub(crate) struct Turns(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    free: usize,
    waiting: BinaryHeap<Waiter>,
}

/// The right to compute, for as long as it is kept.
#[derive(Debug)]
pub(crate) struct Turn(Turns);

#[derive(Debug)]
struct Waiter {
    due: Instant,
    call: oneshot::Sender<Turn>,
}

impl Turns {
    pub(crate) fn new(count: usize) -> Self {
        Self(Arc::new(Mutex::new(State { free: count, waiting: BinaryHeap::new() })))
    }

    /// A turn for work that should take `cost`.
    pub(crate) async fn take(&self, cost: Duration) -> Turn {
        let called = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Turn(self.clone());
            }
            let (call, called) = oneshot::channel();
            let due = Instant::now() + cost.min(COST_MAX) * PATIENCE;
            // Who leaves makes room for another, so that those who wait are no more than those who are let in.
            state.waiting.retain(|waiter| !waiter.call.is_closed());
            state.waiting.push(Waiter { due, call });
            called
        };
        called.await.expect("who waits is called, and not dropped before")
    }

    /// Hands a turn that is over to who is next; who has left meanwhile drops it, and so hands it on.
    fn hand_on(&self) {
        let next = {
            let mut state = self.state();
            let next = state.waiting.pop();
            state.free += usize::from(next.is_none());
            next
        };
        if let Some(next) = next {
            drop(next.call.send(Turn(self.clone())));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.hand_on();
    }
}

impl Ord for Waiter {
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiter {}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn short_work_passes_long_work_and_who_leaves_holds_up_nobody() {
        let turns = Turns::new(1);
        let running = turns.take(Duration::ZERO).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let wait = |name, cost_ms| {
            let (turns, order) = (turns.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let _turn = turns.take(Duration::from_millis(cost_ms)).await;
                order.lock().unwrap().push(name);
            })
        };
        let (long, left, short) = (wait("long", 900), wait("left", 0), wait("short", 10));
        while turns.state().waiting.len() < 3 {
            yield_now().await;
        }
        left.abort();
        assert!(left.await.unwrap_err().is_cancelled());
        let middle = wait("middle", 400);
        yield_now().await;
        assert_eq!(turns.state().waiting.len(), 3, "who left takes no place");
        middle.abort();
        assert!(middle.await.unwrap_err().is_cancelled());
        drop(running);
        short.await.unwrap();
        long.await.unwrap();
        assert_eq!(*order.lock().unwrap(), ["short", "long"], "who left is passed over");
        assert_eq!(turns.state().free, 1);
    }
}
