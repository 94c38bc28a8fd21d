//! Gzip as Python reads it: one member after another, and any number of zeros between and behind them.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// What the members of a gzip stream unpack to, one after another.
///
/// Reading fails where a member is damaged, and where anything but zeros or another member follows.
pub(super) struct Members<R> {
    /// The member being read; nothing behind the last.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    /// Reads `stream`, which begins with a member.
    pub(super) fn new(stream: R) -> Self {
        Self { member: Some(GzDecoder::new(stream)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.member = self.member.take().map(GzDecoder::into_inner).map(next).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// The member that `stream` goes on with behind zeros, which tapes and block devices leave; none at its end.
fn next<R: BufRead>(mut stream: R) -> io::Result<Option<GzDecoder<R>>> {
    loop {
        let ahead = stream.fill_buf()?;
        if ahead.is_empty() {
            return Ok(None);
        }
        let Some(at) = ahead.iter().position(|&byte| byte != 0) else {
            let zeros = ahead.len();
            stream.consume(zeros);
            continue;
        };
        if ahead[at] != 0x1f {
            let message = "expected zeros or another gzip stream behind the first, found other bytes";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        stream.consume(at);
        return Ok(Some(GzDecoder::new(stream)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::{BufReader, Write};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What a stream of these parts unpacks to, whatever the size of the buffer before it.
    fn unpacked(parts: &[&[u8]]) -> io::Result<Vec<u8>> {
        let bytes = parts.concat();
        let read = |capacity| {
            let mut out = Vec::new();
            Members::new(BufReader::with_capacity(capacity, &bytes[..])).read_to_end(&mut out).map(|_| out)
        };
        let (small, large) = (read(1), read(1 << 16));
        assert_eq!(small.as_ref().ok(), large.as_ref().ok());
        large
    }

    #[test]
    fn members_are_read_one_after_another_past_zeros() {
        let (one, two, none) = (gzip(b"one"), gzip(b"two"), gzip(b""));
        assert_eq!(unpacked(&[&one]).unwrap(), b"one");
        assert_eq!(unpacked(&[&one, &[0; 3000]]).unwrap(), b"one");
        assert_eq!(unpacked(&[&one, &two]).unwrap(), b"onetwo");
        assert_eq!(unpacked(&[&none, &one, &[0; 7], &none, &two, &[0]]).unwrap(), b"onetwo");
    }

    #[test]
    fn other_bytes_behind_a_member_are_refused() {
        let one = gzip(b"one");
        for rest in [&b"x"[..], b"\0\0x", b"\x1f", b"\x1f\x8b\x09", &one[..one.len() - 1]] {
            assert!(unpacked(&[&one, rest]).is_err(), "{rest:?}");
        }
        assert!(unpacked(&[b"\x1f\x8c"]).is_err());
    }
}
