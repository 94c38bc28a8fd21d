//! Artifacts that containers read in ways of their own, against what AWS's container answered.

use std::{fs, path::Path};

use serde_json::Value;
use thicket_engine::{BestIteration, Engine, ErrorKind, Model, Output, Reading, offline, source};
use thicket_tests::{bits, fixtures, houses, matrix, parse, prefix};

use crate::{setting::libraries, storage::files};

const FIRST_ONLY: Reading = Reading { ensemble: false, best_iteration: BestIteration::AsToday };
const LEGACY: Reading = Reading { ensemble: true, best_iteration: BestIteration::Legacy };

fn expected() -> Value {
    serde_json::from_str(&fs::read_to_string(fixtures().join("container/expected.json")).unwrap()).unwrap()
}

/// What the container answered for the rows of the fixture.
fn answers(name: &str) -> Vec<f32> {
    let answers: Vec<Value> = serde_json::from_value(expected()["answers"][name].clone()).unwrap();
    answers.iter().map(|answer| answer.as_f64().unwrap() as f32).collect()
}

fn predict(model: &Model) -> Vec<f32> {
    let rows = parse(expected()["rows"].as_str().unwrap());
    model.predict(matrix(&rows).view(), Output::Value).unwrap().values
}

fn open(artifact: &Path, reading: Reading) -> thicket_engine::Result<Model> {
    offline::open_with(artifact, reading, &libraries())
}

#[test]
fn several_models_answer_their_mean() {
    for name in ["kfold", "softmax"] {
        let artifact = fixtures().join("container").join(name);
        let model = open(&artifact, Reading::default()).unwrap();
        assert_eq!(bits(&predict(&model)), bits(&answers(name)), "{name}");
        let error = model.predict(matrix(&[vec![0.0; 4]]).view(), Output::Margin).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}");
        let error = model.predict(matrix(&[vec![0.0; 3]]).view(), Output::Value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}");
    }
}

