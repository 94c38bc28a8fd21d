//! Writes numbers the way clients of this contract know them: as Python's `repr` of a double.
//!
//! A prediction is an `f32`; Python widens it to a double and prints the shortest decimal that gives that double back,
//! so `0.1f32` becomes `0.10000000149011612`. The digits come from a library, the layout is Python's: exponents appear
//! below `1e-04` and from `1e+16` on, signed and with two digits at least.

/// How a number that is not finite is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonFinite {
    /// As Python's `json` module: `NaN`, `Infinity`, `-Infinity`.
    Json,
    /// As Python's `str`: `nan`, `inf`, `-inf`.
    Text,
}

/// Appends `repr(float(value))`.
pub fn push_python(out: &mut Vec<u8>, value: f32, non_finite: NonFinite) {
    push_python_double(out, f64::from(value), non_finite);
}

/// Appends `repr(value)`.
pub fn push_python_double(out: &mut Vec<u8>, value: f64, non_finite: NonFinite) {
    if !value.is_finite() {
        out.extend_from_slice(spell(value, non_finite));
        return;
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    out.extend_from_slice(sign.as_bytes());
    push_layout(out, digits);
}

/// Appends the shortest decimal that gives back the same `f32`.
pub fn push_shortest(out: &mut Vec<u8>, value: f32) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(spell(f64::from(value), NonFinite::Text));
    }
}

fn spell(value: f64, non_finite: NonFinite) -> &'static [u8] {
    match (non_finite, value.is_nan(), value > 0.0) {
        (NonFinite::Json, true, _) => b"NaN",
        (NonFinite::Json, false, true) => b"Infinity",
        (NonFinite::Json, false, false) => b"-Infinity",
        (NonFinite::Text, true, _) => b"nan",
        (NonFinite::Text, false, true) => b"inf",
        (NonFinite::Text, false, false) => b"-inf",
    }
}

/// Brings the digits of a number that is not negative from the library's layout into Python's.
///
/// The two differ in the spelling of exponents, and for `1e-05 ≤ x < 1e-04`, which the library writes out.
fn push_layout(out: &mut Vec<u8>, digits: &str) {
    if let Some((mantissa, exponent)) = digits.split_once('e') {
        push_exponent(out, mantissa, exponent);
        return;
    }
    match digits.strip_prefix("0.0000") {
        Some(significant) if !significant.is_empty() => {
            let (first, rest) = significant.split_at(1);
            out.extend_from_slice(first.as_bytes());
            if !rest.is_empty() {
                out.push(b'.');
                out.extend_from_slice(rest.as_bytes());
            }
            out.extend_from_slice(b"e-05");
        }
        _ => out.extend_from_slice(digits.as_bytes()),
    }
}

fn push_exponent(out: &mut Vec<u8>, mantissa: &str, exponent: &str) {
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => (b'-', exponent),
        None => (b'+', exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    out.extend_from_slice(mantissa.as_bytes());
    out.extend_from_slice(&[b'e', sign]);
    if exponent.len() < 2 {
        out.push(b'0');
    }
    out.extend_from_slice(exponent.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: f32, expected: &str) {
        let mut out = Vec::new();
        push_python(&mut out, value, NonFinite::Json);
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{value:?}");
    }

    #[test]
    fn finite_numbers_are_laid_out_as_python_does() {
        let lines = include_str!("number/python.txt").lines().filter(|line| !line.starts_with('#'));
        for (bits, expected) in lines.map(|line| line.split_once(' ').unwrap()) {
            check(f32::from_bits(u32::from_str_radix(bits, 16).unwrap()), expected);
        }
    }

    #[test]
    fn doubles_that_are_no_single_are_laid_out_alike() {
        for (value, expected) in [
            (0.4, "0.4"),
            (1.0 - 0.9, "0.09999999999999998"),
            (1.0 - f64::from(0.3_f32), "0.699999988079071"),
            (1e-5, "1e-05"),
            (1.25e-7, "1.25e-07"),
            (1e15, "1000000000000000.0"),
            (1.5e16, "1.5e+16"),
            (-0.0, "-0.0"),
        ] {
            let mut out = Vec::new();
            push_python_double(&mut out, value, NonFinite::Json);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn every_layout_gives_the_same_double_back() {
        let mut bits = 0_u32;
        let mut out = Vec::new();
        for _ in 0..100_000 {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = f32::from_bits(bits);
            if !value.is_finite() {
                continue;
            }
            out.clear();
            push_python(&mut out, value, NonFinite::Json);
            let text = std::str::from_utf8(&out).unwrap();
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), f64::from(value).to_bits(), "{text}");
            assert_eq!(text.contains('e'), value != 0.0 && !(1e-4..1e16).contains(&f64::from(value).abs()), "{text}");
            out.clear();
            push_shortest(&mut out, value);
            let text = std::str::from_utf8(&out).unwrap();
            assert_eq!(text.parse::<f32>().unwrap().to_bits(), value.to_bits(), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_not_finite_are_spelt_by_format() {
        for (value, json, text) in
            [(f32::NAN, "NaN", "nan"), (f32::INFINITY, "Infinity", "inf"), (f32::NEG_INFINITY, "-Infinity", "-inf")]
        {
            check(value, json);
            let mut out = Vec::new();
            push_python(&mut out, value, NonFinite::Text);
            assert_eq!(out, text.as_bytes());
        }
    }
}
