//! Decimals in ASCII, with or without an exponent: one multiplication or division by a power of ten, where that is proof
//! enough of what a correct parser gives.

use crate::matrix::narrow;

/// The powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The powers of ten by which an integer grows with a word of digits or a part of one.
const WORD_POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Up to here every integer is a double.
const EXACT_MAX: u64 = 1 << 53;

/// More than the relative error of an integer made a double, and of one operation on it.
const DOUBT: f64 = 4.0 * f64::EPSILON;

/// Exponents are not added up beyond this, which is too large for any power here.
const EXPONENT_MAX: i32 = 10_000;

/// The number of up to 19 digits that `text` is, rounded to a double and then narrowed; `None` when it takes a closer look.
///
/// Where the digits' integer is exact, so is the power, and one operation rounds as a correct parser does. Otherwise the
/// number lies between two doubles next to the result. So does the double nearest to it, and since narrowing keeps order
/// it is narrowed to what both of them are narrowed to, where that is the same.
pub(super) fn read(text: &[u8]) -> Option<f32> {
    let negative = text.first() == Some(&b'-');
    let unsigned = &text[usize::from(negative || text.first() == Some(&b'+'))..];
    let (integer, whole_digits, rest) = digits(0, unsigned)?;
    let (integer, fraction_digits, rest) = match rest.split_first() {
        Some((b'.', rest)) => digits(integer, rest)?,
        _ => (integer, 0, rest),
    };
    if whole_digits + fraction_digits == 0 {
        return None;
    }
    let exponent = match rest.split_first() {
        None => 0,
        Some((b'e' | b'E', exponent)) => self::exponent(exponent)?,
        Some(_) => return None,
    };
    let magnitude = scaled(integer, exponent - i32::try_from(fraction_digits).ok()?)?;
    Some(if negative { -magnitude } else { magnitude })
}

/// `integer` with the digits at the start of `text` appended, how many there are, and what follows them; `None` where the
/// integer becomes too large.
fn digits(mut integer: u64, text: &[u8]) -> Option<(u64, usize, &[u8])> {
    let mut rest = text;
    while let Some(word) = rest.first_chunk() {
        let (number, count) = leading_digits(*word);
        integer = append(integer, WORD_POWERS[count], number)?;
        rest = &rest[count..];
        if count < word.len() {
            return Some((integer, text.len() - rest.len(), rest));
        }
    }
    while let Some((digit, after)) = rest.split_first().filter(|(digit, _)| digit.is_ascii_digit()) {
        (integer, rest) = (append(integer, 10, u64::from(digit - b'0'))?, after);
    }
    Some((integer, text.len() - rest.len(), rest))
}

fn append(integer: u64, power: u64, digits: u64) -> Option<u64> {
    integer.checked_mul(power)?.checked_add(digits)
}

/// The number that the digits at the start of eight characters are, and how many there are: each digit, then each pair and
/// each four of them, becomes one number with its neighbour in one multiplication.
#[inline]
fn leading_digits(text: [u8; 8]) -> (u64, usize) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let characters = u64::from_le_bytes(text) ^ (EACH * 0x30);
    // The high bit of each byte that is more than 9; right up to the first.
    let beyond = (characters.wrapping_add(EACH * 0x76) | characters) & (EACH * 0x80);
    let bits = beyond.trailing_zeros() & !7;
    let digits = characters.checked_shl(u64::BITS - bits).unwrap_or(0);
    let pairs = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000 << 32 | 1) >> 32, bits as usize / 8)
}

/// The number after an "e".
fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        (b'+', digits) => (false, digits),
        _ => (false, text),
    };
    let (magnitude, count, rest) = self::digits(0, digits)?;
    let magnitude = i32::try_from(magnitude).ok().filter(|_| count > 0 && rest.is_empty())?.min(EXPONENT_MAX);
    Some(if negative { -magnitude } else { magnitude })
}

/// `integer` × 10 to the `exponent`, rounded to a double and then narrowed.
#[expect(clippy::cast_precision_loss, reason = "an integer that is not exact is one of two numbers around the result")]
fn scaled(integer: u64, exponent: i32) -> Option<f32> {
    let power = *POWERS.get(usize::try_from(exponent.unsigned_abs()).ok()?)?;
    let double = if exponent < 0 { integer as f64 / power } else { integer as f64 * power };
    if integer <= EXACT_MAX {
        return narrow(double);
    }
    let (below, above) = (narrow(double * (1.0 - DOUBT))?, narrow(double * (1.0 + DOUBT))?);
    (below.to_bits() == above.to_bits()).then_some(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python;

    /// What the standard library's parser gives, which rounds correctly.
    fn parsed(text: &str) -> Option<u32> {
        Some(narrow(python::float(text)?)?.to_bits())
    }

    /// Checks a number that may be left to the parser; returns whether it was not.
    fn check(text: &str) -> bool {
        let found = read(text.as_bytes()).map(f32::to_bits);
        assert!(found.is_none() || found == parsed(text), "{text}");
        found.is_some()
    }

    #[test]
    fn what_is_read_is_what_a_correct_parser_reads() {
        for text in
            ["0", "-0", "+1.", ".5", "1e22", "1.5E-21", "-1e+05", "9007199254740993", "18446744073709551615", "1e-0"]
        {
            assert!(check(text), "{text} is left to the parser");
        }
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e-",
            "1_0",
            " 1",
            "1e23",
            "1e99999999999",
            "18446744073709551616",
            "inf",
            "1.2.3",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn random_doubles_are_read_as_they_are_parsed() {
        let (mut state, mut read) = (1_u64, 0);
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let exponent = i32::try_from(state >> 8 & 15).unwrap() - 3;
            let double = f64::from_bits((state >> 12) | 1.0_f64.to_bits()) * 10_f64.powi(exponent);
            read += usize::from(check(&format!("{double}")));
            check(&format!("{double:e}"));
            check(&format!("{:.17}", -double));
        }
        assert!(read > 150_000, "only {read} were read");
    }

    #[test]
    fn numbers_beside_the_middle_of_two_floats_are_rounded_twice() {
        let mut left = 0;
        for at in 0..100_000_u32 {
            let low = f32::from_bits(0x3f80_0000 + at * 83);
            let middle = f64::midpoint(f64::from(low), f64::from(low.next_up()));
            for double in [middle.next_down(), middle, middle.next_up()] {
                for text in [format!("{double}"), format!("{double:.18}"), format!("{double:e}")] {
                    left += usize::from(!check(&text));
                }
            }
        }
        assert!(left > 100_000, "numbers so near the middle cannot be told without the parser");
    }

    #[test]
    fn digits_end_at_everything_else() {
        for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
            for at in 0..=8 {
                let mut text = *b"90817263";
                text[at..].fill(byte);
                let expected = str::from_utf8(&text[..at]).unwrap().parse().unwrap_or(0);
                assert_eq!(leading_digits(text), (expected, at), "{byte} at {at}");
                text.iter_mut().skip(at + 1).for_each(|digit| *digit = b'5');
                assert_eq!(leading_digits(text), (expected, at), "{byte} at {at}, and then digits");
            }
        }
    }
}
