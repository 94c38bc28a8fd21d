//! A connection's socket as hyper sees it: whole heads and well framed bodies only, and nobody who keeps it waiting.
//!
//! What [`Framing`] refuses and what comes too late is told to the [`Conversation`], whose next handler answers it: a
//! refused head is replaced by a request that stands for it, a refused body breaks off. Hyper gets a request when the
//! answer to the one before is written, so that a client that sends and does not read makes nobody keep its answers.

use std::{
    io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use crate::{
    configuration::Limits,
    conversation::Conversation,
    deadline::Deadline,
    failure::{Class, Failure},
    framing::{Framing, Passage},
};

/// What hyper reads in place of a head that is refused.
/// Its method names no route.
pub(crate) const STAND_IN_METHOD: &str = "REFUSED";
const STAND_IN: &[u8] = b"REFUSED / HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n";

/// Bodies up to this that come whole with their heads go round hyper, which is told that there are none: to take one from it
/// needs two turns of the connection's task.
const HANDED_OVER_BYTES_MAX: usize = 4 << 10;

/// How much is read, and for how long, from a client that was refused while it was still sending: a socket that is
/// closed with bytes unread takes the answer back.
const FAREWELL_BYTES_MAX: usize = 64 << 20;
const FAREWELL: Duration = Duration::from_secs(5);

/// A socket between a client and hyper.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    limits: Limits,
    conversation: Arc<Conversation>,
    framing: Framing,
    /// The beginning of a head, or what was sent before the last answer was written.
    head: BytesMut,
    /// Whether `head` has not been looked at.
    is_waiting: bool,
    /// What hyper reads next, before anything from the socket.
    ready: BytesMut,
    /// A body that was let through in part breaks off after that.
    is_broken: bool,
    is_late: bool,
    reading: Option<(Phase, Deadline)>,
    writing: Option<Deadline>,
    farewell: Option<(usize, Deadline)>,
}

