//! Rows of CSV that are made up, by name: the same in every run.

use thicket_tests::Random;

/// The bodies' names: how many columns, and of what.
pub const NAMES: [&str; 4] = ["8 of 0.4551", "28 of -1.234", "20 of -73.201412", "20 mixed"];

/// The usual size of a body.
pub const BYTES: usize = 1_000_000;

/// A body of that name, of whole lines until it has `bytes`, of one line at the least.
///
/// # Panics
/// When there is no body of that name.
#[must_use]
pub fn body(name: &str, bytes: usize) -> Vec<u8> {
    let (columns, cell): (usize, fn(&mut Random) -> String) = match name {
        "8 of 0.4551" => (8, |random| format!("0.{:04}", random.below(10_000))),
        "28 of -1.234" => (28, |random| format!("{}{}.{:03}", sign(random), random.below(10), random.below(1000))),
        "20 of -73.201412" => (20, |random| format!("-{}.{:06}", 10 + random.below(90), random.below(1_000_000))),
        "20 mixed" => (20, mixed),
        other => panic!("no body is named {other}"),
    };
    let mut random = Random::new(5);
    let mut body = String::new();
    loop {
        let cells: Vec<_> = (0..columns).map(|_| cell(&mut random)).collect();
        body.push_str(&cells.join(","));
        body.push('\n');
        if body.len() >= bytes {
            return body.into_bytes();
        }
    }
}

fn sign(random: &mut Random) -> &'static str {
    ["", "-"][random.below(2)]
}

/// Nothing, a whole number, a decimal of some length, or one with an exponent.
fn mixed(random: &mut Random) -> String {
    match random.below(5) {
        0 => String::new(),
        1 => random.below(3000).to_string(),
        2 => format!("{}{}.{:02}", sign(random), random.below(100), random.below(100)),
        3 => format!("-{}.{:06}", random.below(100), random.below(1_000_000)),
        _ => format!("{}.{:03}e-{}", random.below(10), random.below(1000), random.below(9)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_their_columns_and_their_size() {
        for (name, columns) in NAMES.iter().zip([8, 28, 20, 20]) {
            let large = String::from_utf8(body(name, 5000)).unwrap();
            assert!((5000..6000).contains(&large.len()), "{name}");
            assert!(large.lines().all(|line| line.split(',').count() == columns), "{name}");
            assert_eq!(String::from_utf8(body(name, 0)).unwrap().lines().count(), 1, "{name}");
        }
    }
}
