//! One kept connection that blocks: a request's bytes out, an answer's status back.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use httparse::{EMPTY_HEADER, Header, Response, Status};

use crate::error::{Error, Result};

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_mins(1);

/// Headers that an answer may have.
const HEADERS_MAX: usize = 64;

/// Bytes that are asked for at once.
const READ_BYTES: usize = 8 << 10;

/// A connection, opened again when the server closed it.
#[derive(Debug)]
pub struct Connection {
    address: String,
    stream: Option<TcpStream>,
    /// What was received and not used yet.
    received: Vec<u8>,
}

/// How an answer's body ends.
#[derive(Clone, Copy, Debug)]
enum Body {
    Bytes(usize),
    Chunks,
    Close,
}

impl Connection {
    /// A connection to `address`, `host:port` with or without `http://` before it.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn open(address: &str) -> Result<Self> {
        let address = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = Some(connect(&address).map_err(Error::at(&address))?);
        Ok(Self { address, stream, received: Vec::new() })
    }

    /// Sends `request` and waits for the whole answer; returns its status.
    ///
    /// # Errors
    /// When the connection breaks or what comes is no HTTP; the next exchange has a new one.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        Ok(self.get(request)?.0)
    }

    /// The same with the answer's body.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange).
    pub fn get(&mut self, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        if self.stream.is_none() {
            self.stream = Some(connect(&self.address)?);
        }
        let answer = self.answer(request);
        if answer.is_err() {
            self.close();
        }
        answer
    }

    fn close(&mut self) {
        self.stream = None;
        self.received.clear();
    }

    fn answer(&mut self, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        self.stream()?.write_all(request)?;
        let (status, body, closes) = self.head()?;
        let bytes = match body {
            Body::Bytes(length) => self.take(length)?,
            Body::Chunks => self.chunks()?,
            Body::Close => self.rest()?,
        };
        if closes {
            self.close();
        }
        Ok((status, bytes))
    }

    fn stream(&mut self) -> io::Result<&mut TcpStream> {
        self.stream.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Receives some bytes more.
    fn more(&mut self) -> io::Result<usize> {
        let length = self.received.len();
        self.received.resize(length + READ_BYTES, 0);
        let Some(stream) = &mut self.stream else { return Err(io::ErrorKind::NotConnected.into()) };
        let read = stream.read(&mut self.received[length..]);
        self.received.truncate(length + *read.as_ref().unwrap_or(&0));
        read
    }

    fn more_than_none(&mut self) -> io::Result<()> {
        if self.more()? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Reads a head: the status, how the body ends, and whether the server closes after it.
    fn head(&mut self) -> io::Result<(u16, Body, bool)> {
        loop {
            let mut headers = [EMPTY_HEADER; HEADERS_MAX];
            let mut response = Response::new(&mut headers);
            if let Status::Complete(length) = response.parse(&self.received).map_err(io::Error::other)? {
                let status = response.code.unwrap_or_default();
                let body = body_of(status, response.headers);
                let closes = has(response.headers, "connection", "close") || matches!(body, Body::Close);
                self.received.drain(..length);
                return Ok((status, body, closes));
            }
            self.more_than_none()?;
        }
    }

    /// The next `length` bytes.
    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.received.len() < length {
            self.more_than_none()?;
        }
        Ok(self.received.drain(..length).collect())
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let digits = str::from_utf8(&line).unwrap_or_default().split(';').next().unwrap_or_default().trim();
            let length = usize::from_str_radix(digits, 16).map_err(io::Error::other)?;
            if length == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.take(length)?);
            self.line()?;
        }
    }

    /// The next line without its end.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.received.windows(2).position(|two| two == b"\r\n") {
                let line = self.received[..end].to_vec();
                self.received.drain(..end + 2);
                return Ok(line);
            }
            self.more_than_none()?;
        }
    }

    fn rest(&mut self) -> io::Result<Vec<u8>> {
        while self.more()? > 0 {}
        Ok(std::mem::take(&mut self.received))
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    Ok(stream)
}

fn value<'a>(headers: &[Header<'a>], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    str::from_utf8(found.value).ok()
}

fn has(headers: &[Header<'_>], name: &str, word: &str) -> bool {
    value(headers, name).is_some_and(|value| value.eq_ignore_ascii_case(word))
}

fn body_of(status: u16, headers: &[Header<'_>]) -> Body {
    if has(headers, "transfer-encoding", "chunked") {
        return Body::Chunks;
    }
    match value(headers, "content-length").and_then(|length| length.trim().parse().ok()) {
        Some(length) => Body::Bytes(length),
        None if matches!(status, 100..200 | 204 | 304) => Body::Bytes(0),
        None => Body::Close,
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// What comes of two exchanges with a server that answers these bytes, a connection each or both on one.
    fn check(answers: &'static [&'static str], expected: &[(u16, &str)]) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            for answer in answers {
                let mut stream = listener.accept().unwrap().0;
                let mut byte = [0];
                for part in answer.split_inclusive('|') {
                    stream.read_exact(&mut byte).unwrap();
                    stream.write_all(part.trim_end_matches('|').as_bytes()).unwrap();
                }
            }
        });
        let mut connection = Connection::open(&address).unwrap();
        for (status, body) in expected {
            assert_eq!(connection.get(b"x").unwrap(), (*status, body.as_bytes().to_vec()));
        }
        drop(connection);
        server.join().unwrap();
    }

    #[test]
    fn a_connection_is_kept_and_bodies_end_where_they_say() {
        check(
            &[
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab|HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            ],
            &[(200, "ab"), (503, "abc")],
        );
    }

    #[test]
    fn a_closed_connection_is_opened_again() {
        check(
            &["HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.1 400 Bad\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"],
            &[(200, "abc"), (400, "")],
        );
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || listener.accept().unwrap().0.write_all(b"SSH-2.0-x\r\n\r\n").unwrap());
        assert!(Connection::open(&address).unwrap().exchange(b"x").is_err());
        server.join().unwrap();
    }
}
