//! What versions of XGBoost differ in: how each computes with the numbers that a file holds. Every such rule is here, and
//! only here; how the members of its files are called is in `xgboost/schema.rs`.

use crate::link::Link;
use crate::objective::Objective;
use crate::version::Version;

/// The order in which a row's margin is summed; it decides the last bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SumOrder {
    /// The leaves are added onto the base margin in the order of the trees.
    BaseThenLeaves,
    /// The leaves are summed from zero in the order of the trees, then the base margin is added.
    LeavesThenBase,
}

/// Leaves are added onto the base margin since 1.3, in dart boosters since 1.4.
pub(crate) fn sum_order(version: Version, is_dart: bool) -> SumOrder {
    let minor = if is_dart { 4 } else { 3 };
    if version.is_since(1, minor) { SumOrder::BaseThenLeaves } else { SumOrder::LeavesThenBase }
}

/// The margin that a file's base score `p` stands for.
///
/// Since 1.0 files hold the base score as the user gave it, before that as a margin. `binary:logitraw` takes it as
/// a probability only from 1.0 to 1.2. Source: `ProbToMargin` of XGBoost's objectives, computed in `f32` as there.
pub(crate) fn margin_of_base_score(version: Version, objective: Objective, p: f32) -> f32 {
    use Objective as O;
    if version.major == 0 {
        return p;
    }
    match objective {
        O::Logistic | O::RegressionLogistic => logit(p),
        O::LogitRaw if !version.is_since(1, 3) => logit(p),
        O::Poisson | O::Gamma | O::Tweedie | O::Cox | O::AcceleratedFailureTime => p.ln(),
        _ => p,
    }
}

/// How margins become values: the sigmoid is clamped since 1.6, quantiles are sorted since 3.4.
pub(crate) fn link(version: Version, objective: Objective) -> Link {
    use Objective as O;
    match objective {
        O::Logistic | O::RegressionLogistic if version.is_since(1, 6) => Link::Sigmoid,
        O::Logistic | O::RegressionLogistic => Link::SigmoidUnclamped,
        O::Poisson | O::Gamma | O::Tweedie | O::Cox | O::AcceleratedFailureTime => Link::Exp,
        O::Softprob => Link::Softmax,
        O::Softmax => Link::SoftmaxClass,
        O::Hinge => Link::Hinge,
        O::QuantileError if version.is_since(3, 4) => Link::SortQuantiles,
        _ => Link::Identity,
    }
}

fn logit(p: f32) -> f32 {
    -(1.0 / p - 1.0).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_score_means_what_its_version_meant() {
        let half = |objective: Objective, major, minor| {
            margin_of_base_score(Version::new(major, minor), objective, 0.5).to_bits()
        };
        assert_eq!(half(Objective::LogitRaw, 1, 2), (-0.0f32).to_bits());
        assert_eq!(half(Objective::LogitRaw, 1, 3), 0.5f32.to_bits());
        assert_eq!(half(Objective::Logistic, 0, 0), 0.5f32.to_bits());
        assert_eq!(half(Objective::Poisson, 3, 0), 0.5f32.ln().to_bits());
    }

    #[test]
    fn dart_kept_the_older_order_a_version_longer() {
        for (minor, is_dart, expected) in [
            (2, false, SumOrder::LeavesThenBase),
            (3, false, SumOrder::BaseThenLeaves),
            (3, true, SumOrder::LeavesThenBase),
            (4, true, SumOrder::BaseThenLeaves),
        ] {
            assert_eq!(sum_order(Version::new(1, minor), is_dart), expected);
        }
    }
}
