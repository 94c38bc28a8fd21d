//! Where requests begin and end in a connection's bytes, read so strictly that no two readers can differ about it.
//!
//! It runs ahead of hyper, which forgives more: what is let through here has one meaning only. Heads are let through
//! whole, bodies as they come.

use std::ops::Range;

use bytes::BytesMut;

use crate::{
    configuration::Limits,
    failure::{Class, Failure},
};

mod chunks;
mod head;

use chunks::Chunks;
use head::Body;

/// What of a connection has been seen.
#[derive(Debug)]
pub(crate) struct Framing {
    state: State,
    /// Bytes of an unfinished head that have been looked at.
    seen: usize,
    heads: u64,
}

#[derive(Debug)]
enum State {
    /// Between requests, or within a head.
    Head,
    /// Within a body of which so many bytes are to come.
    Length(u64),
    /// Within a body in chunks.
    Chunked(Chunks),
    /// Nothing more is let through.
    Refused,
}

/// How far bytes may be let through.
#[derive(Debug)]
pub(crate) struct Passage {
    /// That many bytes, from the first; what follows is an unfinished head, another request, or refused.
    pub(crate) bytes: usize,
    /// So many of them as they are; for the others, what was put into the caller's chunks.
    pub(crate) as_is: usize,
    /// Why the rest is refused.
    pub(crate) refusal: Option<Failure>,
    /// The head that they begin with, where they are that and all of the body whose length it announces.
    pub(crate) whole: Option<Head>,
}

/// A head that announces the length of a body.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) bytes: usize,
    /// Where it says so.
    pub(crate) digits: Range<usize>,
}

impl Framing {
    pub(crate) fn new() -> Self {
        Self { state: State::Head, seen: 0, heads: 0 }
    }

    /// Heads that were let through.
    pub(crate) fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether a body is unfinished.
    pub(crate) fn is_within_body(&self) -> bool {
        matches!(self.state, State::Length(_) | State::Chunked(_))
    }

    /// Whether no more is let through.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.state, State::Refused)
    }

    /// Lets no more through.
    pub(crate) fn refuse(&mut self) {
        self.state = State::Refused;
    }

    /// Follows `bytes` to the end of a request at most. They begin where the last passage ended: an unfinished head comes
    /// again, longer. A body in chunks is put into `chunks`, in other chunks.
    pub(crate) fn follow(&mut self, bytes: &[u8], limits: &Limits, chunks: &mut BytesMut) -> Passage {
        let mut passage = Passage { bytes: 0, as_is: 0, refusal: None, whole: None };
        let mut announced = None;
        while passage.bytes < bytes.len() && passage.refusal.is_none() {
            let rest = &bytes[passage.bytes..];
            let step = match &mut self.state {
                State::Head => self.head(rest, limits, &mut announced),
                State::Length(left) => Ok(length(left, rest)),
                State::Chunked(body) => {
                    let (step, refusal) = body.follow(rest, limits, chunks);
                    passage.bytes += step;
                    passage.refusal = refusal;
                    Ok(0)
                }
                State::Refused => Ok(0),
            };
            match step {
                Ok(step) => {
                    passage.bytes += step;
                    passage.as_is += step;
                }
                Err(refusal) => passage.refusal = Some(refusal),
            }
            if self.is_body_finished() {
                self.state = State::Head;
                passage.whole = announced.take();
            }
            if !self.is_within_body() {
                break;
            }
        }
        passage
    }

    fn is_body_finished(&self) -> bool {
        match &self.state {
            State::Length(left) => *left == 0,
            State::Chunked(chunks) => chunks.is_finished(),
            State::Head | State::Refused => false,
        }
    }

    /// The length of the head that `bytes` begin with; 0 while it is unfinished. The length that it announces is `announced`.
    fn head(&mut self, bytes: &[u8], limits: &Limits, announced: &mut Option<Head>) -> Result<usize, Failure> {
        let end = head::end(bytes, self.seen)?;
        if end.unwrap_or(bytes.len()) > limits.head_bytes_max {
            return Err(too_large(bytes, limits));
        }
        let Some(end) = end else {
            self.seen = bytes.len();
            return Ok(0);
        };
        self.state = match head::check(&bytes[..end], limits)? {
            Body::Empty => State::Head,
            Body::Length(length, digits) => {
                *announced = Some(Head { bytes: end, digits });
                State::Length(length)
            }
            Body::Chunked => State::Chunked(Chunks::default()),
        };
        self.seen = 0;
        self.heads += 1;
        Ok(end)
    }
}

/// How many of `bytes` belong to a body of which so many are `left`.
fn length(left: &mut u64, bytes: &[u8]) -> usize {
    let step = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= step as u64;
    step
}

fn too_large(head: &[u8], limits: &Limits) -> Failure {
    if memchr::memchr(b'\n', &head[..limits.head_bytes_max]).is_none() {
        return head::target_too_long(limits);
    }
    let message = format!("the request's head is longer than {} bytes", limits.head_bytes_max);
    Failure::new(Class::HeadTooLarge, message)
}

#[cfg(test)]
mod tests;
