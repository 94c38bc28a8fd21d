//! Models that other engines run: graphs through ONNX Runtime, inexpressible boosters through XGBoost's library.

use std::fs;

use serde_json::Value;
use thicket_converters::{arithmetic, read_booster};
use thicket_engine::{ErrorKind, Libraries, Output, Reading, Runtime, offline};
use thicket_tests::{bits, cases, fixtures, houses, matrix, numbers, parse, prefix};

use crate::setting::{Setting, libraries};

/// The greatest difference, relative to the size of large numbers.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(one, other)| (one - other).abs() / other.abs().max(1.0)).fold(0.0, f32::max)
}

#[tokio::test]
async fn graphs_without_trees_are_served_by_onnx_runtime() {
    let setting = Setting::over(&fixtures().join("onnx"), None, tempfile::tempdir().unwrap()).await;
    for (case, output) in [("dense", "value"), ("logistic", "probabilities"), ("perceptron", "variable")] {
        let model = setting.engine.model(&format!("{case}/model.onnx")).await.unwrap();
        assert_eq!((model.runtime(), model.features()), (Runtime::OnnxRuntime, Some(6)));
        let read = |file: &str| fs::read_to_string(fixtures().join("onnx").join(case).join(file)).unwrap();
        let expected: Value = serde_json::from_str(&read("expected.json")).unwrap();
        let expected: Vec<Value> = serde_json::from_value(expected["outputs"][output]["values"].clone()).unwrap();
        let expected = numbers(&expected);
        let found = model.predict(matrix(&parse(&read("input.csv"))).view(), Output::Value).unwrap();
        assert!(difference(&found.values, &expected) < 1e-6, "{case}: {:?}, expected {expected:?}", found.values);
        let error = model.predict(matrix(&parse(&read("input.csv"))).view(), Output::Margin).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    assert_eq!(setting.source.fetches(), 3);
    let counts = setting.engine.counts();
    assert_eq!((counts.loads, counts.conversions, counts.onnxruntime_fallbacks), (3, 3, 3));
}

/// The linear model that a version wrote as JSON, its first weight grown beyond all bounds: ONNX cannot leave a missing
/// value out of a product with infinity.
fn diverged(version: &str) -> Vec<u8> {
    let cases = cases();
    let case = cases.iter().find(|case| case.name == "gblinear_reg" && case.version == version).unwrap();
    let model = String::from_utf8(case.files["model.json"].clone()).unwrap();
    let start = model.find("\"weights\":[").unwrap() + "\"weights\":[".len();
    let length = model[start..].find(',').unwrap();
    [&model[..start], "Infinity", &model[start + length..]].concat().into_bytes()
}

#[test]
fn boosters_beyond_the_converter_are_served_by_their_own_library() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xgboost-model");
    for version in ["1.3.3", "1.7.6", "3.0.5"] {
        let bytes = diverged(version);
        fs::write(&path, &bytes).unwrap();
        let model = offline::open(&path, &libraries()).unwrap();
        assert_eq!(model.runtime(), Runtime::Xgboost);
        let booster = read_booster(&bytes).unwrap();
        let mut row = vec![0.5; booster.features];
        for first in [f32::NAN, 1.0, -1.0] {
            row[0] = first;
            let mut expected = Vec::new();
            arithmetic::values(&booster, &row, &mut expected);
            let found = model.predict(matrix(&[row.clone()]).view(), Output::Value).unwrap().values;
            assert_eq!(bits(&found), bits(&expected), "{version} {first}");
            assert_eq!(found[0].is_finite(), first.is_nan(), "{version} {first}");
        }
        let inspection = offline::inspect(&path, Reading::default()).unwrap().to_string();
        for part in ["served by:      XGBoost's library", "because:        weights[0]"] {
            assert!(inspection.contains(part), "{inspection} lacks {part}");
        }
    }
}

#[test]
fn a_model_that_the_library_would_misread_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xgboost-model");
    fs::write(&path, diverged("3.4.1")).unwrap();
    let error = offline::open(&path, &libraries()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    assert!(error.story().contains("3.4"), "{}", error.story());
}

#[tokio::test]
async fn a_graph_that_cannot_be_opened_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut graph = fs::read(fixtures().join("onnx/dense/model.onnx")).unwrap();
    let at = graph.windows(4).position(|name| name == b"Gemm" || name == b"Relu" || name == b"MatM").unwrap();
    graph[at] = b'X';
    fs::write(folder.path().join("model.onnx"), graph).unwrap();
    let setting = Setting::over(folder.path(), None, tempfile::tempdir().unwrap()).await;
    let error = setting.engine.model("model.onnx").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidArtifact | ErrorKind::Unsupported), "{error:?}");
    let left = fs::read_dir(setting.cache.path()).unwrap().flat_map(|entry| fs::read_dir(entry.unwrap().path()));
    assert_eq!(left.flatten().count(), 0);
    assert_eq!(setting.engine.memory().used_bytes, 0);
}

#[test]
fn without_libraries_forests_are_served_and_others_say_what_is_missing() {
    let none = Libraries::find(None, Some("/nowhere/libxgboost.so".into()), &["/nowhere/lib".into()]);
    let house = &houses()[0];
    let model = offline::open(&prefix().join(&house.target), &none).unwrap();
    let found = model.predict(matrix(&house.rows).view(), Output::Value).unwrap();
    assert_eq!(found.values, house.prices);

    let error = offline::open(&fixtures().join("onnx/dense/model.onnx"), &none).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LibraryMissing);
    for part in ["ONNX Runtime", "/nowhere/lib/libonnxruntime.so", "make runtimes"] {
        assert!(error.story().contains(part), "{} lacks {part}", error.story());
    }
}
