//! Arrays of numbers as they lie in a UBJSON file: big-endian, of one type.

use super::{narrowed, rounded};

/// The type of an array's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    I8,
    U8,
    I16,
    I32,
    I64,
    F32,
    F64,
}

/// Numbers that are read when they are wanted: most arrays of a model file never are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Packed<'a> {
    pub(crate) kind: Kind,
    /// A whole number of numbers.
    pub(crate) bytes: &'a [u8],
}

impl Kind {
    /// The type that a marker of UBJSON stands for; only types whose numbers take bytes, so that a count never asks for
    /// more memory than there is file.
    pub(crate) fn of(marker: u8) -> Option<Self> {
        Some(match marker {
            b'i' => Self::I8,
            b'U' => Self::U8,
            b'I' => Self::I16,
            b'l' => Self::I32,
            b'L' => Self::I64,
            b'd' => Self::F32,
            b'D' => Self::F64,
            _ => return None,
        })
    }

    /// Whether the numbers are whole.
    pub(crate) fn is_whole(self) -> bool {
        !matches!(self, Self::F32 | Self::F64)
    }

    /// What a number takes.
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }
}

impl Packed<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The numbers, where they are whole by their type.
    pub(crate) fn integers(&self) -> Option<Vec<i64>> {
        Some(match self.kind {
            Kind::I8 => self.numbers(|bytes| i8::from_be_bytes(bytes).into()),
            Kind::U8 => self.numbers(|bytes| u8::from_be_bytes(bytes).into()),
            Kind::I16 => self.numbers(|bytes| i16::from_be_bytes(bytes).into()),
            Kind::I32 => self.numbers(|bytes| i32::from_be_bytes(bytes).into()),
            Kind::I64 => self.numbers(i64::from_be_bytes),
            Kind::F32 | Kind::F64 => return None,
        })
    }

    pub(crate) fn floats(&self) -> Vec<f32> {
        match self.kind {
            Kind::F32 => self.numbers(f32::from_be_bytes),
            Kind::F64 => self.numbers(|bytes| narrowed(f64::from_be_bytes(bytes))),
            _ => self.integers().unwrap_or_default().into_iter().map(rounded).collect(),
        }
    }

    fn numbers<const N: usize, T>(&self, number: impl Fn([u8; N]) -> T) -> Vec<T> {
        self.bytes.as_chunks().0.iter().map(|&bytes| number(bytes)).collect()
    }
}