#[test]
fn classes_are_voted_on_where_that_is_wanted() {
    let rows = parse(expected()["rows"].as_str().unwrap());
    let voted =
        |artifact: &Path| open(artifact, Reading::default()).unwrap().vote(matrix(&rows).view()).unwrap().values;
    let softmax = fixtures().join("container/softmax");
    let members = ["a", "b"].map(|name| voted(&softmax.join(name)));
    let smallest: Vec<f32> = members[0].iter().zip(&members[1]).map(|(one, other)| one.min(*other)).collect();
    assert_ne!(members[0], members[1]);
    assert_eq!(voted(&softmax), smallest);
    assert_eq!(bits(&voted(&fixtures().join("container/kfold"))), bits(&answers("kfold")), "numbers have a mean");
    let many: Vec<Vec<f32>> = rows.iter().cycle().take(1000).cloned().collect();
    let model = open(&softmax, Reading::default()).unwrap();
    assert_eq!(model.vote(matrix(&many).view()).unwrap().values, smallest.repeat(500));
    assert_eq!(model.vote(matrix(&[vec![0.0; 3]]).view()).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!((model.objective().as_deref(), model.targets()), (Some("multi:softmax"), Some(3)));
}

#[test]
fn the_first_model_by_name_answers_alone_where_ensembles_are_not_wanted() {
    let artifact = fixtures().join("container/kfold");
    let alone = open(&artifact.join("xgboost-model-0"), Reading::default()).unwrap();
    assert_eq!(bits(&predict(&open(&artifact, FIRST_ONLY).unwrap())), bits(&predict(&alone)));
    assert!(open(&artifact, FIRST_ONLY).unwrap().predict(matrix(&[vec![0.0; 4]]).view(), Output::Margin).is_ok());
    assert!(offline::to_onnx(&artifact, FIRST_ONLY).is_ok());
    assert_eq!(offline::to_onnx(&artifact, Reading::default()).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn early_stopping_cuts_as_the_container_of_choice_does() {
    let trees = |artifact: &Path, reading| open(artifact, reading).unwrap().trees().unwrap();
    let (saved, pickled) = (fixtures().join("container/stopped"), fixtures().join("container/stopped-pickle"));
    for (artifact, name) in [(&saved, "stopped"), (&pickled, "stopped-pickle")] {
        assert_eq!(bits(&predict(&open(artifact, LEGACY).unwrap())), bits(&answers(name)), "{name}");
    }
    assert_eq!(bits(&predict(&open(&pickled, Reading::default()).unwrap())), bits(&answers("stopped-pickle")));
    assert!(trees(&saved, Reading::default()) > trees(&saved, LEGACY));
    assert_eq!(trees(&saved, LEGACY), trees(&pickled, Reading::default()));
    let shown = format!("trees:          {}\n", trees(&saved, LEGACY));
    assert!(offline::inspect(&saved, LEGACY).unwrap().to_string().contains(&shown));
    let (short, long) =
        (offline::to_onnx(&saved, LEGACY).unwrap(), offline::to_onnx(&saved, Reading::default()).unwrap());
    assert!(short.len() < long.len());
}

#[test]
fn an_inspection_shows_every_member() {
    let artifact = fixtures().join("container/kfold");
    let inspection = offline::inspect(&artifact, Reading::default()).unwrap().to_string();
    for part in ["xgboost-model-0", "xgboost-model-1", "bundle bytes", "the mean of all members"] {
        assert!(inspection.contains(part), "{inspection} lacks {part}");
    }
    assert_eq!(inspection.matches("written by:     XGBoost 1.7\n").count(), 2, "{inspection}");
    let inspection = offline::inspect(&artifact, FIRST_ONLY).unwrap().to_string();
    assert!(!inspection.contains("xgboost-model-1"), "{inspection}");
}

#[test]
fn what_is_no_member_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, from: &Path| fs::copy(from, folder.path().join(name)).unwrap();
    let container = fixtures().join("container");
    let refused = |kind: ErrorKind, parts: &[&str]| {
        let error = open(folder.path(), Reading::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(parts.iter().all(|part| error.story().contains(part)), "{error:?} lacks one of {parts:?}");
    };
    put("xgboost-model", &container.join("kfold/xgboost-model-0"));
    put(".metadata", &container.join("README.md"));
    assert!(open(folder.path(), Reading::default()).is_ok());
    put("README.txt", &container.join("README.md"));
    refused(ErrorKind::InvalidArtifact, &["\"README.txt\""]);
    fs::remove_file(folder.path().join("README.txt")).unwrap();
    put("dense", &fixtures().join("onnx/dense/model.onnx"));
    refused(ErrorKind::Unsupported, &["\"dense\" is no member", "kernels"]);
    fs::remove_file(folder.path().join("dense")).unwrap();
    let house = offline::to_onnx(&prefix().join(&houses()[0].target), Reading::default()).unwrap();
    fs::write(folder.path().join("z-house"), house).unwrap();
    refused(ErrorKind::Unsupported, &["\"xgboost-model\" has 4 features", "\"z-house\" has 6"]);
}

#[tokio::test]
async fn each_reading_has_a_cache_entry_of_its_own() {
    let cache = tempfile::tempdir().unwrap();
    let container = fixtures().join("container");
    for _ in 0..2 {
        for (reading, is_mean) in [(Reading::default(), true), (FIRST_ONLY, false)] {
            let source = source::open(container.to_str().unwrap()).await.unwrap();
            let engine = Engine::builder().source(source).cache_dir(cache.path()).reading(reading).build().unwrap();
            engine.load("kfold", &container.join("kfold")).await.unwrap();
            let found = predict(&engine.loaded("kfold").unwrap());
            assert_eq!(bits(&found) == bits(&answers("kfold")), is_mean);
            engine.unload("kfold").await.unwrap();
        }
    }
    let count = |extension: &str| files(cache.path(), extension).len();
    assert_eq!((count(".bundle"), count(".pack")), (1, 1));
}
