//! An axis of a chart: which numbers it spans, where they lie on it, and what is written beside it.

/// What an axis counts in, for its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Microseconds, written as µs, ms or s.
    Micros,
    /// Plain numbers.
    Number,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Linear,
    Logarithmic,
}

/// An axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// What it shows, with the unit.
    pub(super) label: &'static str,
    scale: Scale,
    unit: Unit,
    low: f64,
    high: f64,
}

/// Steps between labels of a linear axis, at the least.
const STEPS: f64 = 4.0;

impl Axis {
    /// From 0 to a round number that is not below any of `values`.
    pub(super) fn linear(label: &'static str, values: impl Iterator<Item = f64>) -> Self {
        let most = values.fold(0.0, f64::max).max(1e-9);
        let step = step(most);
        Self { label, scale: Scale::Linear, unit: Unit::Number, low: 0.0, high: (most / step).ceil() * step }
    }

    /// From 0 to the greatest of `values`.
    pub(super) fn time(label: &'static str, values: impl Iterator<Item = f64>) -> Self {
        let high = values.fold(0.0, f64::max).max(1e-9);
        Self { label, scale: Scale::Linear, unit: Unit::Number, low: 0.0, high }
    }

    /// Microseconds, from a power of ten to another, which no positive one of `values` is beyond.
    pub(super) fn logarithmic(label: &'static str, values: impl Iterator<Item = f64> + Clone) -> Self {
        let positive = values.filter(|&value| value > 0.0);
        let least = positive.clone().fold(f64::INFINITY, f64::min);
        let low = if least.is_finite() { least.log10().floor() } else { 0.0 };
        let high = positive.fold(10f64.powf(low), f64::max).log10().ceil().max(low + 1.0);
        Self { label, scale: Scale::Logarithmic, unit: Unit::Micros, low: 10f64.powf(low), high: 10f64.powf(high) }
    }

    /// Where `value` lies, from 0 at the low end to 1.
    pub(super) fn position(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => (value.max(self.low) / self.low).log10() / (self.high / self.low).log10(),
        };
        share.clamp(0.0, 1.0)
    }

    /// The numbers that are written, and how.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let values = match self.scale {
            Scale::Linear => multiples(step(self.high), self.high),
            Scale::Logarithmic => powers(self.low, self.high),
        };
        values.into_iter().map(|value| (value, self.unit.text(value))).collect()
    }
}

impl Unit {
    fn text(self, value: f64) -> String {
        match self {
            Self::Micros if value >= 1e6 => format!("{} s", plain(value / 1e6)),
            Self::Micros if value >= 1e3 => format!("{} ms", plain(value / 1e3)),
            Self::Micros => format!("{} µs", plain(value)),
            Self::Number => plain(value),
        }
    }
}

/// The number without digits that rounding left behind.
fn plain(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The largest of 1, 2 and 5 times a power of ten that divides `high` into steps enough.
fn step(high: f64) -> f64 {
    let power = 10f64.powf((high / STEPS).log10().floor());
    let fits = |factor: &f64| factor * power <= high / STEPS * 1.000_001;
    [5.0, 2.0].into_iter().find(fits).unwrap_or(1.0) * power
}

fn multiples(step: f64, high: f64) -> Vec<f64> {
    let steps = (0u32..).map(|number| f64::from(number) * step);
    steps.take_while(|&value| value <= high * 1.000_001).collect()
}

fn powers(low: f64, high: f64) -> Vec<f64> {
    let powers = std::iter::successors(Some(low), |value| Some(value * 10.0));
    powers.take_while(|&value| value <= high * 1.000_001).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn a_linear_axis_has_round_numbers() {
        let axis = Axis::linear("models", [3.0, 106.0].into_iter());
        assert_eq!(labels(&axis), ["0", "20", "40", "60", "80", "100", "120"]);
        assert!((axis.position(60.0) - 0.5).abs() < 1e-9);
        assert_eq!(labels(&Axis::linear("%", [0.9].into_iter())), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert!(labels(&Axis::linear("nothing", std::iter::empty())).len() > 2);
    }

    #[test]
    fn a_logarithmic_axis_has_powers_of_ten() {
        let axis = Axis::logarithmic("latency", [35.0, 0.0, 2_000_000.0].into_iter());
        assert_eq!(labels(&axis), ["10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert!((axis.position(10_000.0) - 0.5).abs() < 1e-9);
        assert_eq!(labels(&Axis::logarithmic("none", std::iter::empty())), ["1 µs", "10 µs"]);
    }
}
