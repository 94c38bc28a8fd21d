//! A body in chunks: `size[;extension] CRLF bytes CRLF`, a chunk of no bytes, trailers, an empty line.
//!
//! It is let through in chunks of what has come: a million chunks of one byte cost those behind no more than a few large
//! ones, and no extension or trailer is seen there.

use bytes::{BufMut, BytesMut};

use crate::{
    configuration::Limits,
    failure::{Class, Failure},
};

/// Digits of a chunk's size, which says more than there are bytes in the world.
const DIGITS_MAX: u32 = 15;

/// A size line whose digits are to come; they suffice for what is read at once.
const EMPTY_SIZE: &[u8] = b"00000000\r\n";

/// What of a body in chunks has been seen.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    state: State,
    /// Bytes of the chunk, as far as they were announced or are to come.
    size: u64,
    digits: u32,
    count: usize,
    /// Bytes of extensions and trailers.
    extra_bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Extension,
    SizeEnd,
    Data,
    DataEnd,
    DataLineFeed,
    TrailerStart,
    Trailer,
    TrailerEnd,
    LastLineFeed,
    Finished,
}

impl Chunks {
    pub(super) fn is_finished(&self) -> bool {
        self.state == State::Finished
    }

    /// How many of `bytes` belong to the body, and what is wrong with the next; `chunks` is given what they hold.
    pub(super) fn follow(&mut self, bytes: &[u8], limits: &Limits, chunks: &mut BytesMut) -> (usize, Option<Failure>) {
        let start = chunks.len();
        chunks.put_slice(EMPTY_SIZE);
        let (at, refusal) = self.contents(bytes, limits, chunks);
        let size = chunks.len() - start - EMPTY_SIZE.len();
        if size == 0 {
            chunks.truncate(start);
        } else {
            let digits = format!("{size:08x}");
            chunks[start..start + digits.len()].copy_from_slice(digits.as_bytes());
            chunks.put_slice(b"\r\n");
        }
        if self.is_finished() {
            chunks.put_slice(b"0\r\n\r\n");
        }
        (at, refusal)
    }

    /// Puts the contents of all chunks together.
    fn contents(&mut self, bytes: &[u8], limits: &Limits, contents: &mut BytesMut) -> (usize, Option<Failure>) {
        let mut at = 0;
        while at < bytes.len() && !self.is_finished() {
            if self.state == State::Data {
                let step = self.data(bytes.len() - at);
                contents.put_slice(&bytes[at..at + step]);
                at += step;
                continue;
            }
            match self.step(bytes[at], limits) {
                Ok(state) => self.state = state,
                Err(refusal) => return (at, Some(refusal)),
            }
            at += 1;
        }
        (at, None)
    }

    /// How many of `bytes_max` bytes are the chunk's.
    fn data(&mut self, bytes_max: usize) -> usize {
        let step = bytes_max.min(usize::try_from(self.size).unwrap_or(usize::MAX));
        self.size -= step as u64;
        if self.size == 0 {
            self.state = State::DataEnd;
        }
        step
    }

    fn step(&mut self, byte: u8, limits: &Limits) -> Result<State, Failure> {
        match (self.state, byte) {
            (State::Size, b'\r') if self.digits > 0 => Ok(State::SizeEnd),
            (State::Size, b';') if self.digits > 0 => self.extra(State::Extension, limits),
            (State::Size, digit) => self.digit(digit),
            (State::Extension, b'\r') => Ok(State::SizeEnd),
            (State::Extension, byte) if is_text(byte) => self.extra(State::Extension, limits),
            (State::SizeEnd, b'\n') => self.begin(limits),
            (State::DataEnd, b'\r') => Ok(State::DataLineFeed),
            (State::DataLineFeed, b'\n') => Ok(State::Size),
            (State::TrailerStart, b'\r') => Ok(State::LastLineFeed),
            (State::TrailerStart, byte) if is_text(byte) && byte > b' ' => self.extra(State::Trailer, limits),
            (State::Trailer, b'\r') => Ok(State::TrailerEnd),
            (State::Trailer, byte) if is_text(byte) => self.extra(State::Trailer, limits),
            (State::TrailerEnd, b'\n') => Ok(State::TrailerStart),
            (State::LastLineFeed, b'\n') => Ok(State::Finished),
            (state, _) => Err(self.bad(state.expected())),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<State, Failure> {
        let digit = char::from(byte).to_digit(16).filter(|_| self.digits < DIGITS_MAX);
        let digit = digit.ok_or_else(|| self.bad(State::Size.expected()))?;
        self.digits += 1;
        self.size = self.size << 4 | u64::from(digit);
        Ok(State::Size)
    }

    /// What follows a chunk's size.
    fn begin(&mut self, limits: &Limits) -> Result<State, Failure> {
        self.digits = 0;
        if self.size == 0 {
            return Ok(State::TrailerStart);
        }
        self.count += 1;
        if self.count > limits.chunks_max {
            let message = format!("the body has more than {} chunks", limits.chunks_max);
            return Err(Failure::new(Class::TooLarge, message));
        }
        Ok(State::Data)
    }

    fn extra(&mut self, state: State, limits: &Limits) -> Result<State, Failure> {
        self.extra_bytes += 1;
        if self.extra_bytes > limits.head_bytes_max {
            let message =
                format!("the body's chunk extensions and trailers are longer than {} bytes", limits.head_bytes_max);
            return Err(Failure::new(Class::HeadTooLarge, message));
        }
        Ok(state)
    }

    fn bad(&self, expected: &str) -> Failure {
        let message = format!("chunk {} of the request's body is malformed, expected {expected}", self.count + 1);
        Failure::new(Class::BadRequest, message)
    }
}

impl State {
    fn expected(self) -> &'static str {
        match self {
            Self::Size => "its size in up to 15 hexadecimal digits",
            Self::Extension => "no control character in its extension",
            Self::DataEnd | Self::DataLineFeed => "a carriage return and a line feed after its bytes",
            Self::TrailerStart | Self::Trailer => "the header lines of a trailer, or an empty line",
            _ => "a line feed after the carriage return",
        }
    }
}

fn is_text(byte: u8) -> bool {
    byte >= b' ' && byte != 0x7f || byte == b'\t'
}
