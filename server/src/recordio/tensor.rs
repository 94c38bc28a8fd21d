//! The numbers of one record, read where they lie.

use super::wire::{Broken, Coding, Content, Fields};

/// The feature that is the row.
const ROW: &[u8] = b"values";

/// A record's member `features`; of an entry of that, the name and the value; of a tensor, its numbers, the columns that
/// they stand in and how many columns there are.
const FEATURES: u64 = 1;
const NAME: u64 = 1;
const VALUE: u64 = 2;
const VALUES: u64 = 1;
const KEYS: u64 = 2;
const SHAPE: u64 = 3;

/// What the numbers are.
#[derive(Clone, Copy)]
enum Kind {
    Float32,
    Float64,
    Int32,
}

impl Kind {
    /// The kind that a member of a value stands for.
    fn of(member: u64) -> Option<Self> {
        match member {
            2 => Some(Self::Float32),
            3 => Some(Self::Float64),
            7 => Some(Self::Int32),
            _ => None,
        }
    }

    fn coding(self) -> Coding {
        match self {
            Self::Float32 => Coding::Fixed32,
            Self::Float64 => Coding::Fixed64,
            Self::Int32 => Coding::Varint,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the bits of a number of 32 bits are the lower ones")]
    fn value(self, bits: u64) -> f64 {
        match self {
            Self::Float32 => f32::from_bits(bits as u32).into(),
            Self::Float64 => f64::from_bits(bits),
            Self::Int32 => (bits as u32).cast_signed().into(),
        }
    }
}

/// The numbers of a row.
pub(super) struct Tensor<'a> {
    kind: Kind,
    fields: Fields<'a>,
}

/// The tensor that is a record's row, where it has one.
pub(super) fn of_record(record: &[u8]) -> Result<Option<Tensor<'_>>, Broken> {
    let mut row = None;
    for field in Fields(record) {
        if let (FEATURES, Content::Bytes(entry)) = field? {
            let (name, value) = entry_of(entry)?;
            if name == ROW {
                row = of_value(value)?;
            }
        }
    }
    Ok(row)
}

fn entry_of(entry: &[u8]) -> Result<(&[u8], &[u8]), Broken> {
    let (mut name, mut value): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields(entry) {
        match field? {
            (NAME, Content::Bytes(bytes)) => name = bytes,
            (VALUE, Content::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok((name, value))
}

fn of_value(value: &[u8]) -> Result<Option<Tensor<'_>>, Broken> {
    let mut tensor = None;
    for field in Fields(value) {
        if let (member, Content::Bytes(bytes)) = field? {
            tensor = Kind::of(member).map(|kind| Tensor { kind, fields: Fields(bytes) });
        }
    }
    Ok(tensor)
}

impl<'a> Tensor<'a> {
    /// The numbers.
    pub(super) fn values(&self) -> impl Iterator<Item = Result<f64, Broken>> + use<'a> {
        let kind = self.kind;
        self.numbers(VALUES, kind.coding()).map(move |bits| bits.map(|bits| kind.value(bits)))
    }

    /// The columns that the numbers stand in, where the tensor is sparse.
    pub(super) fn keys(&self) -> Numbers<'a> {
        self.numbers(KEYS, Coding::Varint)
    }

    /// How many columns the tensor has, where it says so.
    pub(super) fn columns(&self) -> Result<Option<u64>, Broken> {
        self.numbers(SHAPE, Coding::Varint).next().transpose()
    }

    /// Whether it says which columns its numbers stand in, or has none.
    pub(super) fn is_sparse(&self) -> Result<bool, Broken> {
        let has_keys = self.keys().next().transpose()?.is_some();
        Ok(has_keys || self.values().next().transpose()?.is_none())
    }

    fn numbers(&self, member: u64, coding: Coding) -> Numbers<'a> {
        Numbers { fields: self.fields.clone(), member, coding, packed: &[] }
    }
}

/// The bits of a member's numbers, packed or one by one. After a broken one comes no other.
pub(super) struct Numbers<'a> {
    fields: Fields<'a>,
    member: u64,
    coding: Coding,
    packed: &'a [u8],
}

impl Iterator for Numbers<'_> {
    type Item = Result<u64, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.packed.is_empty() {
            match self.fields.next()? {
                Ok((member, Content::Bytes(packed))) if member == self.member => self.packed = packed,
                Ok((member, Content::Number(bits))) if member == self.member => return Some(Ok(bits)),
                Ok(_) => {}
                Err(broken) => return Some(Err(broken)),
            }
        }
        let number = self.coding.take(&mut self.packed);
        if number.is_err() {
            (self.fields, self.packed) = (Fields(&[]), &[]);
        }
        Some(number)
    }
}
