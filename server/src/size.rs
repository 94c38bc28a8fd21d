//! Sizes as operators write them: `512MiB`, `2G`, `300m`, `1048576`.

/// The bytes that `text` stands for: a whole number and, if any, a unit in upper or lower case.
///
/// `K`, `M`, `G`, `T` alone or followed by `i` or `iB` are powers of 1024, as Docker and the JVM read them; `KB`, `MB`,
/// `GB`, `TB` are powers of 1000; `B` and nothing are bytes. `None` for anything else and for what exceeds 64 bits.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    number.parse::<u64>().ok()?.checked_mul(unit_bytes(unit.trim_start())?)
}

fn unit_bytes(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    let mut letters = unit.chars();
    let power = match letters.next() {
        None | Some('b') if letters.as_str().is_empty() => return Some(1),
        Some('k') => 1,
        Some('m') => 2,
        Some('g') => 3,
        Some('t') => 4,
        _ => return None,
    };
    match letters.as_str() {
        "" | "i" | "ib" => Some(1024_u64.pow(power)),
        "b" => Some(1000_u64.pow(power)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("0", 0),
            ("1048576", 1 << 20),
            ("7B", 7),
            ("512MiB", 512 << 20),
            ("2G", 2 << 30),
            ("300m", 300 << 20),
            ("4 Ki", 4096),
            ("6MB", 6_000_000),
            ("1tib", 1 << 40),
        ] {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_size() {
        for text in ["", "M", "-1", "1.5G", "1X", "1MiBs", "1 M B", "99999999999999999999", "17179869184G"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
