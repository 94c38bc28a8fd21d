//! How many connections there may be at once, and what those beyond are told.

use std::{
    future::Future,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{info, warn};

use crate::{
    configuration::Compat,
    failure::{Class, Failure},
};

/// A connection that is counted until it is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) stream: TcpStream,
    pub(super) permit: OwnedSemaphorePermit,
}

/// Counts connections.
#[derive(Debug)]
pub(super) struct Admission {
    connections_max: usize,
    permits: Arc<Semaphore>,
    answer: Vec<u8>,
    turned_away: u64,
}

impl Admission {
    pub(super) fn new(connections_max: usize) -> Self {
        let failure = Failure::new(Class::Busy, format!("there are {connections_max} connections already"));
        let permits = Arc::new(Semaphore::new(connections_max));
        Self { connections_max, permits, answer: bytes_of(&failure), turned_away: 0 }
    }

    /// Counts a connection, or answers it at once when there are too many: whoever connects is never kept waiting.
    pub(super) fn admit(&mut self, stream: TcpStream) -> Option<Admitted> {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            self.turn_away(stream);
            return None;
        };
        if self.turned_away > 0 {
            info!(turned_away = self.turned_away, "connections are accepted again");
            self.turned_away = 0;
        }
        Some(Admitted { stream, permit })
    }

    fn turn_away(&mut self, stream: TcpStream) {
        if self.turned_away == 0 {
            warn!(connections_max = self.connections_max, "connections are turned away: there are too many");
        }
        self.turned_away += 1;
        // Whether the client hears of it is its own concern.
        drop(answer(stream, &self.answer));
    }
}

/// Writes to a socket that blocks nobody. What has come from it is read before, so that closing does not take the answer
/// back.
fn answer(mut stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    match stream.read(&mut [0; 16 << 10]) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
        _ => stream.write_all(bytes)?,
    }
    stream.shutdown(Shutdown::Write)
}

/// The whole response that tells of a failure, as it goes over the wire.
fn bytes_of(failure: &Failure) -> Vec<u8> {
    let (head, body) = failure.to_container(Compat::Intended).into_parts();
    let body = match pin!(body.collect()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(body)) => body.to_bytes(),
        _ => Bytes::new(),
    };
    let mut bytes = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(&body);
    bytes
}
