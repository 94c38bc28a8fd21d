//! Rows that must be read, and bodies that must be refused.

use super::*;
use crate::error::ErrorKind;

const MISSING: f32 = f32::NAN;

fn outcome(body: &str, columns: Columns<'_>, first_index: FirstIndex) -> Result<(usize, Vec<u32>)> {
    let mut matrix = Matrix::default();
    read(body.as_bytes(), columns, first_index, &mut matrix)?;
    Ok((matrix.columns, bits(&matrix.values)))
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }).collect()
}

fn check(body: &str, expected: &[f32]) {
    let four = Columns::new(4, "{}");
    assert_eq!(outcome(body, four, FirstIndex::Zero).unwrap(), (4, bits(expected)), "{body:?}");
}

fn check_refused(body: &str, kind: ErrorKind, message: &str) {
    let error = outcome(body, Columns::new(4, "{}"), FirstIndex::Zero).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, message), "{body:?}");
}

#[test]
fn pairs_stand_for_columns_and_other_words_for_nothing() {
    for body in ["0:0.1 1:0.2 2:0.3 3:0.4", "1 0:0.1 1:0.2 2:0.3 3:0.4 # x\n", "3:0.4 1:0.2 2:0.3  0:0.1\r\n"] {
        check(body, &[0.1, 0.2, 0.3, 0.4]);
    }
    check("0:0 3:nan", &[0.0, MISSING, MISSING, MISSING]);
    check("0:1:2 3:1", &[1.0, MISSING, MISSING, 1.0]);
    check("0:1 3:1\r\n0:2 3:2", &[1.0, MISSING, MISSING, 1.0, 2.0, MISSING, MISSING, 2.0]);
    check("+0:1_0 ０1:.5", &[10.0, 0.5, MISSING, MISSING]);
}

#[test]
fn features_that_come_again_are_summed_as_doubles() {
    check("0:0.1 3:1 0:0.2", &[0.3, MISSING, MISSING, 1.0]);
    check("1:16777216 1:1 1:1", &[MISSING, 16_777_218.0, MISSING, MISSING]);
    check("1:1 1:nan", &[MISSING; 4]);
}

#[test]
fn rows_without_features_count_up_to_the_last_with_one() {
    check("0:1\n\n7\n3:1", &[&[1.0], &[MISSING; 14][..], &[1.0]].concat());
    check("7\n0:1\n\n7\n7 8", &[&[MISSING; 4][..], &[1.0], &[MISSING; 3]].concat());
}

#[test]
fn the_first_index_may_be_told_by_the_request() {
    let auto = |body| outcome(body, Columns::new(2, "{}"), FirstIndex::Auto).unwrap().1;
    assert_eq!(auto("1:1 2:2\n2:3"), bits(&[1.0, 2.0, MISSING, 3.0]));
    assert_eq!(auto("1:1\n0:3"), bits(&[MISSING, 1.0, 3.0, MISSING]));
    let error = outcome("1:1 3:3", Columns::new(2, "{}"), FirstIndex::Auto).unwrap_err().to_string();
    assert_eq!(error, "row 1, word 2: index 3 is beyond the model's 2 features, which have indices 1 to 2");
}

#[test]
fn rows_are_as_wide_as_the_largest_index_where_the_model_takes_any() {
    let any = |body, first| outcome(body, Columns::default(), first).unwrap();
    assert_eq!(any("0:1\n2:2", FirstIndex::Zero), (3, bits(&[1.0, MISSING, MISSING, MISSING, MISSING, 2.0])));
    assert_eq!(any("1:1\n2:2", FirstIndex::Auto), (2, bits(&[1.0, MISSING, MISSING, 2.0])));
}

#[test]
fn an_index_that_the_model_lacks_takes_no_memory() {
    let message = "row 1, word 2: index 4000000000 is beyond the model's 4 features, which have indices 0 to 3";
    check_refused("0:1 4000000000:1", ErrorKind::UnfitRows, message);
    let mut matrix = Matrix::default();
    for index in ["4000000000", "9223372036854775807"] {
        let body = format!("0:1 {index}:1");
        for first_index in [FirstIndex::Zero, FirstIndex::Auto] {
            let error = read(body.as_bytes(), Columns::default(), first_index, &mut matrix).unwrap_err();
            assert_eq!((error.kind(), matrix.values.capacity()), (ErrorKind::UnfitRows, 0));
        }
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    use ErrorKind::InvalidRows;
    let index = |place: &str, found: &str| {
        format!("{place}: '{found}' is no index, expected an integer from 0 on, and single spaces between words")
    };
    check_refused("1 qid:3 0:1", InvalidRows, &index("row 1, word 2", "qid"));
    check_refused("0:1\n1 -1:1", InvalidRows, &index("row 2, word 2", "-1"));
    check_refused("1.0:2 3:1", InvalidRows, &index("row 1, word 1", "1.0"));
    check_refused(":2", InvalidRows, &index("row 1, word 1", ""));
    check_refused("9223372036854775808:1", InvalidRows, &index("row 1, word 1", "9223372036854775808"));
    let float = "could not convert string to float:";
    check_refused("0:0.1\t1:0.2", InvalidRows, &format!("row 1, word 1: {float} '0.1\\t1'"));
    check_refused("0:", InvalidRows, &format!("row 1, word 1: {float} ''"));
    check_refused(
        "0:1e300 1:1",
        InvalidRows,
        "row 1, word 1: '1e300' is infinite or too large, expected a 32-bit float",
    );
    for body in ["0 ", "1,2,3,4", " \n"] {
        check_refused(body, InvalidRows, "no row has a feature, expected words such as 0:1.5");
    }
    check_refused("", ErrorKind::EmptyBody, "the body is empty");
    let error = read(b"0:1 \xff", Columns::default(), FirstIndex::Zero, &mut Matrix::default()).unwrap_err();
    assert_eq!(error.to_string(), "byte 5: the body is no text in UTF-8");
}
