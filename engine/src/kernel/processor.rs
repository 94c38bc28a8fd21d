//! What kernels are compiled for, and which of it the processor has.

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};

/// What kernels are compiled for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Processor {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Processor {
    /// The best that this one has, unless only what every processor of the kind has is used.
    pub(super) fn best() -> Self {
        Self::available().pop().filter(|_| !super::is_portable_only()).unwrap_or(Self::Portable)
    }

    /// All that this one has, the best last.
    pub(super) fn available() -> Vec<Self> {
        let mut available = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            available.extend(Avx2::detect().map(Self::Avx2));
            available.extend(Avx512::detect().map(Self::Avx512));
        }
        available
    }
}
