//! Rows of numbers as the fixtures keep them.

use ndarray::Array2;
use serde_json::Value;

/// Rows of comma-separated cells; an empty one is missing.
#[must_use]
pub fn parse(text: &str) -> Vec<Vec<f32>> {
    let cell = |cell: &str| if cell.is_empty() { f32::NAN } else { cell.parse().unwrap() };
    text.lines().map(|line| line.split(',').map(cell).collect()).collect()
}

/// Numbers of JSON, however they are nested; those that JSON lacks are texts.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the fixtures keep f32 as exact f64")]
pub fn numbers(values: &[Value]) -> Vec<f32> {
    let number = |value: &Value| match value {
        Value::Array(values) => numbers(values),
        Value::String(text) => vec![text.parse().unwrap()],
        value => vec![value.as_f64().unwrap() as f32],
    };
    values.iter().flat_map(number).collect()
}

/// The rows as one matrix.
#[must_use]
pub fn matrix(rows: &[Vec<f32>]) -> Array2<f32> {
    let columns = rows.first().map_or(0, Vec::len);
    Array2::from_shape_vec((rows.len(), columns), rows.concat()).unwrap()
}

/// What has to be equal for numbers to be equal to the bit.
#[must_use]
pub fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// The greatest difference, relative to the number where that is more than 1; infinite where one is not a number.
#[must_use]
pub fn worst(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let difference = |(found, expected): (&f32, &f32)| (found - expected).abs() / expected.abs().max(1.0);
    let worse = |worst: f32, next: f32| if next.is_nan() { f32::INFINITY } else { worst.max(next) };
    found.iter().zip(expected).map(difference).fold(0.0, worse)
}
