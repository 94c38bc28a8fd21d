//! Bytes of every form.

use super::*;

fn check(predictions: &Predictions, json: &str, csv: &str, csv_lines: &str, json_lines: &str) {
    let text = |form: Form, batch| String::from_utf8(form.write(predictions, batch)).unwrap();
    for batch in [false, true] {
        assert_eq!(text(Form::Json, batch), json);
        assert_eq!(text(Form::JsonLines, batch), json_lines);
    }
    assert_eq!(text(Form::Csv, false), csv);
    assert_eq!(text(Form::Csv, true), csv_lines);
}

#[test]
fn one_number_a_row_is_a_flat_list() {
    let predictions = Predictions { columns: 1, values: vec![0.595_436_75, 1.933_115_5] };
    let lines = "0.5954367518424988\n1.9331154823303223\n";
    check(
        &predictions,
        "[0.5954367518424988, 1.9331154823303223]",
        "0.5954367518424988,1.9331154823303223",
        lines,
        lines,
    );
    check(&Predictions { columns: 1, values: vec![0.0] }, "[0.0]", "0.0", "0.0\n", "0.0\n");
}

#[test]
fn a_matrix_keeps_its_brackets_even_in_csv() {
    let values = vec![0.829_089_7, 0.090_076_946, 0.080_833_37, 1.0, f32::NAN, f32::NEG_INFINITY];
    check(
        &Predictions { columns: 3, values },
        "[[0.8290897011756897, 0.09007694572210312, 0.08083336800336838], [1.0, NaN, -Infinity]]",
        "[0.8290897011756897, 0.09007694572210312, 0.08083336800336838],[1.0, nan, -inf]",
        "[0.8290897011756897, 0.09007694572210312, 0.08083336800336838]\n[1.0, nan, -inf]\n",
        "[0.8290897011756897, 0.09007694572210312, 0.08083336800336838]\n[1.0, NaN, -Infinity]\n",
    );
}

#[test]
fn an_answer_of_several_lists_is_nested_once_more() {
    let predictions = Predictions { columns: 4, values: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0] };
    let text = |form: Form, batch| String::from_utf8(form.write_lists(&predictions, 2, batch)).unwrap();
    let (first, second) = ("[[0.0, 1.0], [2.0, 3.0]]", "[[4.0, 5.0], [6.0, 7.0]]");
    assert_eq!(text(Form::Json, false), format!("[{first}, {second}]"));
    assert_eq!(text(Form::Csv, false), format!("{first},{second}"));
    assert_eq!(text(Form::Csv, true), format!("{first}\n{second}\n"));
    assert_eq!(text(Form::JsonLines, false), format!("{first}\n{second}\n"));
    assert_eq!(Form::Csv.write_lists(&predictions, 4, false), Form::Csv.write(&predictions, false));
}

#[test]
fn each_row_is_a_record() {
    let frame = |values: &[f32]| {
        let mut out = Vec::new();
        recordio::push_record(&mut out, &[("score", recordio::Tensor { values, shape: None })]);
        out
    };
    let predictions = Predictions { columns: 2, values: vec![0.5, 1.0, 2.0, f32::INFINITY] };
    let expected = [frame(&[0.5, 1.0]), frame(&[2.0, f32::INFINITY])].concat();
    assert_eq!(Form::RecordIo.write(&predictions, true), expected);
}
