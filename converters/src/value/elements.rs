//! Gathers the elements of an array.

use super::{Value, rounded};

/// Gathers the elements of an array: as numbers for as long as all are numbers.
#[derive(Debug)]
pub(crate) enum Elements<'a> {
    Integers(Vec<i64>),
    Floats(Vec<f32>),
    Values(Vec<Value<'a>>),
}

impl<'a> Elements<'a> {
    pub(crate) fn new() -> Self {
        Self::Values(Vec::new())
    }

    pub(crate) fn push(&mut self, value: Value<'a>) {
        match (&mut *self, value) {
            (Self::Values(values), Value::Integer(integer)) if values.is_empty() => {
                *self = Self::Integers(vec![integer]);
            }
            (Self::Values(values), Value::Float(float)) if values.is_empty() => *self = Self::Floats(vec![float]),
            (Self::Values(values), value) => values.push(value),
            (Self::Integers(integers), Value::Integer(integer)) => integers.push(integer),
            (Self::Floats(floats), Value::Float(float)) => floats.push(float),
            (Self::Floats(floats), Value::Integer(integer)) => floats.push(rounded(integer)),
            (Self::Integers(integers), Value::Float(float)) => {
                let mut floats: Vec<_> = integers.iter().copied().map(rounded).collect();
                floats.push(float);
                *self = Self::Floats(floats);
            }
            (_, value) => {
                let mut values = std::mem::replace(self, Self::new()).into_values();
                values.push(value);
                *self = Self::Values(values);
            }
        }
    }

    fn into_values(self) -> Vec<Value<'a>> {
        match self {
            Self::Values(values) => values,
            Self::Integers(integers) => integers.into_iter().map(Value::Integer).collect(),
            Self::Floats(floats) => floats.into_iter().map(Value::Float).collect(),
        }
    }

    pub(crate) fn finish(self) -> Value<'a> {
        match self {
            Self::Values(values) if values.is_empty() => Value::Integers(Vec::new()),
            Self::Values(values) => Value::Array(values),
            Self::Integers(integers) => Value::Integers(integers),
            Self::Floats(floats) => Value::Floats(floats),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(values: Vec<Value<'static>>) -> Value<'static> {
        let mut elements = Elements::new();
        for value in values {
            elements.push(value);
        }
        elements.finish()
    }

    #[test]
    fn arrays_stay_numbers_while_they_can() {
        let (one, half) = (Value::Integer(1), Value::Float(0.5));
        assert_eq!(gathered(vec![one.clone(), one.clone()]), Value::Integers(vec![1, 1]));
        assert_eq!(gathered(vec![one.clone(), half.clone(), one.clone()]), Value::Floats(vec![1.0, 0.5, 1.0]));
        let mixed = gathered(vec![one.clone(), Value::Null, half.clone()]);
        assert_eq!(mixed, Value::Array(vec![one, Value::Null, half]));
        assert_eq!(gathered(vec![]).elements().unwrap(), []);
    }
}
