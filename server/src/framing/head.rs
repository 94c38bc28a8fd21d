//! A request's head: where it ends, whether it is well formed, and how long a body it announces.

use std::ops::Range;

use http::Uri;
use memchr::{memchr, memchr_iter};

use crate::{
    configuration::Limits,
    failure::{Class, Failure},
};

/// Empty lines before a head that are let pass: old clients end a body with one.
const EMPTY_LINES_MAX: usize = 4;

/// The body that a head announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Empty,
    /// So many bytes, which is what the digits at that place of the head say.
    Length(u64, Range<usize>),
    Chunked,
}

/// The length of the head that `bytes` begin with, `None` while its end is to come; the first `seen` bytes are known to
/// hold no end.
pub(super) fn end(bytes: &[u8], seen: usize) -> Result<Option<usize>, Failure> {
    let start = empty_lines(bytes);
    if bytes.get(start).is_some_and(|&byte| !is_token_byte(byte) && !matches!(byte, b'\r' | b'\n')) {
        return Err(bad(1, "does not begin with a method"));
    }
    let from = seen.max(start);
    for line_feed in memchr_iter(b'\n', &bytes[from..]).map(|at| from + at) {
        let line = &bytes[start..line_feed];
        if line.last() != Some(&b'\r') {
            return Err(bad(number_of(line), "ends with a bare line feed, expected a carriage return before it"));
        }
        if line == b"\r" {
            return Err(bad(1, "is empty, expected a request line"));
        }
        if line.ends_with(b"\r\n\r") {
            return Ok(Some(line_feed + 1));
        }
    }
    Ok(None)
}

/// The bytes of the empty lines before a head.
fn empty_lines(bytes: &[u8]) -> usize {
    2 * bytes.chunks_exact(2).take(EMPTY_LINES_MAX).take_while(|pair| pair == b"\r\n").count()
}

/// The number of the line that `lines` end with.
fn number_of(lines: &[u8]) -> usize {
    1 + memchr_iter(b'\n', lines).count()
}

/// Checks a whole head whose line feeds all stand behind a carriage return.
pub(super) fn check(head: &[u8], limits: &Limits) -> Result<Body, Failure> {
    let first = empty_lines(head);
    let has_controls = has_controls(head);
    let (mut fields, mut start) = (Fields { has_controls, ..Fields::default() }, first);
    for (number, line_feed) in (1..).zip(memchr_iter(b'\n', &head[first..]).map(|at| first + at)) {
        let line = head.get(start..line_feed.saturating_sub(1)).unwrap_or_default();
        start = line_feed + 1;
        if line.is_empty() {
            break;
        }
        if number - 1 > limits.fields_max {
            let message = format!("the request's head has more than {} headers", limits.fields_max);
            return Err(Failure::new(Class::HeadTooLarge, message));
        }
        if has_controls && memchr(b'\r', line).is_some() {
            return Err(bad(number, "has a carriage return that no line feed follows"));
        }
        match number {
            1 => request_line(line, limits)?,
            _ => fields.field(line, line_feed - 1).map_err(|complaint| bad(number, complaint))?,
        }
    }
    fields.body().map_err(|message| Failure::new(Class::BadRequest, message))
}

/// Whether any byte is a control character but for tabs and the two that end a line: without branches, for all bytes at
/// once.
fn has_controls(head: &[u8]) -> bool {
    let is = |found: bool| u8::from(found);
    // The last byte of a head is a line feed.
    let pairs = head.iter().zip(head.get(1..).unwrap_or_default());
    let found = pairs.fold(0, |found, (&byte, &next)| {
        let is_end = is(byte == b'\n') | (is(byte == b'\r') & is(next == b'\n'));
        found | (is(byte < b' ') & !(is_end | is(byte == b'\t'))) | is(byte == 0x7f)
    });
    found != 0
}

fn request_line(line: &[u8], limits: &Limits) -> Result<(), Failure> {
    let parts = memchr(b' ', line).zip(memchr::memrchr(b' ', line)).filter(|(first, last)| first < last);
    let (first, last) = parts.ok_or_else(|| bad(1, "is no request line, expected a method, a target and a version"))?;
    let (method, target, version) = (&line[..first], &line[first + 1..last], &line[last + 1..]);
    if !is_token(method) {
        return Err(bad(1, "has a character in its method that no method has"));
    }
    if target.len() > limits.target_bytes_max {
        return Err(target_too_long(limits));
    }
    if !is_plain(target) {
        check_target(target).map_err(|complaint| bad(1, complaint))?;
    }
    check_version(version)
}

fn check_target(target: &[u8]) -> Result<(), &'static str> {
    if target.is_empty() || !target.iter().all(|byte| (0x21..0x7f).contains(byte)) {
        return Err("has a character in its target that has to be percent-encoded");
    }
    match Uri::try_from(target) {
        Ok(_) => Ok(()),
        Err(_) => Err("has a target that is malformed, expected a path or an address"),
    }
}

