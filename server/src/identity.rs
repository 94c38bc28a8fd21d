//! Names for requests: random enough to be unique, cheap enough for every one of them.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::atomic::{AtomicU64, Ordering},
};

use http::HeaderValue;

/// Hands out request identifiers in the form of random UUIDs.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    key: RandomState,
    count: AtomicU64,
}

impl Identities {
    /// The next identifier: the count, scrambled under a random key.
    pub(crate) fn next(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let (high, low) = (self.key.hash_one((count, 0_u8)), self.key.hash_one((count, 1_u8)));
        HeaderValue::try_from(uuid(high, low)).expect("hexadecimal digits and hyphens are visible ASCII")
    }
}

/// Version 4, variant 1, as RFC 9562 lays it out.
fn uuid(high: u64, low: u64) -> String {
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn identifiers_are_uuids_and_differ() {
        assert_eq!(uuid(u64::MAX, 0), "ffffffff-ffff-4fff-8000-000000000000");
        assert_eq!(uuid(0x0123_4567_89ab_cdef, u64::MAX), "01234567-89ab-4def-bfff-ffffffffffff");
        let identities = Identities::default();
        let distinct: HashSet<HeaderValue> = (0..1000).map(|_| identities.next()).collect();
        assert_eq!(distinct.len(), 1000);
    }
}
