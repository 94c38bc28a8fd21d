//! What a graph takes and gives, as far as it can be served: one matrix in, one answer a row out.

use ort::value::{Outlet, TensorElementType, ValueType};

use crate::{
    answer,
    error::{Error, ErrorKind, Result},
};

/// Numbers that can be exchanged with a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Float32,
    Float64,
    Int64,
}

/// What the input takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) number: Number,
    /// Columns of a row; `None` when any number will do.
    pub(super) features: Option<usize>,
    /// Whether the graph takes one row at a time.
    pub(super) is_single: bool,
}

/// The output that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) kind: OutputKind,
}

/// How the answer is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputKind {
    Tensor(Number),
    /// For each row a map from classes to probabilities, as converters of scikit-learn write unless told otherwise.
    MapsOfInt64,
    MapsOfText,
}

impl Number {
    fn of(element: TensorElementType) -> Option<Self> {
        match element {
            TensorElementType::Float32 => Some(Self::Float32),
            TensorElementType::Float64 => Some(Self::Float64),
            TensorElementType::Int64 => Some(Self::Int64),
            _ => None,
        }
    }
}

impl Input {
    /// # Errors
    /// [`ErrorKind::Unsupported`] with every input's type and shape when the graph does not take one matrix of numbers.
    pub(super) fn new(inputs: &[Outlet]) -> Result<Self> {
        let input = match inputs {
            [input] => matrix(input.dtype()),
            _ => None,
        };
        input.ok_or_else(|| {
            let message = format!("the graph takes {}, and one matrix [rows, features] is served", list(inputs));
            Error::new(ErrorKind::Unsupported, message)
        })
    }
}

fn matrix(input: &ValueType) -> Option<Input> {
    let ValueType::Tensor { ty, shape, .. } = input else { return None };
    let &[rows @ (-1 | 1), features] = &shape[..] else { return None };
    let features = (features != -1).then(|| usize::try_from(features)).transpose().ok()?;
    Some(Input { number: Number::of(*ty)?, features, is_single: rows == 1 })
}

impl Output {
    /// Chooses by name what converters call the answer, else the first floats, else maps, else labels.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] with every output's type and shape when none can be read.
    pub(super) fn choose(outputs: &[Outlet]) -> Result<Self> {
        let ranked = outputs.iter().filter_map(|output| {
            let kind = kind(output.dtype())?;
            Some((rank(output.name(), kind), output.name(), kind))
        });
        let chosen = ranked.min_by_key(|&(rank, ..)| rank);
        chosen.map(|(_, name, kind)| Self { name: name.to_owned(), kind }).ok_or_else(|| {
            let message =
                format!("the graph gives {}, and none of it is a number or a row of them a row", list(outputs));
            Error::new(ErrorKind::Unsupported, message)
        })
    }
}

fn kind(output: &ValueType) -> Option<OutputKind> {
    match output {
        // No dimensions at all may also mean that the graph does not tell.
        ValueType::Tensor { ty, shape, .. } if shape.len() <= 2 => Number::of(*ty).map(OutputKind::Tensor),
        ValueType::Sequence(item) => match **item {
            ValueType::Map { key: TensorElementType::Int64, value: TensorElementType::Float32 } => {
                Some(OutputKind::MapsOfInt64)
            }
            ValueType::Map { key: TensorElementType::String, value: TensorElementType::Float32 } => {
                Some(OutputKind::MapsOfText)
            }
            _ => None,
        },
        _ => None,
    }
}

/// The lower, the better.
fn rank(name: &str, kind: OutputKind) -> usize {
    let kind = match kind {
        OutputKind::Tensor(Number::Float32 | Number::Float64) => answer::Kind::Floats,
        OutputKind::MapsOfInt64 | OutputKind::MapsOfText => answer::Kind::Maps,
        OutputKind::Tensor(Number::Int64) => answer::Kind::Labels,
    };
    answer::rank(name, kind)
}

fn list(outlets: &[Outlet]) -> String {
    let outlets: Vec<String> = outlets.iter().map(|outlet| format!("`{}` {}", outlet.name(), outlet.dtype())).collect();
    if outlets.is_empty() { "nothing".to_owned() } else { outlets.join(", ") }
}

#[cfg(test)]
mod tests {
    use ort::value::{Shape, SymbolicDimensions};

    use super::*;

    fn tensor(name: &str, ty: TensorElementType, shape: &[i64]) -> Outlet {
        let dimension_symbols = SymbolicDimensions::empty(shape.len());
        Outlet::new(name, ValueType::Tensor { ty, shape: Shape::new(shape.iter().copied()), dimension_symbols })
    }

    fn float(name: &str, shape: &[i64]) -> Outlet {
        tensor(name, TensorElementType::Float32, shape)
    }

    fn maps(name: &str, key: TensorElementType) -> Outlet {
        let map = ValueType::Map { key, value: TensorElementType::Float32 };
        Outlet::new(name, ValueType::Sequence(Box::new(map)))
    }

    #[test]
    fn one_matrix_of_numbers_is_an_input() {
        let number = Number::Float32;
        for (shape, features, is_single) in
            [(&[-1, 6], Some(6), false), (&[-1, -1], None, false), (&[1, 6], Some(6), true)]
        {
            let expected = Input { number, features, is_single };
            assert_eq!(Input::new(&[float("x", shape)]).unwrap(), expected, "{shape:?}");
        }
        let double = Input::new(&[tensor("x", TensorElementType::Float64, &[-1, 2])]).unwrap();
        assert_eq!(double.number, Number::Float64);
    }

    #[test]
    fn any_other_input_is_named() {
        for (inputs, parts) in [
            (vec![], vec!["nothing"]),
            (vec![float("image", &[-1, 3, 32, 32])], vec!["`image`", "3, 32, 32"]),
            (vec![float("batch", &[8, 6])], vec!["`batch`", "8, 6"]),
            (vec![tensor("text", TensorElementType::String, &[-1, 1])], vec!["`text`", "String"]),
            (vec![float("one", &[-1, 1]), float("two", &[-1, 1])], vec!["`one`", "`two`"]),
        ] {
            let error = Input::new(&inputs).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            for part in parts {
                assert!(error.to_string().to_lowercase().contains(&part.to_lowercase()), "{error} lacks {part}");
            }
        }
    }

    #[test]
    fn the_answer_is_chosen_before_its_company() {
        let label = || tensor("label", TensorElementType::Int64, &[-1]);
        let zip = || maps("output_probability", TensorElementType::Int64);
        for (outputs, expected) in [
            (vec![label(), float("probabilities", &[-1, 3])], "probabilities"),
            (vec![float("scores", &[-1]), float("value", &[-1, 1])], "value"),
            (vec![float("first", &[-1]), float("second", &[-1, 1])], "first"),
            (vec![float("deep", &[-1, 3, 4]), float("flat", &[-1, 4])], "flat"),
            (vec![label(), zip()], "output_probability"),
            (vec![label()], "label"),
        ] {
            assert_eq!(Output::choose(&outputs).unwrap().name, expected);
        }
        for outputs in [vec![], vec![float("deep", &[-1, 3, 4])], vec![maps("m", TensorElementType::Float32)]] {
            assert_eq!(Output::choose(&outputs).unwrap_err().kind(), ErrorKind::Unsupported);
        }
    }
}