/// Whether a target is a path of nothing but characters that stand everywhere in one: such need no parser.
fn is_plain(target: &[u8]) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'/' | b'-' | b'.' | b'_' | b'%');
    target.first() == Some(&b'/') && target.iter().fold(true, |plain, &byte| plain & is_plain(byte))
}

fn check_version(version: &[u8]) -> Result<(), Failure> {
    match version {
        b"HTTP/1.1" => Ok(()),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            let version = String::from_utf8_lossy(version);
            Err(Failure::new(Class::VersionNotSupported, format!("{version} is not spoken here, expected HTTP/1.1")))
        }
        _ => Err(bad(1, "does not end with a version, expected HTTP/1.1")),
    }
}

/// What fields say about where the request goes and where it ends.
#[derive(Default)]
struct Fields {
    hosts: usize,
    length: Option<(u64, Range<usize>)>,
    chunked: bool,
    /// Whether control characters are to be looked for.
    has_controls: bool,
}

impl Fields {
    /// Reads a line that ends at that place of the head.
    fn field(&mut self, line: &[u8], end: usize) -> Result<(), &'static str> {
        if matches!(line[0], b' ' | b'\t') {
            return Err("begins with a space, expected the name of a header: folded headers are not read");
        }
        let name_end = line.iter().position(|&byte| !is_token_byte(byte));
        let colon = name_end.filter(|&at| at > 0 && line[at] == b':').ok_or_else(|| match memchr(b':', line) {
            None => "has no colon, expected a header's name and value",
            Some(_) => "has a character before its colon that no header's name has",
        })?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if self.has_controls && !value.iter().all(|&byte| is_value_byte(byte)) {
            return Err("has a control character in its value");
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(value.trim_ascii()),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.content_length(value, end),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.transfer_encoding(value.trim_ascii()),
            _ => Ok(()),
        }
    }

    fn host(&mut self, value: &[u8]) -> Result<(), &'static str> {
        self.hosts += 1;
        if self.hosts > 1 {
            return Err("is a second Host, expected one");
        }
        let is_fine = value.iter().all(|&byte| HOST[usize::from(byte)]);
        is_fine.then_some(()).ok_or("is no Host, expected a name or an address and a port")
    }

    fn content_length(&mut self, value: &[u8], end: usize) -> Result<(), &'static str> {
        if self.length.is_some() {
            return Err("is a second Content-Length, expected one");
        }
        let (digits, end) = (value.trim_ascii(), end - (value.len() - value.trim_ascii_end().len()));
        let length = decimal(digits).filter(|&length| length < u64::MAX - 1);
        let length = length.ok_or("is no Content-Length, expected a number of bytes")?;
        self.length = Some((length, end - digits.len()..end));
        Ok(())
    }

    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), &'static str> {
        if self.chunked {
            return Err("is a second Transfer-Encoding, expected one");
        }
        self.chunked = value.eq_ignore_ascii_case(b"chunked");
        self.chunked.then_some(()).ok_or("is a Transfer-Encoding that is not read here, expected chunked")
    }

    fn body(self) -> Result<Body, &'static str> {
        match (self.hosts, self.length, self.chunked) {
            (0, ..) => Err("the request has no Host, expected one"),
            (_, Some(_), true) => Err("the request has a Content-Length and a Transfer-Encoding, expected one of them"),
            (_, Some((length, digits)), false) => Ok(Body::Length(length, digits)),
            (_, None, true) => Ok(Body::Chunked),
            (_, None, false) => Ok(Body::Empty),
        }
    }
}

/// The number that `digits` are, if they are one.
fn decimal(digits: &[u8]) -> Option<u64> {
    let append = |number: u64, digit: &u8| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    };
    digits.iter().try_fold(0, append).filter(|_| !digits.is_empty())
}

pub(super) fn target_too_long(limits: &Limits) -> Failure {
    Failure::new(Class::UriTooLong, format!("the request's target is longer than {} bytes", limits.target_bytes_max))
}

fn bad(line: usize, complaint: &str) -> Failure {
    Failure::new(Class::BadRequest, format!("line {line} of the request's head {complaint}"))
}

/// The bytes of methods and of headers' names.
const TOKEN: [bool; 256] = alphanumeric_or(b"!#$%&'*+-.^_`|~");

/// The bytes of names and addresses, with or without a port.
const HOST: [bool; 256] = alphanumeric_or(b"-._~%!$&'()*+,;=:[]");

const fn alphanumeric_or(others: &[u8]) -> [bool; 256] {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        bytes[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        bytes[others[at] as usize] = true;
        at += 1;
    }
    bytes
}

fn is_token_byte(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().fold(true, |fine, &byte| fine & is_token_byte(byte))
}

fn is_value_byte(byte: u8) -> bool {
    byte >= b' ' && byte != 0x7f || byte == b'\t'
}