/// What a read waits for, and after how many heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle(u64),
    Head(u64),
    Body(u64),
    /// The client's turn is over until it has its answer.
    Answer,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, limits: Limits, conversation: Arc<Conversation>) -> Self {
        Self {
            stream,
            limits,
            conversation,
            framing: Framing::new(),
            head: BytesMut::new(),
            is_waiting: false,
            ready: BytesMut::new(),
            is_broken: false,
            is_late: false,
            reading: None,
            writing: None,
            farewell: None,
        }
    }

    /// Whether the client's turn is over until its answer is written.
    fn is_answering(&self) -> bool {
        let is_answered = || self.framing.heads() == self.conversation.answered();
        !self.framing.is_within_body() && (self.writing.is_some() || !is_answered())
    }

    /// Lets what came from the socket, the end of `buffer` after `before` bytes, through to hyper or keeps it.
    fn follow(&mut self, buffer: &mut ReadBuf<'_>, before: usize) {
        let fresh = &buffer.filled()[before..];
        if self.is_answering() || !self.head.is_empty() {
            self.head.extend_from_slice(fresh);
            self.is_waiting = true;
            return buffer.set_filled(before);
        }
        let Passage { bytes, as_is, refusal, whole } = self.framing.follow(fresh, &self.limits, &mut self.ready);
        self.is_waiting = bytes > 0 && bytes < fresh.len();
        self.head.extend_from_slice(&fresh[bytes..]);
        match whole {
            Some(head) if bytes - head.bytes <= HANDED_OVER_BYTES_MAX => {
                self.conversation.hand_over(self.framing.heads(), Bytes::copy_from_slice(&fresh[head.bytes..bytes]));
                buffer.filled_mut()[before..][head.digits].fill(b'0');
                buffer.set_filled(before + head.bytes);
            }
            _ => buffer.set_filled(before + as_is),
        }
        if let Some(refusal) = refusal {
            self.refuse(refusal);
        }
    }

    /// Looks at what was kept.
    fn follow_kept(&mut self) {
        let mut chunks = BytesMut::new();
        let Passage { bytes, as_is, refusal, .. } = self.framing.follow(&self.head, &self.limits, &mut chunks);
        let rest = self.head.split_off(bytes);
        self.ready = mem::replace(&mut self.head, rest);
        self.ready.truncate(as_is);
        self.ready.extend_from_slice(&chunks);
        self.is_waiting = bytes > 0 && !self.head.is_empty();
        if let Some(refusal) = refusal {
            self.refuse(refusal);
        }
    }

    /// Gives hyper what is ready for it.
    fn deliver(&mut self, buffer: &mut ReadBuf<'_>) {
        let bytes = self.ready.len().min(buffer.remaining());
        buffer.put_slice(&self.ready.split_to(bytes));
        if self.ready.is_empty() {
            // An idle connection keeps no memory.
            self.ready = BytesMut::new();
        }
    }

    /// Ends the reading: the handler of the request that went wrong hears of `failure`.
    fn refuse(&mut self, failure: Failure) {
        let is_body = self.framing.is_within_body();
        self.framing.refuse();
        self.head = BytesMut::new();
        self.is_waiting = false;
        if is_body {
            self.is_broken = true;
            self.conversation.refuse(self.framing.heads(), failure);
        } else {
            self.ready.extend_from_slice(STAND_IN);
            self.conversation.refuse(self.framing.heads() + 1, failure);
        }
    }

    fn refuse_late(&mut self, part: &str, patience: Duration) {
        self.is_late = true;
        let seconds = patience.as_secs_f64();
        let message = format!("the request's {part} did not arrive within {seconds} seconds");
        self.refuse(Failure::new(Class::RequestTimeout, message));
    }

    fn phase(&self) -> Phase {
        let heads = self.framing.heads();
        if self.framing.is_within_body() {
            Phase::Body(heads)
        } else if self.is_answering() {
            Phase::Answer
        } else if !self.head.is_empty() {
            Phase::Head(heads)
        } else {
            Phase::Idle(heads)
        }
    }

    /// Ready once the client has kept hyper waiting for too long.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<Phase> {
        let phase = self.phase();
        let patience = phase.patience(&self.limits);
        let (current, deadline) =
            self.reading.get_or_insert_with(|| (Phase::Answer, Deadline::new(Instant::now() + self.limits.idle)));
        let is_new = *current != phase;
        *current = phase;
        let Some(patience) = patience else { return Poll::Pending };
        if is_new {
            deadline.move_to(Instant::now() + patience);
        }
        deadline.poll(context).map(|()| phase)
    }

    /// It is the client's turn again once its answer is written: hyper does not read before the socket has something, but
    /// what was kept has to be read then, and the time of an idle client runs.
    fn take_turn(&mut self, context: &mut Context<'_>) {
        if !self.is_answering() && (self.is_waiting || self.poll_late(context).is_ready()) {
            context.waker().wake_by_ref();
        }
    }

    /// Gives hyper what of a request it may see.
    fn poll_request(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        loop {
            if !self.ready.is_empty() {
                self.deliver(buffer);
                return Poll::Ready(Ok(()));
            }
            if self.framing.is_refused() {
                let broken = || Err(io::Error::new(io::ErrorKind::InvalidData, "the rest of the body is refused"));
                return if self.is_broken { Poll::Ready(broken()) } else { Poll::Pending };
            }
            if self.is_waiting {
                if self.is_answering() {
                    return Poll::Pending;
                }
                self.follow_kept();
                continue;
            }
            match Pin::new(&mut self.stream).poll_read(context, buffer)? {
                Poll::Ready(()) if buffer.filled().len() == before => return Poll::Ready(Ok(())),
                Poll::Ready(()) => self.follow(buffer, before),
                Poll::Pending => match ready!(self.poll_late(context)) {
                    // Hyper takes it for the client's farewell.
                    Phase::Idle(_) | Phase::Answer => return Poll::Ready(Ok(())),
                    Phase::Head(_) => self.refuse_late("head", self.limits.head_arrival),
                    Phase::Body(_) => self.refuse_late("body", self.limits.body_arrival),
                },
            }
            if buffer.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Reads and forgets what a client sends that was refused before it had sent everything.
    fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let patience = FAREWELL.min(self.limits.body_arrival);
        let (bytes_left, deadline) =
            self.farewell.get_or_insert_with(|| (FAREWELL_BYTES_MAX, Deadline::new(Instant::now() + patience)));
        let mut space = [0; 4096];
        loop {
            let mut forgotten = ReadBuf::new(&mut space);
            let read = Pin::new(&mut self.stream).poll_read(context, &mut forgotten);
            let bytes = forgotten.filled().len();
            match read {
                Poll::Ready(Ok(())) if (1..*bytes_left).contains(&bytes) => *bytes_left -= bytes,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return deadline.poll(context),
            }
        }
    }
}

impl Phase {
    fn patience(self, limits: &Limits) -> Option<Duration> {
        match self {
            Self::Idle(_) => Some(limits.idle),
            Self::Head(_) => Some(limits.head_arrival),
            Self::Body(_) => Some(limits.body_arrival),
            Self::Answer => None,
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        let polled = wire.poll_request(context, buffer);
        wire.conversation.note_arriving(!wire.head.is_empty() || !wire.ready.is_empty());
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let written = Pin::new(&mut wire.stream).poll_write(context, bytes);
        if written.is_ready() {
            return written;
        }
        let patience = wire.limits.answer_departure;
        let deadline = wire.writing.get_or_insert_with(|| Deadline::new(Instant::now() + patience));
        deadline.poll(context).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
    }

    /// Hyper calls this once it has written all that it has.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        wire.writing = None;
        wire.take_turn(context);
        Pin::new(&mut wire.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        if wire.farewell.is_none() {
            ready!(Pin::new(&mut wire.stream).poll_shutdown(context))?;
        }
        let is_sending = wire.framing.is_within_body() || wire.framing.is_refused();
        if is_sending && !wire.is_late {
            ready!(wire.poll_farewell(context));
        }
        Poll::Ready(Ok(()))
    }
}
