//! Counts what an ONNX file would take in memory before it is decoded.
//!
//! A protocol buffer can hold a message in two bytes that takes hundreds once decoded. A walk over the fields adds up
//! the sizes of what they would become and refuses a file that would grow too much.

use super::proto::{
    AttributeProto, Dimension, GraphProto, MapType, ModelProto, NodeProto, OperatorSetIdProto, SequenceType,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorType, TypeProto, ValueInfoProto,
};
use crate::cursor::Cursor;
use crate::error::{Error, Result};

/// How many bytes of memory a byte of the file may take; decoding may reserve up to twice as much.
const GROWTH_MAX: usize = 32;

/// What every file may take beyond that.
const BYTES_MIN: usize = 4096;

/// The deepest nesting of messages, which is also prost's limit.
const DEPTH_MAX: usize = 100;

/// The messages of `onnx.proto3`, as far as they are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Model,
    OperatorSet,
    Entry,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    SequenceType,
    MapType,
    Shape,
    Dimension,
    /// Bytes, text, packed numbers, or a field that is skipped.
    Bytes,
}

impl Kind {
    /// The message that field `number` of this one holds.
    fn field(self, number: u64) -> Self {
        match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 8) => Self::OperatorSet,
            (Self::Model, 14) | (Self::Tensor, 13) => Self::Entry,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Self::Tensor,
            (Self::Graph, 11..=13) => Self::ValueInfo,
            (Self::Node, 5) => Self::Attribute,
            (Self::ValueInfo | Self::MapType, 2) | (Self::SequenceType, 1) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::Type, 4) => Self::SequenceType,
            (Self::Type, 5) => Self::MapType,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Shape, 1) => Self::Dimension,
            _ => Self::Bytes,
        }
    }

    /// What the message itself takes in memory, without its content.
    const fn size(self) -> usize {
        match self {
            Self::Model => size_of::<ModelProto>(),
            Self::OperatorSet => size_of::<OperatorSetIdProto>(),
            Self::Entry => size_of::<StringStringEntryProto>(),
            Self::Graph => size_of::<GraphProto>(),
            Self::Node => size_of::<NodeProto>(),
            Self::Attribute => size_of::<AttributeProto>(),
            Self::Tensor => size_of::<TensorProto>(),
            Self::ValueInfo => size_of::<ValueInfoProto>(),
            Self::Type => size_of::<TypeProto>(),
            Self::TensorType => size_of::<TensorType>(),
            Self::SequenceType => size_of::<SequenceType>(),
            Self::MapType => size_of::<MapType>(),
            Self::Shape => size_of::<TensorShapeProto>(),
            Self::Dimension => size_of::<Dimension>(),
            Self::Bytes => size_of::<Vec<u8>>(),
        }
    }
}

/// Refuses a file whose messages would take more than a fixed multiple of its bytes.
pub(super) fn memory(bytes: &[u8]) -> Result<()> {
    let limit = bytes.len().saturating_mul(GROWTH_MAX).saturating_add(BYTES_MIN);
    let mut taken = 0_usize;
    let mut open = vec![(Kind::Model, bytes.len())];
    let mut cursor = Cursor::new(bytes);
    while let Some(&(kind, end)) = open.last() {
        if cursor.offset() >= end {
            open.pop();
            continue;
        }
        let (field, length) = field(&mut cursor, kind)?;
        taken = taken.saturating_add(field.size()).saturating_add(if field == Kind::Bytes { length * 8 } else { 0 });
        if taken > limit || open.len() > DEPTH_MAX {
            return Err(cursor.complaint("more or deeper parts than a file of this size may have"));
        }
        let inner_end = cursor.offset() + length;
        if inner_end > end {
            return Err(
                cursor.complaint(format_args!("expected {length} bytes, {} are left", end - cursor.offset().min(end)))
            );
        }
        match field {
            Kind::Bytes => drop(cursor.take(length)?),
            _ => open.push((field, inner_end)),
        }
    }
    Ok(())
}

/// Reads a field's head: the message it holds and the bytes that follow, none for a number, which is read past.
fn field(cursor: &mut Cursor<'_>, kind: Kind) -> Result<(Kind, usize)> {
    let tag = varint(cursor)?;
    let number = match tag & 7 {
        0 => varint(cursor).map(drop),
        1 => cursor.take(8).map(drop),
        5 => cursor.take(4).map(drop),
        2 => {
            let length = varint(cursor)?;
            let length = usize::try_from(length).ok().filter(|&length| length <= cursor.remaining());
            let length = length.ok_or_else(|| cursor.complaint("a field longer than the file"))?;
            return Ok((kind.field(tag >> 3), length));
        }
        other => Err(Error::malformed(
            format_args!("offset {}", cursor.offset()),
            format_args!("wire type {other} is not known"),
        )),
    };
    number.map(|()| (Kind::Bytes, 0))
}

fn varint(cursor: &mut Cursor<'_>) -> Result<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = cursor.u8()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(cursor.complaint("a number of more than 64 bits before this"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field 7 of a model, a graph, whose content is `inner`.
    fn graph(inner: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x3a];
        prost::encoding::encode_varint(inner.len() as u64, &mut bytes);
        bytes.extend(inner);
        bytes
    }

    #[test]
    fn tiny_messages_in_great_number_are_refused() {
        let nodes = graph(&[0x0a, 0].repeat(100_000));
        assert!(memory(&nodes).is_err());
        let nodes = graph(&[0x0a, 0].repeat(10));
        assert!(memory(&nodes).is_ok());
    }

    #[test]
    fn broken_buffers_are_refused_at_their_offset() {
        assert_eq!(memory(&[0x3a, 5, 0]).unwrap_err().place(), "offset 2");
        assert_eq!(memory(&[0x3a]).unwrap_err().place(), "offset 1");
        assert_eq!(memory(&[0x0b]).unwrap_err().place(), "offset 1");
        assert_eq!(memory(&[0xff; 12]).unwrap_err().place(), "offset 10");
        assert!(memory(&[]).is_ok());
    }
}
