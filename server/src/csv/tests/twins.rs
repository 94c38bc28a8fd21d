//! Every way of reading gives the plain reader's numbers, to the bit, or its complaint, to the letter.

use std::fmt::Write;

use super::{super::*, bits, plain};

/// Numbers of one reader, or its complaint.
fn outcome(read: impl FnOnce(&mut Matrix) -> Result<()>) -> Result<(usize, Vec<u32>), String> {
    let mut matrix = Matrix::default();
    read(&mut matrix).map_err(|error| format!("{:?}: {error}", error.kind()))?;
    Ok((matrix.columns, bits(&matrix.values)))
}

/// Compares the readers; returns whether the body holds rows.
fn check(body: &[u8], delimiter: u8) -> bool {
    let expected = outcome(|matrix| plain::read(body, delimiter, matrix));
    let shown = || String::from_utf8_lossy(body);
    for way in Way::all() {
        assert_eq!(outcome(|matrix| read_in(way, body, delimiter, matrix)), expected, "{:?}, {way:?}", shown());
    }
    expected.is_ok()
}

/// A generator of numbers that are as good as random, the same each time.
struct Draw(u64);

impl Draw {
    /// A number below `count`.
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % count
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// A cell of a kind: the same kinds make up a table, and each has more lengths than one.
    fn cell(&mut self, kind: usize) -> String {
        let sign = self.of(&["", "", "-"]);
        let (whole, part) = (self.below(1000), self.below(1_000_000));
        match kind {
            0 => format!("{sign}0.{:04}", part % 10_000),
            1 => format!("{sign}{}.{:03}", whole % 10, part % 1000),
            2 => format!("{sign}{whole}.{part:06}"),
            3 => format!("{sign}{whole}"),
            4 => format!("{sign}{whole}{part:06}{:0width$}", self.below(1_000_000), width = self.below(12)),
            5 => format!("{sign}{whole}{part}.{:0width$}", self.below(1_000_000), width = self.below(20)),
            6 => format!("{sign}{}.{part}e{}{}", whole % 10, self.of(&["", "-", "+"]), self.below(30)),
            7 => self.of(&["", "nan", " 1", "1 ", "+2", ".5", "5.", "-.5", "1_000", "\u{ff11}", "1e3\r"]).to_owned(),
            8 => String::new(),
            9 => "0".repeat(self.below(700)) + "1",
            _ => unreachable!("no such kind"),
        }
    }

    /// Rows of one width, of a few kinds of cells.
    fn rows(&mut self, delimiter: char) -> String {
        let (columns, rows) = (1 + self.below(40), 1 + self.below(40));
        let kinds: Vec<usize> = (0..=self.below(3)).map(|_| self.below(if rows < 5 { 10 } else { 9 })).collect();
        let end = self.of(&["\n", "\n", "\r\n"]);
        let mut body = String::from("1");
        for row in 0..rows {
            body += if row > 0 { end } else { "" };
            for column in 0..columns {
                if column > 0 {
                    body.push(delimiter);
                }
                let kind = kinds[self.below(kinds.len())];
                body += &self.cell(kind);
            }
        }
        body + self.of(&["", "\n", "\r\n"])
    }
}

