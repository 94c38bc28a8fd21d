//! Records as AWS's own tests have them, and records that are none.

use super::*;
use crate::error::ErrorKind;

const INTEGERS: &[u8] = b"\n#\xd7\xce\x13\x00\x00\x00\n\x11\n\x06values\x12\x07:\x05\n\x03*\x06\t\x00";
const DOUBLES: &[u8] =
    b"\n#\xd7\xce(\x00\x00\x00\n&\n\x06values\x12\x1c\x1a\x1a\n\x18\x00\x00\x00\x00\x00\x00E@\x00\x00\
    \x00\x00\x00\x00\x18@\x00\x00\x00\x00\x00\x00\"@";
const SPARSE: &[u8] =
    b"\n#\xd7\xce\x19\x00\x00\x00\n\x17\n\x06values\x12\r:\x0b\n\x02\x01\x01\x12\x02\x00\x05\x1a\x01\x06\
    \x00\x00\x00";

const MISSING: f32 = f32::NAN;

/// A field of a message: its number, and bytes as what it holds.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// A frame whose record has this tensor of that kind.
fn frame(kind: u8, tensor: &[u8]) -> Vec<u8> {
    let record = field(1, &[field(1, b"values"), field(2, &field(kind, tensor))].concat());
    let length = u32::try_from(record.len()).unwrap();
    let mut frame = [&super::frame::MAGIC.to_le_bytes()[..], &length.to_le_bytes(), &record].concat();
    frame.resize(frame.len().next_multiple_of(4), 0);
    frame
}

fn floats(values: &[f32]) -> Vec<u8> {
    field(1, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
}

fn outcome(body: &[u8], columns: Columns<'_>) -> Result<(usize, Vec<u32>)> {
    let mut matrix = Matrix::default();
    read(body, columns, &mut matrix)?;
    Ok((matrix.columns, bits(&matrix.values)))
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }).collect()
}

fn check(body: &[u8], columns: Columns<'_>, width: usize, expected: &[f32]) {
    assert_eq!(outcome(body, columns).unwrap(), (width, bits(expected)), "{body:?}");
}

fn check_refused(body: &[u8], kind: ErrorKind, message: &str) {
    let error = outcome(body, Columns::new(6, "{}")).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, message), "{body:?}");
}

#[test]
fn aws_own_records_are_read() {
    let any = Columns::default();
    check(INTEGERS, any, 3, &[42.0, 6.0, 9.0]);
    check(DOUBLES, any, 3, &[42.0, 6.0, 9.0]);
    let sparse = [1.0, MISSING, MISSING, MISSING, MISSING, 1.0];
    check(SPARSE, any, 6, &sparse);
    check(SPARSE, Columns::new(6, "{}"), 6, &sparse);
    check(SPARSE, Columns::new(8, "{}"), 8, &[&sparse[..], &[MISSING, MISSING]].concat());
    check(&[INTEGERS, DOUBLES, b"\n#\xd7\xce"].concat(), any, 3, &[42.0, 6.0, 9.0, 42.0, 6.0, 9.0]);
}

#[test]
fn every_kind_of_number_is_read() {
    let any = Columns::default();
    check(&frame(2, &floats(&[0.1, MISSING, -0.0])), any, 3, &[0.1, MISSING, -0.0]);
    let unpacked = [&[1 << 3 | 5][..], &0.5_f32.to_le_bytes(), &[1 << 3 | 5], &2.5_f32.to_le_bytes()].concat();
    check(&frame(2, &unpacked), any, 2, &[0.5, 2.5]);
    let minus_one = [&[0xff; 9][..], &[1]].concat();
    check(&frame(7, &field(1, &minus_one)), any, 1, &[-1.0]);
    check(&frame(3, &field(1, &1.000_000_059_604_644_8_f64.to_le_bytes())), any, 1, &[1.0]);
}

