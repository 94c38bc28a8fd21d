//! What each objective has, and the bytes of every form.

use super::*;
use crate::encode::Dialect;

const EVERYTHING: &str = "predicted_label,labels,probability,probabilities,raw_score,raw_scores,predicted_score";

fn text(selection: &str, (objective, classes): (&str, usize), row: &[f32], form: Form, batch: bool) -> String {
    let selector = Selection::parse(selection).of(objective, classes).unwrap();
    let columns = if objective == "multi:softprob" { classes } else { 1 };
    let values = Predictions { columns, values: row.to_vec() };
    String::from_utf8(selector.write(form, &values, Style { dialect: Dialect::SingleModel, batch })).unwrap()
}

#[test]
fn each_objective_has_its_own() {
    for (model, value, expected) in [
        (("reg:squarederror", 1), &[2.5_f32][..], r#""predicted_score": 2.5, "predicted_label": NaN"#),
        (("reg:linear", 1), &[2.5], r#""predicted_score": 2.5"#),
        (("reg:tweedie", 1), &[2.5], r#""predicted_score": 2.5"#),
        (
            ("binary:logistic", 1),
            &[0.75],
            r#"{"predicted_label": 1, "labels": [0, 1], "probability": 0.75, "probabilities": [0.25, 0.75], "raw_score": 0.75, "raw_scores": [0.25, 0.75], "predicted_score": NaN}"#,
        ),
        (("binary:logistic", 1), &[0.5], r#""predicted_label": 0,"#),
        (("binary:logistic", 1), &[0.3], r#""probabilities": [0.699999988079071, 0.30000001192092896]"#),
        (
            ("binary:logitraw", 1),
            &[-0.5],
            r#"{"predicted_label": 0, "labels": [0, 1], "raw_score": -0.5, "raw_scores": [1.5, -0.5], "probability": NaN"#,
        ),
        (("binary:logitraw", 1), &[1e-9], r#""predicted_label": 1,"#),
        (
            ("binary:hinge", 1),
            &[1.0],
            r#"{"predicted_label": 1.0, "labels": [0, 1], "raw_score": 1.0, "raw_scores": [0.0, 1.0]"#,
        ),
        (
            ("multi:softmax", 3),
            &[2.0],
            r#"{"predicted_label": 2.0, "labels": [0, 1, 2], "raw_score": 2.0, "raw_scores": [-1.0, 2.0]"#,
        ),
        (
            ("multi:softprob", 3),
            &[0.25, 0.5, 0.25],
            r#"{"predicted_label": 1, "labels": [0, 1, 2], "probability": 0.5, "probabilities": [0.25, 0.5, 0.25], "raw_score": 0.5, "raw_scores": [0.25, 0.5, 0.25], "predicted_score": NaN}"#,
        ),
        (("multi:softprob", 3), &[0.4, 0.4, 0.2], r#""predicted_label": 0,"#),
    ] {
        let found = text(EVERYTHING, model, value, Form::Json, false);
        assert!(found.starts_with(r#"{"predictions": [{"#) && found.contains(expected), "{model:?}: {found}");
    }
}

#[test]
fn other_objectives_have_nothing_to_select() {
    let selection = Selection::parse("predicted_score");
    for objective in ["count:poisson", "rank:pairwise", "survival:cox", "reg:squaredlogerror", ""] {
        assert!(selection.of(objective, 1).is_none(), "{objective}");
    }
    assert!(Selection::parse("predicted_label").of("binary:logistic", 2).is_none(), "two labels a row");
}

#[test]
fn every_form_has_the_pinned_bytes() {
    let check = |form, batch, expected: &str| {
        let found =
            text(" Predicted_Label, probabilities", ("multi:softprob", 2), &[0.25, 0.75, 1.0, 0.0], form, batch);
        assert_eq!(found, expected);
    };
    for batch in [false, true] {
        check(
            Form::Json,
            batch,
            r#"{"predictions": [{"predicted_label": 1, "probabilities": [0.25, 0.75]}, {"predicted_label": 0, "probabilities": [1.0, 0.0]}]}"#,
        );
        check(
            Form::JsonLines,
            batch,
            "{\"predicted_label\": 1, \"probabilities\": [0.25, 0.75]}\n{\"predicted_label\": 0, \"probabilities\": [1.0, 0.0]}\n",
        );
    }
    check(Form::Csv, false, "1,\"[0.25, 0.75]\"\n0,\"[1.0, 0.0]\"");
    check(Form::Csv, true, "1,\"[0.25, 0.75]\"\n0,\"[1.0, 0.0]\"\n");
}

#[test]
fn names_keep_their_order_in_csv_alone_and_unknown_ones_are_not_numbers() {
    let model = ("binary:logistic", 1);
    let asked = "probability,foo\",predicted_label,probability";
    assert_eq!(text(asked, model, &[0.75], Form::Csv, false), "0.75,nan,1,0.75");
    let json = r#"{"predicted_label": 1, "probability": 0.75, "foo\"": NaN}"#;
    assert_eq!(text(asked, model, &[0.75], Form::JsonLines, false), format!("{json}\n"));
    let selector = Selection::parse(asked).of(model.0, model.1).unwrap();
    assert_eq!(selector.missing().collect::<Vec<_>>(), ["foo\""]);
}

#[test]
fn a_record_holds_its_own_row_alone() {
    let selector = Selection::parse("predicted_label,probabilities,foo").of("binary:logistic", 1).unwrap();
    let style = Style { dialect: Dialect::SingleModel, batch: false };
    let both = selector.write(Form::RecordIo, &Predictions { columns: 1, values: vec![0.75, 0.25] }, style);
    let mut expected = Vec::new();
    for (label, probabilities) in [([1.0], [0.25, 0.75]), ([0.0], [0.75, 0.25])] {
        let tensor = |values| Tensor { values, shape: None };
        let labels = [
            ("predicted_label", tensor(&label)),
            ("probabilities", tensor(&probabilities)),
            ("foo", tensor(&[f32::NAN])),
        ];
        recordio::push_record(&mut expected, &labels);
    }
    assert_eq!(both, expected);
}
