//! Rows that must be read and rows that must be refused; the plain reader settles everything else.

use super::*;
use crate::error::ErrorKind;

mod plain;
mod twins;

fn values(body: &str) -> Result<(usize, Vec<u32>)> {
    let mut matrix = Matrix::default();
    read(body.as_bytes(), COMMA, &mut matrix)?;
    Ok((matrix.columns, bits(&matrix.values)))
}

/// Bit patterns, with one for every NaN.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }).collect()
}

fn check(body: &str, columns: usize, expected: &[f32]) {
    assert_eq!(values(body).unwrap(), (columns, bits(expected)), "{body:?}");
}

fn check_refused(body: &str, message: &str) {
    let error = values(body).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidRows, message), "{body:?}");
}

const MISSING: f32 = f32::NAN;

#[test]
fn rows_are_read_whatever_ends_them() {
    check("0.1,0.2\n0.3,0.4", 2, &[0.1, 0.2, 0.3, 0.4]);
    check("0.1,0.2\r\n0.3,0.4\r\n", 2, &[0.1, 0.2, 0.3, 0.4]);
    check("\n 1,2 \n\n", 2, &[1.0, 2.0]);
    check("1\n2\n3", 1, &[1.0, 2.0, 3.0]);
}

#[test]
fn empty_cells_and_nans_are_missing() {
    check(",,,", 4, &[MISSING; 4]);
    check("0.1,,0.3,", 4, &[0.1, MISSING, 0.3, MISSING]);
    check("0.1,,\n,,2\r\n", 3, &[0.1, MISSING, MISSING, MISSING, MISSING, 2.0]);
    check("1,2,,\r\n", 4, &[1.0, 2.0, MISSING, MISSING]);
    check("nan,NaN,NAN,-nan", 4, &[MISSING; 4]);
    check("0.1\n\n0.3", 1, &[0.1, MISSING, 0.3]);
}

#[test]
fn cells_are_python_floats() {
    check("1e3,1E-2,5,1_000", 4, &[1000.0, 0.01, 5.0, 1000.0]);
    check("+1,-2,.5,5.", 4, &[1.0, -2.0, 0.5, 5.0]);
    check(" 1 , 2\t,3 ,-0", 4, &[1.0, 2.0, 3.0, -0.0]);
    check("1,000,3,4", 4, &[1.0, 0.0, 3.0, 4.0]);
    check("3.4028235e38,1e-46,1e-45,-1e-46", 4, &[f32::MAX, 0.0, 1e-45, -0.0]);
    check("000000000000000000000001,123456789012345678901234567890", 2, &[1.0, 1.234_567_9e29]);
}

#[test]
fn numbers_are_rounded_to_a_double_first() {
    // The decimal lies just above the middle of two floats; as a double it is the middle, which rounds to even.
    check("1.00000005960464477540,1.0000000596046448,1.000000059604645", 3, &[1.0, 1.0, 1.000_000_1]);
    assert_eq!("1.00000005960464477540".parse(), Ok(1.000_000_1_f32), "rounding once differs");
}

#[test]
fn what_is_no_number_is_named_with_its_place() {
    check_refused("a,b", "row 1, column 1: could not convert string to float: 'a'");
    check_refused("1,2\n3,x y", "row 2, column 2: could not convert string to float: 'x y'");
    for cell in ["NA", "null", "0x10", "1d5", "1e", "True", "\u{feff}1", "_1", "1_", "1__0", "1._5", "-", ".", "+-1"] {
        check_refused(
            &format!("1,{cell}"),
            &format!("row 1, column 2: could not convert string to float: '{}'", cell.escape_debug()),
        );
    }
    check_refused("1, ,3", "row 1, column 2: could not convert string to float: ' '");
    check_refused("\"1\",2", "row 1, column 1: could not convert string to float: '\\\"1\\\"'");
    let long = "x".repeat(40);
    check_refused(&long, &format!("row 1, column 1: could not convert string to float: '{}…'", "x".repeat(32)));
    check_refused(" \r\n", "the body holds white space and no rows");
}

