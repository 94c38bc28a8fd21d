//! Bytes of every form.

use super::*;

fn write(form: Form, predictions: &Predictions, width: usize, batch: bool) -> String {
    String::from_utf8(form.write(predictions, width, Style { dialect: Dialect::MultiModel, batch })).unwrap()
}

fn check(predictions: &Predictions, json: &str, csv: &str, csv_lines: &str, json_lines: &str) {
    let text = |form: Form, batch| write(form, predictions, predictions.columns, batch);
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
    let text = |form: Form, batch| write(form, &predictions, 2, batch);
    let (first, second) = ("[[0.0, 1.0], [2.0, 3.0]]", "[[4.0, 5.0], [6.0, 7.0]]");
    assert_eq!(text(Form::Json, false), format!("[{first}, {second}]"));
    assert_eq!(text(Form::Csv, false), format!("{first},{second}"));
    assert_eq!(text(Form::Csv, true), format!("{first}\n{second}\n"));
    assert_eq!(text(Form::JsonLines, false), format!("{first}\n{second}\n"));
    assert_eq!(write(Form::Csv, &predictions, 4, false), "[0.0, 1.0, 2.0, 3.0],[4.0, 5.0, 6.0, 7.0]");
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
    for dialect in [Dialect::MultiModel, Dialect::SingleModel] {
        assert_eq!(Form::RecordIo.write(&predictions, 2, Style { dialect, batch: true }), expected);
    }
}

#[test]
fn a_server_of_one_model_has_shapes_of_its_own() {
    let check = |predictions: &Predictions, form: Form, batch, expected: &str| {
        let style = Style { dialect: Dialect::SingleModel, batch };
        let text = String::from_utf8(form.write(predictions, predictions.columns, style)).unwrap();
        assert_eq!(text, expected, "{form:?} {batch}");
    };
    let numbers = Predictions { columns: 1, values: vec![0.595_436_75, f32::NAN] };
    let classes = Predictions { columns: 2, values: vec![0.25, 0.75, 1.0, 0.0] };
    check(&numbers, Form::Csv, false, "0.5954367518424988\nnan\n");
    check(&classes, Form::Csv, false, "0.25,0.75\n1.0,0.0\n");
    check(&numbers, Form::Json, false, "{\"predictions\": [{\"score\": 0.5954367518424988}, {\"score\": NaN}]}");
    check(&classes, Form::Json, false, "{\"predictions\": [{\"score\": [0.25, 0.75]}, {\"score\": [1.0, 0.0]}]}");
    for batch in [false, true] {
        check(&numbers, Form::JsonLines, batch, "{\"score\": 0.5954367518424988}\n{\"score\": NaN}\n");
    }
    for form in [Form::Csv, Form::Json] {
        check(&numbers, form, true, "0.5954367518424988\nnan\n");
        check(&classes, form, true, "[0.25, 0.75]\n[1.0, 0.0]\n");
    }
}
