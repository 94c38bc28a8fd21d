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
    let (high, low) = (digits(high), digits(low));
    let mut text = [b'-'; 36];
    text[..8].copy_from_slice(&high[..8]);
    text[9..13].copy_from_slice(&high[8..12]);
    text[14..18].copy_from_slice(&high[12..]);
    text[19..23].copy_from_slice(&low[..4]);
    text[24..].copy_from_slice(&low[4..]);
    text
}

/// The sixteen hexadecimal digits of a number, a byte of a wide number each: all are made at once.
fn digits(number: u64) -> [u8; 16] {
    const EACH: u128 = u128::MAX / 0xff;
    // Each step moves the upper half of every group away from the lower, until a group is one digit.
    let mut digits = u128::from(number);
    for (step, kept) in [
        (32, 0x0000_0000_ffff_ffff_0000_0000_ffff_ffff),
        (16, 0x0000_ffff_0000_ffff_0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff_00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f),
    ] {
        digits = (digits | digits << step) & kept;
    }
    // What is 10 and more carries into the bit above its four, and is a letter.
    let letters = (digits + 6 * EACH) >> 4 & EACH;
    (digits + u128::from(b'0') * EACH + letters * u128::from(b'a' - b'0' - 10)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn identifiers_are_uuids_and_differ() {
        assert_eq!(&uuid(u64::MAX, 0), b"ffffffff-ffff-4fff-8000-000000000000");
        assert_eq!(&uuid(0x0123_4567_89ab_cdef, u64::MAX), b"01234567-89ab-4def-bfff-ffffffffffff");
        for number in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 0x9a09_a90a_9a00_0a90] {
            assert_eq!(digits(number), format!("{number:016x}").as_bytes());
        }
        let identities = Identities::default();
        let distinct: HashSet<HeaderValue> = (0..1000).map(|_| identities.next()).collect();
        assert_eq!(distinct.len(), 1000);
    }
}
