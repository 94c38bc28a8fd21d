//! What the two ends of one connection, its wire and its handlers, tell each other.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::failure::Failure;

/// One connection's requests, counted from 1 in the order in which they come and are answered.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    state: Mutex<State>,
    arriving: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    begun: u64,
    answered: u64,
    refusal: Option<(u64, Failure)>,
}

impl Conversation {
    /// A handler has the next request; the answer is given if the wire has refused that request.
    pub(crate) fn begin(&self) -> Option<Failure> {
        let mut state = self.state();
        state.begun += 1;
        state.refused()
    }

    /// The handler has its answer.
    pub(crate) fn end(&self) {
        self.state().answered += 1;
    }

    /// The requests that have their answer.
    pub(crate) fn answered(&self) -> u64 {
        self.state().answered
    }

    /// The wire refuses what remains of the request `number`.
    pub(crate) fn refuse(&self, number: u64, failure: Failure) {
        self.state().refusal = Some((number, failure));
    }

    /// Why the wire has refused what remains of the request that is being answered.
    pub(crate) fn refusal(&self) -> Option<Failure> {
        self.state().refused()
    }

    /// Whether the wire holds anything of a request of which no handler knows yet.
    pub(crate) fn is_arriving(&self) -> bool {
        self.arriving.load(Ordering::Relaxed)
    }

    /// The wire says so.
    pub(crate) fn note_arriving(&self, is_arriving: bool) {
        self.arriving.store(is_arriving, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refused(&mut self) -> Option<Failure> {
        let begun = self.begun;
        self.refusal.take_if(|(number, _)| *number == begun).map(|(_, failure)| failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Class;

    #[test]
    fn a_refusal_reaches_the_request_that_it_means() {
        let conversation = Conversation::default();
        conversation.refuse(2, Failure::new(Class::BadRequest, "no"));
        assert!(conversation.begin().is_none());
        assert!(conversation.refusal().is_none());
        conversation.end();
        assert_eq!(conversation.answered(), 1);
        assert_eq!(conversation.begin().unwrap().story(), "no");
        assert!(conversation.refusal().is_none());
    }
}
