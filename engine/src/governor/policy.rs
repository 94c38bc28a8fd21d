//! Who leaves memory: a pure function of what is in it.

use std::time::Duration;

/// A model in memory, as the policy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resident {
    /// What its leaving gives back.
    pub(crate) bytes: u64,
    /// When it was last asked for, since the governor's start.
    pub(crate) used_at: Duration,
    /// It never leaves on its own.
    pub(crate) is_pinned: bool,
}

/// Indices of the residents that leave so that `need_bytes` come free: the least recently used first.
///
/// `None` when all that may leave is not enough; then nobody should.
pub(crate) fn victims(residents: &[Resident], need_bytes: u64) -> Option<Vec<usize>> {
    let mut candidates: Vec<usize> = (0..residents.len()).filter(|&index| !residents[index].is_pinned).collect();
    candidates.sort_by_key(|&index| residents[index].used_at);
    let mut freed_bytes = 0;
    let is_needed = |index: &usize| {
        let is_needed = freed_bytes < need_bytes;
        freed_bytes += if is_needed { residents[*index].bytes } else { 0 };
        is_needed
    };
    let victims: Vec<usize> = candidates.into_iter().take_while(is_needed).collect();
    let enough = victims.iter().map(|&index| residents[index].bytes).sum::<u64>() >= need_bytes;
    enough.then_some(victims)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resident(bytes: u64, used_at_s: u64, is_pinned: bool) -> Resident {
        Resident { bytes, used_at: Duration::from_secs(used_at_s), is_pinned }
    }

    #[test]
    fn the_least_recently_used_leave_until_there_is_room() {
        let residents = [resident(10, 3, false), resident(10, 1, false), resident(10, 2, false)];
        assert_eq!(victims(&residents, 0), Some(vec![]));
        assert_eq!(victims(&residents, 1), Some(vec![1]));
        assert_eq!(victims(&residents, 11), Some(vec![1, 2]));
        assert_eq!(victims(&residents, 30), Some(vec![1, 2, 0]));
        assert_eq!(victims(&residents, 31), None);
    }

    #[test]
    fn pinned_models_stay() {
        let residents = [resident(10, 1, true), resident(10, 2, false)];
        assert_eq!(victims(&residents, 10), Some(vec![1]));
        assert_eq!(victims(&residents, 11), None);
    }
}