#[test]
fn an_empty_cell_before_a_carriage_return_is_refused() {
    let why = "where an empty cell ends the line, expected nan or lines that end in LF alone";
    for (body, place) in [("1,\r\n1,2", "row 1, column 2"), ("1,2\n\r\n1,2", "row 2, column 1")] {
        check_refused(body, &format!("{place}, {why}: could not convert string to float: '\\r'"));
    }
}

/// What the rows are where the first line tells the delimiter.
fn sniffed(body: &str, beyond_aws: bool) -> Result<(usize, Vec<u32>)> {
    let mut matrix = Matrix::default();
    read_for(body.as_bytes(), Columns::default(), beyond_aws, &mut matrix)?;
    Ok((matrix.columns, bits(&matrix.values)))
}

#[test]
fn the_first_line_tells_the_delimiter_of_all() {
    let rows = (2, bits(&[0.1, 0.2, 3.0, 4.0]));
    for body in ["0.1\t0.2\n3\t4", "0.1 0.2\n3 4", "0.1;0.2\n3;4", "0.1:0.2\n3:4", "0.1, 0.2\n3, 4", "0.1,0.2\n3,4"] {
        assert_eq!(sniffed(body, false).unwrap(), rows, "{body:?}");
        assert_eq!(sniffed(body, true).unwrap(), rows, "{body:?}");
    }
    assert_eq!(sniffed("1|2|3|4", false).unwrap(), (4, bits(&[1.0, 2.0, 3.0, 4.0])));
    assert_eq!(sniffed("\t0.2\t0.3", false).unwrap(), (2, bits(&[0.2, 0.3])));
    assert!(sniffed("0.1|0.2|0.3|0.4", true).is_err());
    assert!(sniffed("1,2\n3;4", true).is_err());
}

#[test]
fn a_column_of_signed_numbers_is_split_by_aws_alone() {
    assert_eq!(sniffed("-1e-05\n2", true).unwrap(), (1, bits(&[-1e-05, 2.0])));
    assert_eq!(sniffed("\u{ff11}\n2", true).unwrap(), (1, bits(&[1.0, 2.0])));
    let refused = |body| sniffed(body, false).unwrap_err().to_string();
    assert_eq!(refused("-1e-05\n2"), "row 1, column 2: could not convert string to float: '1e'");
    assert_eq!(refused("\u{ff11}\n2"), "row 1: Could not determine delimiter");
}

#[test]
fn infinite_cells_are_refused() {
    for cell in ["inf", "-inf", "Infinity", "1e39", "-3.4028236e38", "9e999"] {
        check_refused(
            &format!("0,{cell}"),
            &format!("row 1, column 2: '{cell}' is infinite or too large, expected a 32-bit float"),
        );
    }
}

#[test]
fn ragged_rows_name_both_counts() {
    check_refused("1,2,3\n1,2\n", "row 2 has 2 columns, expected 3 as in row 1");
    check_refused("1,2\n\n1,2", "row 2 has 1 columns, expected 2 as in row 1");
    check_refused("1\n1,2", "row 2 has 2 columns, expected 1 as in row 1");
}

#[test]
fn an_empty_body_is_an_error_of_its_own() {
    assert_eq!(values("").unwrap_err().kind(), ErrorKind::EmptyBody);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut matrix = Matrix::default();
    let error = read(b"1,\xff\xfe", COMMA, &mut matrix).unwrap_err();
    assert_eq!(error.to_string(), "row 1, column 2: could not convert string to float: '\u{fffd}\u{fffd}'");
}

#[test]
fn a_used_buffer_is_read_into_again() {
    let mut matrix = Matrix::default();
    read(b"1,2,3\n4,5,6", COMMA, &mut matrix).unwrap();
    let capacity = matrix.values.capacity();
    assert!(read(b"7,8\n9", COMMA, &mut matrix).is_err());
    read(b"7,8", COMMA, &mut matrix).unwrap();
    assert_eq!((matrix.columns, &matrix.values[..], matrix.values.capacity()), (2, &[7.0, 8.0][..], capacity));
}
