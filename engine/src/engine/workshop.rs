//! What conversions take of memory, all together: those of large artifacts go on one after another.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Error, ErrorKind, Result};

/// What a conversion takes at its height, by what the artifact unpacks to. Measured with boosters of 12 to 20 MB: between five
/// times (JSON) and seven (UBJSON, pickles).
const PEAK_TIMES: u64 = 8;

/// Even what needs least takes as many times as much as it unpacks to.
const LEAST_TIMES: u64 = 4;

/// Of the memory that there is, the part for small conversions: one in so many. As much again and what is free beside it is for
/// one large conversion.
const SMALL_SHARE: u64 = 10;

/// Memory is counted in pages.
const PAGE_BYTES: u64 = 4096;

/// The memory of conversions.
#[derive(Debug)]
pub(super) struct Workshop {
    memory_bytes: u64,
    small_pages: u32,
    /// A permit for each page that small conversions may take.
    small: Semaphore,
    /// One permit, for the one large conversion.
    large: Semaphore,
}

/// A conversion's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    _permit: SemaphorePermit<'a>,
    /// Whether it is the one for large conversions.
    pub(super) is_large: bool,
}

impl Workshop {
    /// One where the process may have so much memory for everything.
    pub(super) fn new(memory_bytes: u64) -> Self {
        let small_pages = memory_bytes / SMALL_SHARE / PAGE_BYTES;
        let small_pages = u32::try_from(small_pages).unwrap_or(u32::MAX);
        Self { memory_bytes, small_pages, small: Semaphore::new(small_pages as usize), large: Semaphore::new(1) }
    }

    /// Waits until there is room to convert an artifact that unpacks to `unpacked_bytes`.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`] when there never will be: the kernel would end the process over it.
    pub(super) async fn place(&self, unpacked_bytes: u64) -> Result<Place<'_>> {
        let least_bytes = unpacked_bytes.saturating_mul(LEAST_TIMES);
        if least_bytes > self.memory_bytes {
            let message = format!(
                "the artifact unpacks to {unpacked_bytes} bytes, and to convert it takes at least {least_bytes} of memory; the \
                process may have {} for everything",
                self.memory_bytes
            );
            return Err(Error::new(ErrorKind::OutOfMemory, message));
        }
        let pages = unpacked_bytes.saturating_mul(PEAK_TIMES).div_ceil(PAGE_BYTES);
        match u32::try_from(pages).ok().filter(|pages| *pages <= self.small_pages) {
            Some(pages) => {
                let permit = self.small.acquire_many(pages).await.expect("the permits are never closed");
                Ok(Place { _permit: permit, is_large: false })
            }
            None => self.large_place().await,
        }
    }

    /// Waits until no other large conversion goes on.
    pub(super) async fn large_place(&self) -> Result<Place<'_>> {
        let permit = self.large.acquire().await.expect("the permits are never closed");
        Ok(Place { _permit: permit, is_large: true })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    const MIB: u64 = 1 << 20;

    /// The place, if it is to be had at once.
    fn at_once(workshop: &Workshop, unpacked_bytes: u64) -> Option<Result<Place<'_>>> {
        match pin!(workshop.place(unpacked_bytes)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => Some(place),
            Poll::Pending => None,
        }
    }

    #[test]
    fn small_ones_share_their_part_and_large_ones_take_turns() {
        let workshop = Workshop::new(160 * MIB);
        let one = at_once(&workshop, MIB).unwrap().unwrap();
        let other = at_once(&workshop, MIB).unwrap().unwrap();
        assert!(!one.is_large && !other.is_large);
        assert!(at_once(&workshop, 1).is_none(), "16 MiB are taken");
        let large = at_once(&workshop, 3 * MIB).unwrap().unwrap();
        assert!(large.is_large && at_once(&workshop, 30 * MIB).is_none());
        drop((one, large));
        assert!(at_once(&workshop, 30 * MIB).unwrap().unwrap().is_large);
        assert!(!at_once(&workshop, MIB).unwrap().unwrap().is_large);
    }

    #[test]
    fn what_never_fits_is_refused() {
        let workshop = Workshop::new(160 * MIB);
        assert!(at_once(&workshop, 40 * MIB).unwrap().unwrap().is_large);
        let refused = at_once(&workshop, 40 * MIB + 1).unwrap().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::OutOfMemory);
        assert!(refused.to_string().contains("41943041 bytes"), "{refused}");
        assert!(at_once(&Workshop::new(u64::MAX), u64::MAX / 8).unwrap().is_ok());
    }
}
