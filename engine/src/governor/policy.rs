//! Who leaves memory: a pure function of what is in it.

use std::{cmp::Ordering, collections::BinaryHeap, time::Duration};

#[cfg(test)]
mod simulation;

/// A model in memory, as the policy sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Resident {
    /// What its leaving gives back.
    pub(crate) bytes: u64,
    /// What keeping it gains for each byte; the scale is anyone's.
    pub(crate) worth: f64,
    /// How long it has been in memory.
    pub(crate) age: Duration,
    /// It never leaves on its own.
    pub(crate) is_pinned: bool,
}

/// Indices of the residents that leave so that `need_bytes` come free: those that are worth least first.
///
/// Models younger than `residency_min` stay while others can leave, so that none goes back and forth; but together they may
/// hold half of the memory and no more, and the oldest of them count as others do from there on.
///
/// `None` when all that may leave is not enough; then nobody should.
pub(crate) fn victims(residents: &[Resident], need_bytes: u64, residency_min: Duration) -> Option<Vec<usize>> {
    let candidates = ranked(residents, residency_min);
    if candidates.iter().map(|candidate| candidate.resident.bytes).sum::<u64>() < need_bytes {
        return None;
    }
    let mut order = BinaryHeap::from(candidates);
    let (mut victims, mut freed_bytes) = (Vec::new(), 0);
    while freed_bytes < need_bytes {
        let next = order.pop()?;
        freed_bytes += next.resident.bytes;
        victims.push(next.index);
    }
    Some(victims)
}

/// Where a resident stands among those that may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// How many leave before it.
    pub(crate) before: usize,
    /// It stays while others can leave.
    pub(crate) is_new: bool,
}

/// Each resident's place in the order in which [`victims`] takes them; none for those that never leave on their own.
pub(crate) fn places(residents: &[Resident], residency_min: Duration) -> Vec<Option<Place>> {
    let mut order = ranked(residents, residency_min);
    order.sort_unstable_by(|one, other| other.cmp(one));
    let mut places = vec![None; residents.len()];
    for (before, candidate) in order.into_iter().enumerate() {
        places[candidate.index] = Some(Place { before, is_new: candidate.is_new });
    }
    places
}

/// Those that may leave, in no order.
fn ranked(residents: &[Resident], residency_min: Duration) -> Vec<Candidate> {
    let leaving = |(index, resident): (usize, &Resident)| (!resident.is_pinned).then_some((index, *resident));
    let candidates: Vec<(usize, Resident)> = residents.iter().enumerate().filter_map(leaving).collect();
    let bytes = candidates.iter().map(|(_, resident)| resident.bytes).sum();
    let new_below = new_below(&candidates, bytes, residency_min);
    let ranked = |(index, resident): (usize, Resident)| Candidate { index, resident, is_new: resident.age < new_below };
    candidates.into_iter().map(ranked).collect()
}

/// The age below which a model is new: `residency_min`, or less where too much is younger than that.
fn new_below(candidates: &[(usize, Resident)], bytes: u64, residency_min: Duration) -> Duration {
    let is_young = |resident: &Resident| resident.age < residency_min;
    let mut young: Vec<Resident> = candidates.iter().map(|(_, resident)| *resident).filter(is_young).collect();
    young.sort_unstable_by_key(|resident| resident.age);
    let mut young_bytes = 0;
    for resident in young {
        young_bytes += resident.bytes;
        if young_bytes > bytes / 2 {
            return resident.age;
        }
    }
    residency_min
}

/// One that may leave; the greatest leaves first.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    index: usize,
    resident: Resident,
    is_new: bool,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_worth = || other.resident.worth.total_cmp(&self.resident.worth);
        other.is_new.cmp(&self.is_new).then_with(by_worth).then_with(|| self.resident.age.cmp(&other.resident.age))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

#[cfg(test)]
mod tests {
    use super::*;

    const RESIDENCY_MIN: Duration = Duration::from_secs(10);

    fn resident(bytes: u64, worth: f64, age_s: u64) -> Resident {
        Resident { bytes, worth, age: Duration::from_secs(age_s), is_pinned: false }
    }

    #[track_caller]
    fn check(residents: &[Resident], need_bytes: u64, expected: Option<&[usize]>) {
        assert_eq!(victims(residents, need_bytes, RESIDENCY_MIN).as_deref(), expected, "{need_bytes} bytes");
    }

    #[test]
    fn those_worth_least_leave_until_there_is_room() {
        let residents = [resident(10, 3.0, 99), resident(10, 1.0, 99), resident(10, 2.0, 99)];
        check(&residents, 0, Some(&[]));
        check(&residents, 1, Some(&[1]));
        check(&residents, 11, Some(&[1, 2]));
        check(&residents, 30, Some(&[1, 2, 0]));
        check(&residents, 31, None);
    }

    #[test]
    fn places_are_those_in_which_victims_are_taken() {
        let mut residents: Vec<Resident> =
            (0..40_u32).map(|n| resident((1 + n % 3).into(), (n * 7 % 40).into(), (n * 11 % 31).into())).collect();
        residents[5].is_pinned = true;
        let places = places(&residents, RESIDENCY_MIN);
        let bytes = residents.iter().filter(|resident| !resident.is_pinned).map(|resident| resident.bytes).sum();
        let everybody = victims(&residents, bytes, RESIDENCY_MIN).unwrap();
        let taken: Vec<_> = everybody.iter().map(|&victim| places[victim].unwrap().before).collect();
        assert_eq!(taken, (0..39).collect::<Vec<_>>());
        assert_eq!(places[5], None);
        let is_young = |victim: &&usize| residents[**victim].age < RESIDENCY_MIN;
        assert!(everybody.iter().filter(is_young).all(|&victim| places[victim].unwrap().is_new));
    }

    #[test]
    fn of_equals_the_oldest_leaves() {
        let never = f64::NEG_INFINITY;
        check(&[resident(1, never, 20), resident(1, never, 30), resident(1, never, 10)], 2, Some(&[1, 0]));
    }

    #[test]
    fn pinned_models_stay() {
        let residents = [Resident { is_pinned: true, ..resident(10, 1.0, 99) }, resident(10, 2.0, 99)];
        check(&residents, 10, Some(&[1]));
        check(&residents, 11, None);
    }

    #[test]
    fn new_models_stay_while_others_can_leave() {
        let residents = [resident(10, 1.0, 9), resident(10, 3.0, 10), resident(10, 2.0, 11)];
        check(&residents, 20, Some(&[2, 1]));
        check(&residents, 30, Some(&[2, 1, 0]));
    }

    #[test]
    fn new_models_hold_half_of_the_memory_at_the_most() {
        let residents = [resident(10, 4.0, 1), resident(10, 3.0, 2), resident(10, 1.0, 3), resident(10, 2.0, 99)];
        check(&residents, 10, Some(&[2]));
        check(&residents, 30, Some(&[2, 3, 1]));
    }
}
