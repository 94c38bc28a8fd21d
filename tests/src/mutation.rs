//! Damage to files, the same in every run: flipped bits, cuts, pieces of other files, extreme numbers, deep nesting.

/// Numbers that look random and are the same in every run (xorshift64).
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of that number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number, below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// What counts, lengths and indices go wrong at.
const EXTREMES: [u64; 12] =
    [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 1 << 24, 0x7fff_ffff, 0xffff_ffff, 1 << 40, u64::MAX >> 1, u64::MAX];

/// What stands for a number in text.
const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "-1",
    "-2",
    "1",
    "2147483647",
    "2147483648",
    "4294967295",
    "16777216",
    "9223372036854775807",
    "1e400",
    "-1e38",
    "1e-45",
    "NaN",
    "-Infinity",
    "null",
];

/// What nests in one of the forms, or fills a pickle's stack.
const NESTS: [&[u8]; 8] = [b"[", b"{\"a\":", b"{i\x01a", b"(", b"]", b"2", b"\x3a\x7f", b"[$"];

/// The deepest nesting that is tried.
const NESTS_MAX: usize = 100_000;

/// Damages a file in one way or two, which may be to put a piece of `other` into it.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(2) {
        match random.below(12) {
            0 => bytes.truncate(random.below(bytes.len())),
            1 | 2 => flip(bytes, random),
            3 => insert(bytes, piece(&bytes.clone(), random), random),
            4 => insert(bytes, piece(other, random), random),
            5 => drop(bytes.drain(span(bytes.len(), random))),
            6..=8 => write_extreme(bytes, random),
            9 => replace_number(bytes, random),
            10 => repeat_member(bytes, random),
            _ => nest(bytes, random),
        }
    }
}

fn flip(bytes: &mut [u8], random: &mut Random) {
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        let change = if random.below(2) == 0 { 1 << random.below(8) } else { random.byte() };
        bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= change);
    }
}

/// Some place of at most 64 bytes, or now and then of any length.
fn span(length: usize, random: &mut Random) -> std::ops::Range<usize> {
    let longest = if random.below(8) == 0 { length } else { 64 };
    let from = random.below(length);
    from..length.min(from + 1 + random.below(longest))
}

fn piece<'a>(bytes: &'a [u8], random: &mut Random) -> &'a [u8] {
    &bytes[span(bytes.len(), random)]
}

fn insert(bytes: &mut Vec<u8>, piece: &[u8], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    bytes.splice(at..at, piece.iter().copied());
}

/// Overwrites one, two, four or eight bytes, in either order; half of them near the start, where headers are.
fn write_extreme(bytes: &mut [u8], random: &mut Random) {
    let extreme = random.of(&EXTREMES);
    let width = 1 << random.below(4);
    let number =
        if random.below(2) == 0 { extreme.to_le_bytes() } else { extreme.rotate_left(64 - 8 * width).to_be_bytes() };
    let reach = if random.below(2) == 0 { bytes.len() } else { bytes.len().min(512) };
    let at = random.below(reach);
    bytes.iter_mut().skip(at).zip(&number[..width as usize]).for_each(|(byte, &new)| *byte = new);
}

/// Replaces a number in text.
fn replace_number(bytes: &mut Vec<u8>, random: &mut Random) {
    let is_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'E');
    let start = random.below(bytes.len());
    let Some(from) = bytes[start..].iter().position(u8::is_ascii_digit).map(|found| start + found) else {
        return;
    };
    let length = bytes[from..].iter().take_while(|byte| is_number(byte)).count();
    bytes.splice(from..from + length, random.of(&NUMBERS).bytes());
}

/// Repeats what stands between two commas.
fn repeat_member(bytes: &mut Vec<u8>, random: &mut Random) {
    let comma = |from: usize| bytes[from..].iter().position(|&byte| byte == b',').map(|found| from + found);
    let Some(from) = comma(random.below(bytes.len())) else { return };
    let Some(to) = comma(from + 1) else { return };
    let member = bytes[from..to].to_vec();
    bytes.splice(to..to, member);
}

fn nest(bytes: &mut Vec<u8>, random: &mut Random) {
    let depth = if random.below(4) == 0 { NESTS_MAX } else { 100 };
    let nest = random.of(&NESTS).repeat(1 + random.below(depth));
    insert(bytes, &nest, random);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_the_same_in_every_run_and_differs_from_seed_to_seed() {
        let damaged = |seed| {
            let mut bytes = b"{\"learner\": [1.5, 22, 7], \"version\": [3, 0, 5]}".repeat(20);
            mutate(&mut bytes, b"another file", &mut Random::new(seed));
            bytes
        };
        let results: std::collections::HashSet<_> = (0..200).map(damaged).collect();
        assert!(results.len() > 190, "{} of 200 differ", results.len());
        assert!((0..200).all(|seed| damaged(seed) == damaged(seed)));
    }

    #[test]
    fn nothing_is_damaged_without_a_panic() {
        for seed in 0..1000 {
            let (mut empty, mut one) = (Vec::new(), vec![b'1']);
            mutate(&mut empty, b"", &mut Random::new(seed));
            mutate(&mut one, b"", &mut Random::new(seed));
        }
    }
}
