//! Rows in every shape, and texts that are none.

use super::*;
use crate::error::ErrorKind;

const NAMED: &str = r#"{"feature_names": ["sqft", "beds", "a b"]}"#;
const MISSING: f32 = f32::NAN;

type Read = fn(&[u8], Columns<'_>, &mut Matrix) -> Result<()>;

fn outcome(read: Read, body: &str) -> Result<(usize, Vec<u32>)> {
    let mut matrix = Matrix::default();
    read(body.as_bytes(), Columns::new(3, NAMED), &mut matrix)?;
    Ok((matrix.columns, bits(&matrix.values)))
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }).collect()
}

fn check(reader: Read, body: &str, columns: usize, expected: &[f32]) {
    assert_eq!(outcome(reader, body).unwrap(), (columns, bits(expected)), "{body}");
}

fn check_refused(reader: Read, body: &str, message: &str) {
    let error = outcome(reader, body).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidRows, message), "{body}");
}

#[test]
fn one_text_holds_rows_in_every_shape() {
    let rows = [1.0, MISSING, 3.5, -4.0, 5e-3, MISSING];
    for body in [
        "[[1, null, 3.5], [-4, 5e-3, NaN]]",
        " {\"instances\" : [[1,null,3.5],[-4.0,0.005,null]] }\n",
        r#"{"instances": [{"features": [1, null, 3.5]}, {"features": [-4, 5E-3, null]}]}"#,
        r#"{"instances": [{"a b": 3.5, "sqft": 1}, [-4, 0.005, null]]}"#,
        r#"[{"sqft": 1, "beds": null, "a\u0020b": 3.5}, {"beds": 0.005, "sqft": -4}]"#,
    ] {
        check(read, body, 3, &rows);
    }
    check(read, "[1, 2]", 2, &[1.0, 2.0]);
    check(read, r#"{"features": [1, 2]}"#, 2, &[1.0, 2.0]);
    check(read, r#"{"beds": 2}"#, 3, &[MISSING, 2.0, MISSING]);
    check(read, "{}", 3, &[MISSING; 3]);
}

#[test]
fn lines_hold_a_row_each() {
    let body = "[1, null, 3.5]\r\n {\"features\": [1, 2, 3]} \n{\"beds\": 2}\n\n";
    check(read_lines, body, 3, &[1.0, MISSING, 3.5, 1.0, 2.0, 3.0, MISSING, 2.0, MISSING]);
    check_refused(read_lines, "[1]\n\n[2]", "byte 5: expected row 2, an array or an object, found the end");
    check_refused(read_lines, "[1,\n2]", "byte 4: expected row 1, column 2, a number or null, found the end");
    check_refused(read_lines, "[1] [2]", "byte 5: expected nothing more, found '[2]'");
    check_refused(read_lines, "[[1]]", "byte 2: expected row 1, column 1, a number or null, found '[1]]'");
    check_refused(read_lines, " \n", "byte 1: expected row 1, an array or an object, found the end");
}

#[test]
fn numbers_are_rounded_to_a_double_first() {
    check(
        read,
        "[1.00000005960464477540, 1.000000059604645, 3.4028235e38, 1e-46]",
        4,
        &[1.0, 1.000_000_1, f32::MAX, 0.0],
    );
}

#[test]
fn what_is_no_number_is_told_with_its_place() {
    for (text, found) in
        [("true", "true]"), ("\"1\"", "\\\"1\\\"]"), ("01", "01]"), ("{}", "{}]"), ("nan", "nan]"), ("+1", "+1]")]
    {
        check_refused(
            read,
            &format!("[[1], [{text}]"),
            &format!("byte 8: expected row 2, column 1, a number or null, found '{found}'"),
        );
    }
    for text in ["Infinity", "-Infinity", "1e39", "-1e999"] {
        let message = format!("row 1, column 2: '{text}' is infinite or too large, expected a 32-bit float");
        check_refused(read, &format!("[1, {text}]"), &message);
    }
}

#[test]
fn what_is_no_text_is_told_with_its_byte() {
    for (body, message) in [
        ("[[1, 2}", "byte 7: expected ',' or ']', found '}'"),
        ("[[1] [2]]", "byte 6: expected ',' or ']', found '[2]]'"),
        ("[1, 2", "byte 6: expected ',' or ']', found the end"),
        ("[1,]", "byte 4: expected row 1, column 2, a number or null, found ']'"),
        ("[1] x", "byte 5: expected nothing more, found 'x'"),
        ("7", "byte 1: expected row 1, an array or an object, found '7'"),
        (" ", "byte 2: expected row 1, an array or an object, found the end"),
        ("[]", "row 1 has no numbers"),
        ("[[]]", "row 1 has no numbers"),
        (r#"{"instances": []}"#, "there are no rows"),
        (r#"{"instances": 3}"#, "byte 15: expected '[', found '3}'"),
        (r#"{"instances": [[1]], "more": 1}"#, "byte 20: expected '}', found ', \\\"more\\\": 1}'"),
        (r#"{"sqft" 1}"#, "byte 9: expected ':', found '1}'"),
        (r#"{"sqft": 1,}"#, "byte 12: expected a name in quotes, found '}'"),
        (r#"{"sqft"#, "byte 2: expected a name in quotes, found '\\\"sqft'"),
        (r#"{"sqft\"#, "byte 2: expected a name in quotes, found '\\\"sqft\\\\'"),
        ("[[1, 2], [3]]", "row 2 has 1 columns, expected 2 as in row 1"),
    ] {
        check_refused(read, body, message);
    }
    assert_eq!(outcome(read, "").unwrap_err().kind(), ErrorKind::EmptyBody);
}

#[test]
fn names_are_the_models() {
    check_refused(read, r#"[{"sqft": 1, "pool": 2}]"#, "row 1: 'pool' is no feature of the model");
    check_refused(read, r#"[{"sqft": 1, "sqft": 2}]"#, "row 1: 'sqft' is named a second time");
    check_refused(read, r#"[{"sqft": [1]}]"#, "byte 11: expected row 1, 'sqft', a number or null, found '[1]}]'");
    check_refused(read, r#"[[1, 2], {"sqft": 1}]"#, "row 2 has 3 columns, expected 2 as in row 1");
    let error = read(br#"{"sqft": 1}"#, Columns::new(3, "{}"), &mut Matrix::default()).unwrap_err().to_string();
    assert!(
        error.starts_with("row 1: the model does not know the names of its features, expected an array"),
        "{error}"
    );
}

#[test]
fn nesting_costs_nothing() {
    for deep in ["[".repeat(1 << 20), "{\"instances\":".repeat(1 << 16), "{\"features\":".repeat(1 << 16)] {
        assert!(outcome(read, &deep).is_err());
        assert!(outcome(read_lines, &deep).is_err());
    }
}
