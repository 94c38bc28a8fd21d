//! The post-transforms of `ai.onnx.ml` tree ensembles, in the `f32` formulas of ONNX Runtime.

/// How an ensemble's sums become its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PostTransform {
    /// `1 / (1 + exp(-x))` of each sum.
    Logistic,
    /// `exp(x - max)` over their sum.
    Softmax,
    /// The same for the sums that are not zero; those that are stay zero.
    SoftmaxZero,
    /// One sum `x`, the second class's probability: `1 - x` and `x`.
    Complement,
    /// One sum `x`, the second class's log-odds: the logistic of `-x` and of `x`.
    LogisticPair,
}

impl PostTransform {
    const ALL: [Self; 5] = [Self::Logistic, Self::Softmax, Self::SoftmaxZero, Self::Complement, Self::LogisticPair];

    /// The number of this transform in packs; it never changes.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Logistic => 101,
            Self::Softmax => 102,
            Self::SoftmaxZero => 103,
            Self::Complement => 104,
            Self::LogisticPair => 105,
        }
    }

    /// The transform of that number.
    pub(crate) fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|transform| transform.code() == code)
    }

    /// How many values a row has whose sums are `targets`.
    pub(crate) fn columns(self, targets: usize) -> usize {
        match self {
            Self::Complement | Self::LogisticPair => targets * 2,
            _ => targets,
        }
    }

    /// Appends the values of one row, whose sums these are, to `out`.
    pub(crate) fn apply(self, sums: &[f32], out: &mut Vec<f32>) {
        match self {
            Self::Logistic => out.extend(sums.iter().map(|&sum| logistic(sum))),
            Self::Softmax => softmax(sums, out, |_| true),
            Self::SoftmaxZero => softmax(sums, out, |sum| sum.abs() > 1e-7),
            Self::Complement => out.extend(sums.iter().flat_map(|&sum| [1.0 - sum, sum])),
            Self::LogisticPair => out.extend(sums.iter().flat_map(|&sum| [logistic(-sum), logistic(sum)])),
        }
    }
}

fn logistic(sum: f32) -> f32 {
    let upper = 1.0 / (1.0 + (-sum.abs()).exp());
    if sum < 0.0 { 1.0 - upper } else { upper }
}

/// The softmax of the sums that `takes_part`; the others are scaled as if the exponential left them as they are.
fn softmax(sums: &[f32], out: &mut Vec<f32>, takes_part: impl Fn(f32) -> bool) {
    let greatest = sums.iter().copied().fold(f32::MIN, f32::max);
    let start = out.len();
    let mut total = 0.0;
    for &sum in sums {
        let value = if takes_part(sum) { (sum - greatest).exp() } else { sum * (-greatest).exp() };
        total += if takes_part(sum) { value } else { 0.0 };
        out.push(value);
    }
    for value in &mut out[start..] {
        *value /= total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(transform: PostTransform, sums: &[f32], expected: &[f32]) {
        let mut found = Vec::new();
        transform.apply(sums, &mut found);
        assert_eq!(found.len(), transform.columns(sums.len()));
        let is_close = |(one, other): (&f32, &f32)| (one - other).abs() < 1e-3;
        assert!(found.iter().zip(expected).all(is_close), "{transform:?}: {found:?}, expected {expected:?}");
    }

    #[test]
    fn sums_become_answers() {
        check(PostTransform::Logistic, &[0.0, -1000.0, 1.0], &[0.5, 0.0, 0.7311]);
        check(PostTransform::Softmax, &[1.0, 1.0], &[0.5, 0.5]);
        check(PostTransform::SoftmaxZero, &[0.0, 2.0, 2.0], &[0.0, 0.5, 0.5]);
        check(PostTransform::Complement, &[0.25], &[0.75, 0.25]);
        check(PostTransform::LogisticPair, &[1.0], &[0.2689, 0.7311]);
    }
}
