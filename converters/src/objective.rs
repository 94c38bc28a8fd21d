//! What a booster was trained for.

use std::fmt;

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
}

impl fmt::Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
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
}
