//! What stands between cells, told by the first line as Python's `csv.Sniffer` tells it.

use super::COMMA;

/// The delimiters that win wherever they occur, first things first.
const USUAL: [u8; 5] = [COMMA, b'\t', b';', b' ', b':'];

/// How much of the line is looked at, in characters.
const CHARACTERS_MAX: usize = 512;

/// Characters from here on are not counted.
const COUNTED: usize = 127;

/// Whether it is one of those that tables really have.
pub(super) fn is_usual(delimiter: u8) -> bool {
    USUAL.contains(&delimiter)
}

/// The first line of rows, without its line feed.
pub(super) fn first_line(rows: &[u8]) -> &[u8] {
    rows.split(|&byte| byte == b'\n').next().unwrap_or(rows)
}

/// The delimiter of `rows`; `None` when their first line has not one character in ASCII.
///
/// Where none of the usual ones occurs it is the most frequent character, the highest among equals; a letter or a digit
/// means that there is one column. So does a quote here, which would make three columns of `"1"`.
pub(super) fn of(rows: &[u8]) -> Option<u8> {
    // Most rows have a comma soon, and then nothing else matters.
    let soon = rows.iter().take(CHARACTERS_MAX).find(|&&byte| byte == COMMA || byte == b'\n');
    if soon == Some(&COMMA) {
        return soon.copied();
    }
    let line = start(first_line(rows));
    if let Some(usual) = USUAL.into_iter().find(|usual| line.contains(usual)) {
        return Some(usual);
    }
    let frequent = most_frequent(line)?;
    let is_column = frequent.is_ascii_alphanumeric() || matches!(frequent, b'"' | b'\'');
    Some(if is_column { COMMA } else { frequent })
}

/// As many bytes as the first characters take.
fn start(line: &[u8]) -> &[u8] {
    if line.len() <= CHARACTERS_MAX {
        return line;
    }
    let goes_on = |byte: u8| byte & 0xc0 == 0x80;
    let mut starts = (0..line.len()).filter(|&at| !goes_on(line[at]));
    &line[..starts.nth(CHARACTERS_MAX).unwrap_or(line.len())]
}

fn most_frequent(line: &[u8]) -> Option<u8> {
    let mut counts = [0_u16; COUNTED];
    for &byte in line {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let (byte, count) = (0_u8..).zip(counts).max_by_key(|&(_, count)| count)?;
    (count > 0).then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_tells() {
        for (line, expected) in [
            ("1,2;3", b','),
            ("1\t2 3", b'\t'),
            ("1 2;3:4", b';'),
            ("0.1:0.2", b':'),
            ("12345", b','),
            ("0.1|0.2|0.3|0.4", b','),
            ("1|2|3|4", b'|'),
            ("10|20|30", b','),
            ("-1e-05", b'-'),
            ("-1.5e-05", b','),
            ("\"1\"", b','),
            ("x0,x1", b','),
            ("sqft", b','),
        ] {
            assert_eq!(of(line.as_bytes()), Some(expected), "{line:?}");
        }
        assert_eq!(of("\u{ff11}".as_bytes()), None);
    }

    #[test]
    fn only_the_start_of_the_line_counts_and_in_characters() {
        let line = |characters| format!("{},1", "\u{ff11}".repeat(characters));
        assert_eq!(of(line(511).as_bytes()), Some(COMMA));
        assert_eq!(of(line(512).as_bytes()), None);
        assert_eq!(of(format!("1{}1", "|".repeat(600)).as_bytes()), Some(b'|'));
    }
}
