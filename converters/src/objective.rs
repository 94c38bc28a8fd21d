//! What a booster was trained for: how its base score becomes a margin and its margins become values.

use std::fmt;

/// The version of XGBoost that wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 0 where the file does not say, which only versions before 1.0 leave open.
    pub major: u32,
    /// 0 where the file does not say.
    pub minor: u32,
    /// `None` in legacy binary files, which do not hold it.
    pub patch: Option<u32>,
}

impl Version {
    /// The version `major.minor` of unknown patch level.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: None }
    }

    /// Whether this is `major.minor` or later.
    #[must_use]
    pub fn is_since(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.major, self.patch) {
            (0, None) => write!(formatter, "before 1.0"),
            (_, None) => write!(formatter, "{}.{}", self.major, self.minor),
            (_, Some(patch)) => write!(formatter, "{}.{}.{patch}", self.major, self.minor),
        }
    }
}

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
    /// The objective of that name in XGBoost's files.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
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
                out[start..].sort_by(f32::total_cmp);
            }
        }
    }
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
    fn codes_and_names_lead_back() {
        for link in Link::ALL {
            assert_eq!(Link::from_code(link.code()), Some(link));
        }
        for &objective in Objective::ALL {
            assert_eq!(Objective::from_name(objective.name()), Some(objective));
        }
        assert_eq!((Link::from_code(8), Objective::from_name("reg:unknown")), (None, None));
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
