//! Numbers as people read them.

/// Bytes with a unit.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn bytes(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut number, mut unit) = (bytes as f64 / 1024.0, 0);
    let units = ["KiB", "MiB", "GiB", "TiB"];
    while number >= 1023.5 && unit + 1 < units.len() {
        (number, unit) = (number / 1024.0, unit + 1);
    }
    format!("{} {}", digits(number), units[unit])
}

/// A duration in microseconds, or a dash for none.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn micros(us: Option<u64>) -> String {
    match us {
        None => "–".to_owned(),
        Some(us @ ..1000) => format!("{us} us"),
        Some(us @ ..999_500) => format!("{} ms", digits(us as f64 / 1e3)),
        Some(us) => format!("{} s", digits(us as f64 / 1e6)),
    }
}

/// A span of time in its two greatest units.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a span that is shown")]
pub(super) fn span(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{:.1} s", seconds.max(0.0));
    }
    let seconds = seconds as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if days > 0 => format!("{days} d {} h", hours % 24),
        () if hours > 0 => format!("{hours} h {} min", minutes % 60),
        () if minutes > 0 => format!("{minutes} min {} s", seconds % 60),
        () => format!("{seconds} s"),
    }
}

/// A share of one, or a dash for a share of nothing.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { share(part as f64 / whole as f64) }
}

/// A share of one.
pub(super) fn share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A number in three digits or more.
pub(super) fn digits(number: f64) -> String {
    let places = match number {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:.places$}")
}

/// The time of day in UTC.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time since 1970")]
pub(super) fn clock(unix: f64) -> String {
    let of_day = unix as u64 % 86_400;
    format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// A block for each number, as high as it is beside the greatest.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index from 0 to 8")]
pub(super) fn blocks(numbers: &[f64]) -> String {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let greatest = numbers.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    numbers.iter().map(|number| BLOCKS[((number / greatest).clamp(0.0, 1.0) * 8.0).ceil() as usize]).collect()
}

/// A bar of so many columns, of which a share is full.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "columns")]
pub(super) fn bar(share: f64, columns: usize) -> String {
    let full = ((share.clamp(0.0, 1.0) * columns as f64).round() as usize).min(columns);
    "█".repeat(full) + &"░".repeat(columns - full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let told = [bytes(999), bytes(1000), bytes(3 << 20), bytes(1023 * 1024 + 600), bytes(u64::MAX)];
        assert_eq!(told, ["999 B", "0.98 KiB", "3.00 MiB", "1.00 MiB", "16777216 TiB"]);
        let told = [micros(None), micros(Some(999)), micros(Some(1500)), micros(Some(60_000_000))];
        assert_eq!(told, ["–", "999 us", "1.50 ms", "60.0 s"]);
        let told = [span(-1.0), span(9.94), span(59.9), span(3_725.0), span(90_000.0)];
        assert_eq!(told, ["0.0 s", "9.9 s", "59 s", "1 h 2 min", "1 d 1 h"]);
        assert_eq!([percent(1, 0), percent(9, 10), share(0.005)], ["–", "90.0 %", "0.5 %"]);
        assert_eq!(clock(1_795_355_114.4), "13:45:14");
    }

    #[test]
    fn blocks_and_bars_are_as_high_and_as_long_as_their_numbers() {
        assert_eq!(blocks(&[0.0, 1.0, 4.0, 8.0]), " ▁▄█");
        assert_eq!(blocks(&[0.0, 0.0]), "  ");
        assert_eq!([bar(0.5, 4), bar(2.0, 3), bar(0.0, 2)], ["██░░", "███", "░░"]);
    }
}
