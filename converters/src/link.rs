//! The last step of a prediction: from margins to values.

use std::cmp::Ordering;

/// The last step of a prediction: from the margins of a row to its values, in XGBoost's own `f32` formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Link {
    /// The margins themselves.
    Identity,
    /// `1 / (1 + exp(-x))`, where a very negative margin gives 0.
    SigmoidUnclamped,
    /// The same with `-x` held below 88.7 so that `exp` stays finite: a very negative margin gives a denormal number.
    Sigmoid,
    /// `exp(x)`.
    Exp,
    /// `exp(x - max)` over their sum: a probability for each class.
    Softmax,
    /// The number of the first greatest margin.
    SoftmaxClass,
    /// 1 where the margin is positive, else 0.
    Hinge,
    /// The margins in ascending order, so that quantiles do not cross.
    SortQuantiles,
}

impl Link {
    const ALL: [Self; 8] = [
        Self::Identity,
        Self::SigmoidUnclamped,
        Self::Sigmoid,
        Self::Exp,
        Self::Softmax,
        Self::SoftmaxClass,
        Self::Hinge,
        Self::SortQuantiles,
    ];

    /// The number of this link in files; it never changes.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Identity => 0,
            Self::SigmoidUnclamped => 1,
            Self::Sigmoid => 2,
            Self::Exp => 3,
            Self::Softmax => 4,
            Self::SoftmaxClass => 5,
            Self::Hinge => 6,
            Self::SortQuantiles => 7,
        }
    }

    /// The link of that number.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|link| link.code() == code)
    }

    /// How many values a row has whose margins are `targets`.
    #[must_use]
    pub const fn columns(self, targets: usize) -> usize {
        match self {
            Self::SoftmaxClass => 1,
            _ => targets,
        }
    }

    /// Appends the values of one row, whose margins these are, to `out`.
    pub fn apply(&self, margins: &[f32], out: &mut Vec<f32>) {
        match self {
            Self::Identity => out.extend_from_slice(margins),
            Self::SigmoidUnclamped => out.extend(margins.iter().map(|&x| 1.0 / (1.0 + (-x).exp()))),
            Self::Sigmoid => out.extend(margins.iter().map(|&x| 1.0 / ((-x).min(88.7).exp() + 1.0))),
            Self::Exp => out.extend(margins.iter().map(|x| x.exp())),
            Self::Softmax => softmax(margins, out),
            Self::SoftmaxClass => out.push(class_of(margins)),
            Self::Hinge => out.extend(margins.iter().map(|&x| f32::from(u8::from(x > 0.0)))),
            Self::SortQuantiles => {
                let start = out.len();
                out.extend_from_slice(margins);
                out[start..].sort_by(|one, other| ascending(*one, *other));
            }
        }
    }
}

/// The order of numbers as `<` has it, in which zeros of both signs are equal and keep their places; NaN comes last.
fn ascending(one: f32, other: f32) -> Ordering {
    one.partial_cmp(&other).unwrap_or_else(|| one.is_nan().cmp(&other.is_nan()))
}

/// XGBoost's softmax: the sum in `f64`, rounded once, everything else in `f32`.
fn softmax(margins: &[f32], out: &mut Vec<f32>) {
    let greatest = margins.iter().copied().fold(f32::MIN, f32::max);
    let start = out.len();
    out.extend(margins.iter().map(|&x| (x - greatest).exp()));
    let sum: f64 = out[start..].iter().copied().map(f64::from).sum();
    #[expect(clippy::cast_possible_truncation, reason = "XGBoost rounds the sum to f32 here")]
    let sum = sum as f32;
    for value in &mut out[start..] {
        *value /= sum;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a booster has far fewer classes than f32 can count")]
fn class_of(margins: &[f32]) -> f32 {
    let first_greatest = |best: usize, at: usize| if margins[at] > margins[best] { at } else { best };
    (0..margins.len()).reduce(first_greatest).unwrap_or(0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(link: Link, margins: &[f32]) -> Vec<f32> {
        let mut out = vec![7.0];
        link.apply(margins, &mut out);
        assert_eq!(out.len() - 1, link.columns(margins.len()));
        out.split_off(1)
    }

    #[test]
    fn codes_lead_back() {
        for link in Link::ALL {
            assert_eq!(Link::from_code(link.code()), Some(link));
        }
        assert_eq!(Link::from_code(8), None);
    }

    #[test]
    fn sorting_moves_no_zero_past_another() {
        let bits =
            |margins: &[f32]| values(Link::SortQuantiles, margins).into_iter().map(f32::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(&[1.0, 0.0, -0.0]), [0.0f32, -0.0, 1.0].map(f32::to_bits));
        assert_eq!(bits(&[f32::NAN, 2.0, 1.0])[..2], [1.0f32, 2.0].map(f32::to_bits));
    }

    #[test]
    fn links_answer_as_xgboost_does() {
        assert_eq!(values(Link::Identity, &[1.5, -2.0]), [1.5, -2.0]);
        assert_eq!(values(Link::SigmoidUnclamped, &[0.0, -1e10, 1e10]), [0.5, 0.0, 1.0]);
        assert!(values(Link::Sigmoid, &[-1e10])[0] > 0.0);
        assert_eq!(values(Link::Softmax, &[3.0, 3.0]), [0.5, 0.5]);
        assert_eq!(values(Link::SoftmaxClass, &[1.0, 5.0, 5.0]), [1.0]);
        assert_eq!(values(Link::Hinge, &[0.0, 1e-30]), [0.0, 1.0]);
        assert_eq!(values(Link::SortQuantiles, &[2.0, -1.0, 0.5]), [-1.0, 0.5, 2.0]);
    }
}
