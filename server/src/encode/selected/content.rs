//! What a row's prediction has for each name, by the objective that the model was trained for.

use std::borrow::Cow;

use crate::{
    encode::row::{push_list, push_numbers},
    number::{self, NonFinite},
};

/// What can be selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    PredictedLabel,
    Labels,
    Probability,
    Probabilities,
    RawScore,
    RawScores,
    PredictedScore,
}

/// Objectives, as far as what they have differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Objective {
    Regression,
    Logistic,
    LogitRaw,
    Hinge,
    Softmax,
    Softprob,
}

/// One thing that a prediction has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    /// Not a number.
    Missing,
    /// A class, counted from 0.
    Class(usize),
    /// A number.
    Number(f64),
    /// All classes of so many.
    Classes(usize),
    /// Two numbers.
    Pair([f64; 2]),
    /// Numbers as they were predicted.
    Numbers(&'a [f32]),
}

impl Key {
    /// Every key in the order of JSON objects.
    pub(super) const ALL: [Self; 7] = [
        Self::PredictedLabel,
        Self::Labels,
        Self::Probability,
        Self::Probabilities,
        Self::RawScore,
        Self::RawScores,
        Self::PredictedScore,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::PredictedLabel => "predicted_label",
            Self::Labels => "labels",
            Self::Probability => "probability",
            Self::Probabilities => "probabilities",
            Self::RawScore => "raw_score",
            Self::RawScores => "raw_scores",
            Self::PredictedScore => "predicted_score",
        }
    }
}

impl Objective {
    /// The objective of that name, where a row has `targets` margins; nothing where nothing can be selected. Models of two
    /// classes have one.
    pub(super) fn named(name: &str, targets: usize) -> Option<Self> {
        let is_alone = targets == 1;
        match name {
            "reg:squarederror" | "reg:linear" | "reg:logistic" | "reg:gamma" | "reg:absoluteerror" | "reg:tweedie" => {
                Some(Self::Regression)
            }
            "binary:logistic" => is_alone.then_some(Self::Logistic),
            "binary:logitraw" => is_alone.then_some(Self::LogitRaw),
            "binary:hinge" => is_alone.then_some(Self::Hinge),
            "multi:softmax" => Some(Self::Softmax),
            "multi:softprob" => Some(Self::Softprob),
            _ => None,
        }
    }

    pub(super) fn has(self, key: Key) -> bool {
        match key {
            Key::PredictedScore => self == Self::Regression,
            Key::Probability | Key::Probabilities => matches!(self, Self::Logistic | Self::Softprob),
            Key::PredictedLabel | Key::Labels | Key::RawScore | Key::RawScores => self != Self::Regression,
        }
    }

    /// What `key`, which the objective has, stands for in the values of one row.
    pub(super) fn content(self, key: Key, row: &[f32], classes: usize) -> Content<'_> {
        match key {
            Key::PredictedLabel => self.label(row),
            Key::Labels if matches!(self, Self::Softmax | Self::Softprob) => Content::Classes(classes),
            Key::Labels => Content::Classes(2),
            Key::Probability | Key::RawScore if self == Self::Softprob => Content::Number(f64::from(greatest(row).1)),
            Key::Probabilities | Key::RawScores if self != Self::Softprob => {
                let one = first(row);
                Content::Pair([1.0 - one, one])
            }
            Key::Probabilities | Key::RawScores => Content::Numbers(row),
            Key::PredictedScore if row.len() > 1 => Content::Numbers(row),
            Key::Probability | Key::RawScore | Key::PredictedScore => Content::Number(first(row)),
        }
    }

    fn label(self, row: &[f32]) -> Content<'_> {
        let value = first(row);
        match self {
            Self::Logistic => Content::Class(usize::from(value > 0.5)),
            Self::LogitRaw => Content::Class(usize::from(value > 0.0)),
            Self::Softprob => Content::Class(greatest(row).0),
            Self::Hinge | Self::Softmax | Self::Regression => Content::Number(value),
        }
    }
}

fn first(row: &[f32]) -> f64 {
    row.first().map_or(f64::NAN, |value| f64::from(*value))
}

/// The first of the greatest numbers and its place.
fn greatest(row: &[f32]) -> (usize, f32) {
    let numbers = row.iter().copied().enumerate();
    numbers.reduce(|best, next| if next.1 > best.1 { next } else { best }).unwrap_or((0, f32::NAN))
}

impl<'a> Content<'a> {
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::Classes(_) | Self::Pair(_) | Self::Numbers(_))
    }

    /// Appends it as Python writes it.
    pub(super) fn push(self, out: &mut Vec<u8>, non_finite: NonFinite) {
        match self {
            Self::Missing => number::push_python_double(out, f64::NAN, non_finite),
            Self::Class(class) => push_class(out, class),
            Self::Number(number) => number::push_python_double(out, number, non_finite),
            Self::Classes(count) => push_list(out, 0..count, push_class),
            Self::Pair(pair) => {
                push_list(out, pair.into_iter(), |out, number| number::push_python_double(out, number, non_finite));
            }
            Self::Numbers(numbers) => push_numbers(out, numbers, non_finite),
        }
    }

    /// The same for a tensor.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "tensors are of f32, and a booster has far fewer classes than that can count"
    )]
    pub(super) fn numbers(self) -> Cow<'a, [f32]> {
        match self {
            Self::Missing => vec![f32::NAN].into(),
            Self::Class(class) => vec![class as f32].into(),
            Self::Number(number) => vec![number as f32].into(),
            Self::Classes(count) => (0..count).map(|class| class as f32).collect(),
            Self::Pair(pair) => pair.map(|number| number as f32).to_vec().into(),
            Self::Numbers(numbers) => numbers.into(),
        }
    }
}

fn push_class(out: &mut Vec<u8>, class: usize) {
    out.extend_from_slice(class.to_string().as_bytes());
}
