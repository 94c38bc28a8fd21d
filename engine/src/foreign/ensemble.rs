//! An ensemble as its operator describes it, and its plain evaluation: what the pack made of it is held against.

use super::{
    Precision,
    path::Path,
    trees::{Node, Trees},
};
use crate::{
    compile::Reason,
    finish::{Finish, PostTransform},
};

/// What a sum may differ by, relative to the greatest weight.
const TOLERANCE: f32 = 1e-5;

/// How the leaves that a row reaches become a number for each target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Sum,
    /// The sum over the number of trees.
    Average,
}

impl Aggregate {
    pub(super) fn unknown() -> Reason {
        Reason::new("the ensemble neither sums nor averages its leaves")
    }
}

/// The standard's post-transforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transform {
    None,
    Logistic,
    Softmax,
    SoftmaxZero,
    Probit,
}

impl Transform {
    pub(super) fn from_name(name: &[u8]) -> Result<Self, Reason> {
        match name {
            b"NONE" => Ok(Self::None),
            b"LOGISTIC" => Ok(Self::Logistic),
            b"SOFTMAX" => Ok(Self::Softmax),
            b"SOFTMAX_ZERO" => Ok(Self::SoftmaxZero),
            b"PROBIT" => Ok(Self::Probit),
            _ => Err(Reason::new(format!("{:?} is no post_transform", String::from_utf8_lossy(name)))),
        }
    }

    /// The step that ONNX Runtime takes for an ensemble of `targets`; it does not transform a single sum.
    pub(super) fn finish(self, targets: u32) -> Result<Finish, Reason> {
        Ok(Finish::PostTransform(match self {
            Self::None => return Ok(Finish::Link(thicket_converters::Link::Identity)),
            Self::Probit => {
                return Err(Reason::new(
                    "PROBIT magnifies the last bits of a sum, in which runs of ONNX Runtime differ",
                ));
            }
            _ if targets == 1 => {
                return Err(Reason::new("ONNX Runtime and the standard do not agree on the post_transform of one sum"));
            }
            Self::Logistic => PostTransform::Logistic,
            Self::Softmax => PostTransform::Softmax,
            Self::SoftmaxZero => PostTransform::SoftmaxZero,
        }))
    }
}

/// An ensemble that was understood.
#[derive(Clone, Debug)]
pub(crate) struct Ensemble {
    /// Columns of the input.
    pub(super) features: u32,
    pub(super) trees: Trees,
    pub(super) aggregate: Aggregate,
    /// What is added to each target.
    pub(super) base: Vec<f32>,
    pub(super) finish: Finish,
    pub(super) precision: Precision,
}

impl Ensemble {
    /// An ensemble whose sums are transformed one by one or all together.
    pub(super) fn of_targets(
        path: &Path<'_>,
        trees: Trees,
        targets: i64,
        base: &[f32],
        aggregate: Aggregate,
        transform: Transform,
    ) -> Result<Self, Reason> {
        // A target that no leaf names would be a number out of nothing, and a great number of them memory out of nothing.
        let count = usize::try_from(targets).ok().filter(|targets| (1..=trees.weights.len()).contains(targets));
        let count = count.ok_or_else(|| Reason::new(format!("the ensemble has {targets} targets")))?;
        let targets = u32::try_from(count).map_err(|_| Reason::new("the ensemble has too many targets"))?;
        if let Some(weight) = trees.weights.iter().find(|weight| weight.target >= targets) {
            return Err(Reason::new(format!("a leaf names target {} of {targets}", weight.target)));
        }
        if !base.is_empty() && base.len() != count {
            return Err(Reason::new(format!("the ensemble has {} base values for {targets} targets", base.len())));
        }
        let base = if base.is_empty() { vec![0.0; count] } else { base.to_vec() };
        let finish = transform.finish(targets)?;
        Ok(Self { features: path.features, trees, aggregate, base, finish, precision: path.precision })
    }

    /// Checks that every split asks a column of the input.
    pub(super) fn check_features(&self) -> Result<(), Reason> {
        let beyond = self.splits().find(|(feature, _)| *feature >= self.features);
        beyond.map_or(Ok(()), |(feature, _)| {
            Err(Reason::new(format!("a node asks feature {feature} of {}", self.features)))
        })
    }

    /// How many columns a row must have.
    pub(crate) fn features(&self) -> usize {
        self.features as usize
    }

    /// How many sums a row has.
    pub(crate) fn targets(&self) -> usize {
        self.base.len()
    }

    /// How many values a row's answer has.
    pub(crate) fn columns(&self) -> usize {
        self.finish.columns(self.targets())
    }

    /// How many trees it has.
    pub(crate) fn tree_count(&self) -> usize {
        self.trees.roots.len()
    }

    /// How many splits and leaves it has.
    pub(crate) fn node_count(&self) -> usize {
        self.trees.nodes.len()
    }

    /// `(feature, threshold)` of every split.
    pub(crate) fn splits(&self) -> impl Iterator<Item = (u32, f32)> {
        self.trees.nodes.iter().filter_map(|node| match *node {
            Node::Split { feature, threshold, .. } => Some((feature, threshold)),
            Node::Leaf(_) => None,
        })
    }

    /// By how much sums may differ from [`sums`](Self::sums): not at all, where they are summed in the same way.
    pub(crate) fn tolerance(&self) -> f32 {
        if (self.aggregate, self.precision) == (Aggregate::Sum, Precision::Single) {
            return 0.0;
        }
        let sizes = self.trees.weights.iter().map(|weight| weight.value.abs()).filter(|size| size.is_finite());
        sizes.fold(0.0, f32::max) * TOLERANCE
    }

    /// The sums of one row before the last step, as ONNX Runtime adds them up for a single row.
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer trees than f64 can count")]
    pub(crate) fn sums(&self, row: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0; self.targets()];
        for &root in &self.trees.roots {
            for weight in self.leaf(root, row) {
                let sum = &mut sums[weight.target as usize];
                *sum = self.rounded(*sum + f64::from(weight.value));
            }
        }
        let count = match self.aggregate {
            Aggregate::Sum => 1.0,
            Aggregate::Average => self.tree_count() as f64,
        };
        let finished = |(sum, base): (f64, &f32)| narrow(self.rounded(sum / count) + f64::from(*base));
        sums.into_iter().zip(&self.base).map(finished).collect()
    }

    /// A sum or quotient in the ensemble's precision: in `f64` it is exact enough to be rounded to `f32` afterwards.
    fn rounded(&self, number: f64) -> f64 {
        match self.precision {
            Precision::Single => f64::from(narrow(number)),
            Precision::Double => number,
        }
    }

    fn leaf(&self, root: usize, row: &[f32]) -> &[super::trees::Weight] {
        let mut at = root;
        loop {
            match self.trees.nodes[at] {
                Node::Leaf(ref range) => return &self.trees.weights[range.clone()],
                Node::Split { feature, mode, threshold, missing_is_true, truth, falsehood } => {
                    let value = row[feature as usize];
                    let is_true = mode.holds(value, threshold) || (missing_is_true && value.is_nan());
                    at = if is_true { truth } else { falsehood };
                }
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the nearest f32 is meant")]
fn narrow(number: f64) -> f32 {
    number as f32
}
