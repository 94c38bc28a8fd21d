//! What a booster was trained for: how its base score becomes a margin and its margins become values.

use std::fmt;

use crate::link::Link;
use crate::version::Version;

macro_rules! objectives {
    ($($variant:ident $name:literal $what:literal,)*) => {
        /// The objectives that XGBoost's own files name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Objective {
            $(#[doc = concat!("`", $name, "`: ", $what, ".")] $variant,)*
        }

        impl Objective {
            /// Every objective.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in XGBoost's files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

objectives! {
    SquaredError "reg:squarederror" "regression with squared error",
    Linear "reg:linear" "the same by its name before 0.90",
    SquaredLogError "reg:squaredlogerror" "regression with squared log error",
    PseudoHuberError "reg:pseudohubererror" "regression with pseudo-Huber error",
    AbsoluteError "reg:absoluteerror" "regression with absolute error",
    QuantileError "reg:quantileerror" "quantile regression, one target a quantile",
    RegressionLogistic "reg:logistic" "regression of a probability",
    Gamma "reg:gamma" "gamma regression with log link",
    Tweedie "reg:tweedie" "Tweedie regression with log link",
    Poisson "count:poisson" "Poisson regression with log link",
    Logistic "binary:logistic" "classification in two classes, a probability",
    LogitRaw "binary:logitraw" "classification in two classes, the margin itself",
    Hinge "binary:hinge" "classification in two classes, 0 or 1",
    Softmax "multi:softmax" "classification, the number of the class",
    Softprob "multi:softprob" "classification, a probability for each class",
    RankPairwise "rank:pairwise" "ranking by pairs",
    RankNdcg "rank:ndcg" "ranking by discounted gain",
    RankMap "rank:map" "ranking by mean average precision",
    Cox "survival:cox" "proportional hazards",
    AcceleratedFailureTime "survival:aft" "accelerated failure time",
}

impl Objective {
    /// The objective of that name in XGBoost's files. Up to 0.90 some had a second name, which begins with `gpu:`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix("gpu:").unwrap_or(name);
        Self::ALL.iter().copied().find(|objective| objective.name() == name)
    }

    /// The margin that a file's base score `p` stands for.
    ///
    /// Since 1.0 files hold the base score as the user gave it, before that as a margin. `binary:logitraw` takes it as
    /// a probability only from 1.0 to 1.2. Source: `ProbToMargin` of XGBoost's objectives, computed in `f32` as there.
    #[must_use]
    pub fn margin_of_base_score(self, version: Version, p: f32) -> f32 {
        if version.major == 0 {
            return p;
        }
        match self {
            Self::Logistic | Self::RegressionLogistic => logit(p),
            Self::LogitRaw if !version.is_since(1, 3) => logit(p),
            Self::Poisson | Self::Gamma | Self::Tweedie | Self::Cox | Self::AcceleratedFailureTime => p.ln(),
            _ => p,
        }
    }

    /// How that version of XGBoost makes values of margins.
    #[must_use]
    pub fn link(self, version: Version) -> Link {
        match self {
            Self::Logistic | Self::RegressionLogistic if version.is_since(1, 6) => Link::Sigmoid,
            Self::Logistic | Self::RegressionLogistic => Link::SigmoidUnclamped,
            Self::Poisson | Self::Gamma | Self::Tweedie | Self::Cox | Self::AcceleratedFailureTime => Link::Exp,
            Self::Softprob => Link::Softmax,
            Self::Softmax => Link::SoftmaxClass,
            Self::Hinge => Link::Hinge,
            Self::QuantileError if version.is_since(3, 4) => Link::SortQuantiles,
            _ => Link::Identity,
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

fn logit(p: f32) -> f32 {
    -(1.0 / p - 1.0).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for &objective in Objective::ALL {
            assert_eq!(Objective::from_name(objective.name()), Some(objective));
        }
        assert_eq!(Objective::from_name("gpu:reg:linear"), Some(Objective::Linear));
        assert_eq!(Objective::from_name("reg:unknown"), None);
    }

    #[test]
    fn a_base_score_means_what_its_version_meant() {
        let half = |objective: Objective, major, minor| {
            objective.margin_of_base_score(Version::new(major, minor), 0.5).to_bits()
        };
        assert_eq!(half(Objective::LogitRaw, 1, 2), (-0.0f32).to_bits());
        assert_eq!(half(Objective::LogitRaw, 1, 3), 0.5f32.to_bits());
        assert_eq!(half(Objective::Logistic, 0, 0), 0.5f32.to_bits());
        assert_eq!(half(Objective::Poisson, 3, 0), 0.5f32.ln().to_bits());
    }
}