#[test]
fn rows_without_numbers_are_missing_altogether() {
    let empty = frame(2, &field(3, &[2]));
    check(&empty, Columns::default(), 2, &[MISSING, MISSING]);
    check(&frame(2, &[]), Columns::new(1, "{}"), 1, &[MISSING]);
    check(&[empty, frame(2, &floats(&[1.0, 2.0]))].concat(), Columns::default(), 2, &[MISSING, MISSING, 1.0, 2.0]);
}

#[test]
fn what_is_no_frame_is_told_with_its_offset() {
    use ErrorKind::InvalidRows;
    check_refused(b"", ErrorKind::EmptyBody, "the body is empty");
    check_refused(b"\n#\xd7", InvalidRows, "No records found in RecordIO-Protobuf data");
    check_refused(b"1,2,3,4\n", InvalidRows, "Invalid RecordIO magic at offset 0");
    check_refused(&[INTEGERS, b"1,2,3,4\n"].concat(), InvalidRows, "Invalid RecordIO magic at offset 28");
    let cut = "Truncated record at offset 8: expected 20 bytes, found 19";
    check_refused(&INTEGERS[..27], InvalidRows, cut);
    let huge = b"\n#\xd7\xce\xff\xff\xff\xff";
    check_refused(huge, InvalidRows, "Truncated record at offset 8: expected 4294967296 bytes, found 0");
}

#[test]
fn what_is_no_row_is_told_with_its_record() {
    use ErrorKind::{InvalidRows, UnfitRows};
    let keys = |keys: &[u8], values: &[f32], shape: &[u8]| {
        frame(2, &[floats(values), field(2, keys), field(3, shape)].concat())
    };
    let check = |body: &[u8], kind, message: &str| check_refused(body, kind, &format!("record 1 at offset 8{message}"));
    check(
        b"\n#\xd7\xce\x00\x00\x00\x00",
        InvalidRows,
        ": expected a feature 'values' with a tensor of float32, float64 or int32",
    );
    check(
        b"\n#\xd7\xce\x02\x00\x00\x00\n\x09\x00\x00",
        InvalidRows,
        ": expected a protobuf message that is not cut off",
    );
    check(&frame(2, &field(1, b"abc")), InvalidRows, ": expected a protobuf number that is not cut off");
    check(&keys(&[0, 1], &[1.0], &[]), InvalidRows, ": expected as many values as keys");
    check(&keys(&[0], &[1.0, 2.0], &[]), InvalidRows, ": expected as many keys as values");
    check(&keys(&[2], &[1.0], &[2]), InvalidRows, ": expected keys below the tensor's shape");
    check(&keys(&[6], &[1.0], &[]), UnfitRows, " has 7 columns, and rows here have 6");
    check(&keys(&[1], &[1.0], &[7]), UnfitRows, " has 7 columns, and rows here have 6");
    let largest = [&[0xff; 9][..], &[1]].concat();
    check(&keys(&largest, &[1.0], &[]), UnfitRows, " has 18446744073709551615 columns, and rows here have 6");
    check(&keys(&[1], &[1.0], &largest), UnfitRows, " has 18446744073709551615 columns, and rows here have 6");
    let infinite = ", value 2: 'inf' is infinite or too large, expected a 32-bit float";
    check(&frame(2, &floats(&[1.0, f32::INFINITY])), InvalidRows, infinite);
    let ragged = "row 2 has 1 columns, expected 2 as in row 1";
    check_refused(&[frame(2, &floats(&[1.0, 2.0])), frame(2, &floats(&[1.0]))].concat(), InvalidRows, ragged);
}

#[test]
fn a_width_that_nobody_can_have_takes_no_memory() {
    let huge = [&[0x80; 9][..], &[1]].concat();
    let mut matrix = Matrix::default();
    for tensor in [field(3, &huge), [floats(&[1.0]), field(2, &huge)].concat()] {
        let error = read(&frame(2, &tensor), Columns::default(), &mut matrix).unwrap_err();
        assert_eq!((error.kind(), matrix.values.capacity()), (ErrorKind::UnfitRows, 0));
    }
}
