//! What the two ends of one connection, its wire and its handlers, tell each other.

use std::{
    mem,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use crate::failure::Failure;

/// One connection's requests, counted from 1 in the order in which they come and are answered. Both ends run in one task:
/// no other thread looks on.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    begun: AtomicU64,
    answered: AtomicU64,
    /// Whether there is a refusal that no handler has taken.
    refused: AtomicBool,
    refusal: Mutex<Option<(u64, Failure)>>,
    /// The request whose body came whole and was not taken yet; 0 where there is none.
    whole: AtomicU64,
    body: Mutex<Bytes>,
    arriving: AtomicBool,
}

impl Conversation {
    /// A handler has the next request; the answer is given if the wire has refused that request.
    pub(crate) fn begin(&self) -> Option<Failure> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.refusal()
    }

    /// The handler has its answer. A body that it did not want is let go.
    pub(crate) fn end(&self) {
        drop(self.body());
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// The requests that have their answer.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// The wire refuses what remains of the request `number`.
    pub(crate) fn refuse(&self, number: u64, failure: Failure) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some((number, failure));
        self.refused.store(true, Ordering::Release);
    }

    /// Why the wire has refused what remains of the request that is being answered.
    pub(crate) fn refusal(&self) -> Option<Failure> {
        if !self.refused.load(Ordering::Acquire) {
            return None;
        }
        let begun = self.begun.load(Ordering::Relaxed);
        let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, failure) = refusal.take_if(|(number, _)| *number == begun)?;
        self.refused.store(false, Ordering::Release);
        Some(failure)
    }

    /// The wire hands the whole body of the request `number` over.
    pub(crate) fn hand_over(&self, number: u64, body: Bytes) {
        *self.body.lock().unwrap_or_else(PoisonError::into_inner) = body;
        self.whole.store(number, Ordering::Release);
    }

    /// The body of the request that is being answered, if the wire has handed it over.
    pub(crate) fn body(&self) -> Option<Bytes> {
        let begun = self.begun.load(Ordering::Relaxed);
        self.whole.compare_exchange(begun, 0, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some(mem::take(&mut *self.body.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Whether the wire holds anything of a request of which no handler knows yet.
    pub(crate) fn is_arriving(&self) -> bool {
        self.arriving.load(Ordering::Relaxed)
    }

    /// The wire says so.
    pub(crate) fn note_arriving(&self, is_arriving: bool) {
        self.arriving.store(is_arriving, Ordering::Relaxed);
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

    #[test]
    fn a_body_reaches_the_request_that_it_belongs_to() {
        let conversation = Conversation::default();
        conversation.hand_over(2, Bytes::from_static(b"1,2"));
        assert!(conversation.begin().is_none());
        assert!(conversation.body().is_none());
        assert!(conversation.begin().is_none());
        assert_eq!(conversation.body().unwrap(), "1,2");
        assert!(conversation.body().is_none());
    }

    #[test]
    fn a_body_that_nobody_wanted_is_let_go_with_the_answer() {
        let conversation = Conversation::default();
        let body = Bytes::from(vec![b'1'; 100]);
        conversation.hand_over(1, body.clone());
        conversation.begin();
        assert!(!body.is_unique());
        conversation.end();
        assert!(body.is_unique());
    }
}
