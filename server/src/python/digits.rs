//! The decimal digits of every script, as Unicode 14 has them: ten in a row each, from nought to nine.

/// The noughts beyond ASCII, in their order.
const NOUGHTS: [u32; 65] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50,
    0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136,
    0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0,
    0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// The ASCII digit that means the same.
pub(super) fn in_ascii(character: char) -> Option<char> {
    let code = u32::from(character);
    let before = NOUGHTS.partition_point(|&nought| nought <= code);
    let value = code - NOUGHTS.get(before.checked_sub(1)?)?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_mean_what_they_mean_and_nothing_else_is_one() {
        for (character, expected) in
            [('\u{660}', Some('0')), ('\u{ff19}', Some('9')), ('\u{1d7ff}', Some('9')), ('\u{1fbf9}', Some('9'))]
        {
            assert_eq!(in_ascii(character), expected, "{character:?}");
        }
        for character in ['\u{80}', '\u{66a}', '½', '²', '\u{1d7cd}', '\u{1fbfa}', '\u{10ffff}'] {
            assert_eq!(in_ascii(character), None, "{character:?}");
        }
    }

    #[test]
    fn noughts_stand_in_order_and_apart() {
        assert!(NOUGHTS.windows(2).all(|pair| pair[0] + 10 <= pair[1]));
    }
}
