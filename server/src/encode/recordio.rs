//! `RecordIO` frames around `aialgs.data.Record` messages of Protocol Buffers, as SageMaker's own algorithms answer.
//!
//! A frame is a mark, a length and a payload, padded to a multiple of four bytes. The payload has its answers in the map
//! `label`, each a tensor of `f32`. All lengths are known before a byte is written, so nothing is copied.

use super::row::Rows;

/// The label under which a record has a row's answer.
const SCORE: &str = "score";

/// What every frame begins with.
const MARK: u32 = 0xCED7_230A;

/// Fields by number and kind, as they stand before their content.
const RECORD_LABEL: u8 = 2 << 3 | LENGTH_DELIMITED;
const ENTRY_KEY: u8 = 1 << 3 | LENGTH_DELIMITED;
const ENTRY_VALUE: u8 = 2 << 3 | LENGTH_DELIMITED;
const VALUE_FLOAT32_TENSOR: u8 = 2 << 3 | LENGTH_DELIMITED;
const TENSOR_VALUES: u8 = 1 << 3 | LENGTH_DELIMITED;
const TENSOR_SHAPE: u8 = 3 << 3 | LENGTH_DELIMITED;
const LENGTH_DELIMITED: u8 = 2;

/// Numbers, and the shape they have when it is more than a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tensor<'a> {
    pub(super) values: &'a [f32],
    pub(super) shape: Option<[usize; 2]>,
}

/// Appends a record for each row.
pub(super) fn push_scores(out: &mut Vec<u8>, rows: Rows<'_>) {
    for row in rows.iter() {
        push_record(out, &[(SCORE, Tensor { values: row.values, shape: row.shape() })]);
    }
}

/// Appends a frame with one record that has these labels.
pub(super) fn push_record(out: &mut Vec<u8>, labels: &[(&str, Tensor<'_>)]) {
    let start = out.len();
    out.extend_from_slice(&MARK.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    for (key, tensor) in labels {
        push_label(out, key, *tensor);
    }
    let payload = out.len() - start - 8;
    let length = u32::try_from(payload).expect("an answer's row is far below 4 GiB");
    out[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    out.resize(start + 8 + payload.next_multiple_of(4), 0);
}

fn push_label(out: &mut Vec<u8>, key: &str, tensor: Tensor<'_>) {
    let tensor_bytes = tensor.bytes();
    let value_bytes = field_bytes(tensor_bytes);
    push_head(out, RECORD_LABEL, field_bytes(key.len()) + field_bytes(value_bytes));
    push_head(out, ENTRY_KEY, key.len());
    out.extend_from_slice(key.as_bytes());
    push_head(out, ENTRY_VALUE, value_bytes);
    push_head(out, VALUE_FLOAT32_TENSOR, tensor_bytes);
    tensor.push(out);
}

impl Tensor<'_> {
    fn bytes(self) -> usize {
        let shape = self.shape.map_or(0, |shape| field_bytes(varints_bytes(shape)));
        field_bytes(size_of_val(self.values)) + shape
    }

    fn push(self, out: &mut Vec<u8>) {
        push_head(out, TENSOR_VALUES, size_of_val(self.values));
        for value in self.values {
            out.extend_from_slice(&value.to_le_bytes());
        }
        if let Some(shape) = self.shape {
            push_head(out, TENSOR_SHAPE, varints_bytes(shape));
            for length in shape {
                push_varint(out, length);
            }
        }
    }
}

/// Appends what stands before a field's content.
fn push_head(out: &mut Vec<u8>, tag: u8, content_bytes: usize) {
    out.push(tag);
    push_varint(out, content_bytes);
}

/// What a field takes with its head.
fn field_bytes(content_bytes: usize) -> usize {
    1 + varint_bytes(content_bytes) + content_bytes
}

fn varints_bytes(numbers: [usize; 2]) -> usize {
    numbers.into_iter().map(varint_bytes).sum()
}

fn varint_bytes(number: usize) -> usize {
    let bits = usize::BITS - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Seven bits a byte, the lowest first; the top bit says that another follows.
fn push_varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(labels: &[(&str, Tensor<'_>)]) -> Vec<u8> {
        let mut out = Vec::new();
        push_record(&mut out, labels);
        out
    }

    #[test]
    fn a_record_has_its_numbers_under_a_label() {
        let tensor = Tensor { values: &[0.5, -2.0], shape: None };
        let expected = b"\n#\xd7\xce\x17\0\0\0\x12\x15\n\x05score\x12\x0c\x12\n\n\x08\0\0\0\x3f\0\0\0\xc0\0";
        assert_eq!(record(&[("score", tensor)]), expected);
    }

    #[test]
    fn a_matrix_says_its_shape() {
        let tensor = Tensor { values: &[1.0; 4], shape: Some([2, 2]) };
        let bytes = record(&[("s", tensor)]);
        assert!(bytes.windows(4).any(|window| window == b"\x1a\x02\x02\x02"));
        assert_eq!(bytes.len() % 4, 0);
    }

    #[test]
    fn lengths_of_every_size_are_counted_as_they_are_written() {
        for number in [0, 1, 127, 128, 16_383, 16_384, usize::MAX] {
            let mut out = Vec::new();
            push_varint(&mut out, number);
            assert_eq!(out.len(), varint_bytes(number), "{number}");
        }
        for count in [0, 1, 31, 32, 5000] {
            let values = vec![1.0; count];
            let bytes = record(&[("score", Tensor { values: &values, shape: None })]);
            let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
            assert_eq!(bytes.len(), 8 + length.next_multiple_of(4), "{count}");
        }
    }
}
