//! Names for requests: random enough to be unique, cheap enough for every one of them.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::atomic::{AtomicU64, Ordering},
};

use http::HeaderValue;

/// The text of a UUID.
type Text = [u8; 36];

/// Hands out request identifiers in the form of random UUIDs.
#[derive(Debug)]
pub(crate) struct Identities {
    key: RandomState,
    /// What the count begins with in the second half.
    start: u64,
    count: AtomicU64,
}

/// An odd number whose multiples spread over all numbers: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Identities {
    /// The next identifier: the count, hashed under a random key, and spread from a random start.
    pub(crate) fn next(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let low = self.start.wrapping_add(count.wrapping_mul(STEP));
        let text = uuid(self.key.hash_one(count), low);
        HeaderValue::from_bytes(&text).expect("hexadecimal digits and hyphens are visible ASCII")
    }
}

impl Default for Identities {
    fn default() -> Self {
        let key = RandomState::new();
        let start = key.hash_one("start");
        Self { key, start, count: AtomicU64::new(0) }
    }
}

/// Version 4, variant 1, as RFC 9562 lays it out.
fn uuid(high: u64, low: u64) -> Text {
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let (high, low) = (high.to_be_bytes(), low.to_be_bytes());
    let mut text = [b'-'; 36];
    for (places, bytes) in [(0, &high[..4]), (9, &high[4..6]), (14, &high[6..]), (19, &low[..2]), (24, &low[2..])] {
        for (digits, byte) in text[places..].chunks_exact_mut(2).zip(bytes) {
            digits.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
    }
    text
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn identifiers_are_uuids_and_differ() {
        assert_eq!(&uuid(u64::MAX, 0), b"ffffffff-ffff-4fff-8000-000000000000");
        assert_eq!(&uuid(0x0123_4567_89ab_cdef, u64::MAX), b"01234567-89ab-4def-bfff-ffffffffffff");
        let identities = Identities::default();
        let distinct: HashSet<HeaderValue> = (0..1000).map(|_| identities.next()).collect();
        assert_eq!(distinct.len(), 1000);
    }
}
