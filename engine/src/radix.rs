//! Sorting by numbers of 64 bits, digit by digit: for thousands of records, that is less work than comparing them.

/// Bits of a digit: what is counted of each fits the nearest cache.
const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Sorts `records` by their keys; those of one key keep their order.
#[expect(clippy::cast_possible_truncation, reason = "a digit is a few bits of its key")]
pub(crate) fn sort_by_key<T: Copy>(records: &mut Vec<T>, key: impl Fn(T) -> u64) {
    let Some(first) = records.first().map(|record| key(*record)) else { return };
    let varying = records.iter().fold(0, |bits, record| bits | (key(*record) ^ first));
    let mut sorted = records.clone();
    for shift in (0..u64::BITS).step_by(DIGIT_BITS as usize) {
        let digit = |key: u64| (key >> shift) as usize % DIGITS;
        if digit(varying) == 0 {
            continue;
        }
        let mut places = [0; DIGITS];
        for &record in &*records {
            places[digit(key(record))] += 1;
        }
        let mut start = 0;
        for place in &mut places {
            start += std::mem::replace(place, start);
        }
        for &record in &*records {
            let place = &mut places[digit(key(record))];
            sorted[*place] = record;
            *place += 1;
        }
        std::mem::swap(records, &mut sorted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_lie_as_a_stable_sort_has_them() {
        let check = |keys: &[u64]| {
            let records: Vec<_> = keys.iter().copied().zip(0..).collect::<Vec<(u64, usize)>>();
            let (mut expected, mut found) = (records.clone(), records);
            expected.sort_by_key(|record| record.0);
            sort_by_key(&mut found, |record| record.0);
            assert_eq!(found, expected);
        };
        check(&[]);
        check(&[7]);
        check(&[u64::MAX, 0, 1 << 63, 1, 0, u64::MAX]);
        let scattered = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for bits in [0, 3, 11, 33, 60] {
            check(&(0..3000).map(|number| scattered(number) >> bits).collect::<Vec<_>>());
            check(&(0..3000).map(|number| scattered(number) >> 50 << bits).collect::<Vec<_>>());
        }
    }
}