#[test]
fn random_tables_and_damaged_ones() {
    let mut draw = Draw(1);
    let (mut whole, mut damaged) = (0, 0);
    for _ in 0..6_000 {
        let delimiter = draw.of(&[",", ",", ";", "\t", " ", "|"]).as_bytes()[0];
        let mut body = draw.rows(char::from(delimiter)).into_bytes();
        whole += usize::from(check(&body, delimiter));
        for _ in 0..3 {
            let at = draw.below(body.len());
            match draw.below(3) {
                0 => body[at] = draw.of(&["0", ".", "-", ",", "\n", "\r", "e", "x", " ", "\u{e4}"]).as_bytes()[0],
                1 => drop(body.remove(at)),
                _ => body.insert(at, draw.of(&["7", ".", "-", ",", "\n", "\r"]).as_bytes()[0]),
            }
            damaged += usize::from(check(&body, delimiter));
        }
    }
    assert!(whole > 3_000 && (1_500..15_000).contains(&damaged), "{whole} and {damaged} held rows");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn rows_of_plain_decimals_take_the_way_of_vectors() {
    let mut matrix = Matrix::default();
    assert_eq!(Way::all().count() > 1, is_x86_feature_detected!("avx2"));
    for vectors in Vectors::kinds() {
        for body in ["1,-2.5\n,0.123456789\r\n", &"0.4551,-73.201412,1e-5,\n".repeat(1000), "7"] {
            matrix.clear();
            assert!(vectors.read(body.trim_end_matches('\n').as_bytes(), b',', &mut matrix), "{vectors:?}, {body}");
        }
        let read = matrix.clone();
        assert!(!vectors.read(b"1\n2,3", b',', &mut matrix) && matrix == read);
    }
}

/// Every text of so many characters of `alphabet`, one after the other.
fn every(alphabet: &[u8], characters: u32, mut check: impl FnMut(&[u8])) {
    let mut text = vec![0; characters as usize];
    for number in 0..alphabet.len().pow(characters) {
        let mut rest = number;
        for byte in &mut text {
            (*byte, rest) = (alphabet[rest % alphabet.len()], rest / alphabet.len());
        }
        check(&text);
    }
}

#[test]
fn every_short_text_in_the_middle_of_a_row() {
    let mut body = Vec::new();
    for characters in 0..=4 {
        every(b"0179.-+eE,\n\r nai_", characters, |text| {
            body.clear();
            body.extend_from_slice(b"1,2.5,");
            body.extend_from_slice(text);
            body.extend_from_slice(b",-3");
            check(&body, b',');
        });
    }
}

#[test]
fn every_text_of_digits_points_and_signs_with_any_end() {
    let mut body = Vec::new();
    for characters in 1..=7 {
        every(b"19.-", characters, |text| {
            for end in [",1", "\n1", "\r\n1"] {
                body.clear();
                body.extend_from_slice(text);
                body.extend_from_slice(end.as_bytes());
                check(&body, b',');
            }
        });
    }
}

#[test]
fn a_point_and_a_sign_at_every_place_of_cells_of_every_length() {
    for length in 1..=24 {
        let digits: String = "1234567890".chars().cycle().take(length).collect();
        for point in 0..=length {
            for odd in [".", "..", "-", "\r", "e", "/", ":"] {
                for sign in ["", "-"] {
                    let cell = format!("{sign}{}{odd}{}", &digits[..point], &digits[point..]);
                    check(format!("{cell},{cell}\n1,{cell}").as_bytes(), b',');
                    check(cell.as_bytes(), b',');
                }
            }
        }
    }
}

#[test]
fn exponents_of_every_form_after_every_number_of_digits() {
    for length in 0..=14 {
        let digits: String = "9876543210".chars().cycle().take(length).collect();
        for point in ["", "."] {
            for letter in ["e", "E", "ee"] {
                for exponent in ["", "-", "+", "0", "-7", "+07", "21", "-22", "023", "-0045", "1-", "--1", ".1", "1e1"]
                {
                    let cell = format!("-{point}{digits}{letter}{exponent}");
                    check(format!("1,{cell},2\n{cell},,{cell}").as_bytes(), b',');
                    check(format!("1,{cell}\r\n{digits}{point},{cell}\r\n").as_bytes(), b',');
                }
            }
        }
    }
}

#[test]
fn bodies_of_every_length_around_every_boundary() {
    let mut draw = Draw(7);
    for kind in 0..9 {
        for length in (0..200).chain(500..530).chain(1010..1050) {
            let mut body = String::new();
            while body.len() < length {
                body = body + &draw.cell(kind) + draw.of(&[",", ",", ",", "\n"]);
            }
            body.truncate((0..=length).rev().find(|&at| body.is_char_boundary(at)).unwrap());
            check(body.as_bytes(), b',');
            check(body.replace('\n', ",").as_bytes(), b',');
        }
    }
}

#[test]
fn floats_of_every_exponent_as_they_are_written() {
    let mut draw = Draw(3);
    for exponent in 0..255_u32 {
        let mut cells = Vec::new();
        for _ in 0..200 {
            let mantissa = [0, 1, 0x7f_ffff, 0x40_0000, u32::try_from(draw.below(1 << 23)).unwrap()][draw.below(5)];
            let value = f32::from_bits(exponent << 23 | mantissa);
            cells.push(match draw.below(4) {
                0 => format!("{value}"),
                1 => format!("-{value:e}"),
                2 => format!("{}", f64::from(value)),
                _ => format!("{value:.9}"),
            });
        }
        assert!(check(cells.join(",").as_bytes(), b','), "{cells:?}");
    }
}

#[test]
fn short_decimals_nearest_to_the_middle_of_two_floats() {
    let (mut draw, mut body) = (Draw(11), String::new());
    for digits in 1..8 {
        let power = 10_f64.powi(digits);
        for _ in 0..2_000 {
            let low = 1e7 / power * f64::from(u32::try_from(draw.below(1 << 30)).unwrap()) / f64::from(1 << 30);
            #[expect(clippy::cast_possible_truncation, reason = "any float will do")]
            let low = low as f32;
            let integer = (f64::midpoint(f64::from(low), f64::from(low.next_up())) * power).round().min(9_999_999.0);
            write!(body, "{:.*},", usize::try_from(digits).unwrap(), integer / power).unwrap();
        }
    }
    assert!(check(body.replace("0.", ".").as_bytes(), b','));
    assert!(check(body.as_bytes(), b','));
}

#[test]
fn a_delimiter_that_numbers_have_too_wins() {
    for delimiter in *b"-.+e\r\x00~" {
        for body in
            ["1-2-3\n4-5-6", "-1.2,3", "1.2.3\n.4.5", "-.-.", "1e2e3", "100200\n0", "1\r2\r\n3", "~1~-~2", "1\x002"]
        {
            check(body.as_bytes(), delimiter);
        }
    }
}
