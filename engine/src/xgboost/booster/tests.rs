//! Boosters of every version against what that version answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read,
    path::Path,
};

use flate2::read::GzDecoder;
use ndarray::{Array2, s};
use serde_json::Value;

use super::*;
use crate::library::Libraries;

fn library() -> Arc<XgboostLibrary> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtimes");
    let libraries = Libraries::find(None, None, &[folder.into()]);
    Arc::new(XgboostLibrary::open(&libraries.xgboost).unwrap())
}

/// Every case of one version: the case's name to its files by name.
fn cases(version: &str) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/xgboost"));
    let archive = File::open(folder.join(format!("{version}.tar.gz"))).unwrap();
    let mut cases: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let mut parts = path.iter().rev().map(|part| part.to_str().unwrap().to_owned());
        let (file, case) = (parts.next().unwrap(), parts.next().unwrap_or_default());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        cases.entry(case).or_default().insert(file, bytes);
    }
    cases.retain(|_, files| files.contains_key("expected.json"));
    cases
}

fn rows(csv: &[u8]) -> Array2<f32> {
    let lines: Vec<&str> = str::from_utf8(csv).unwrap().lines().collect();
    let cells = lines.iter().flat_map(|line| line.split(','));
    let cells: Vec<f32> = cells.map(|cell| if cell.is_empty() { f32::NAN } else { cell.parse().unwrap() }).collect();
    Array2::from_shape_vec((lines.len(), cells.len() / lines.len()), cells).unwrap()
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "the numbers are exact doubles of what is f32")]
fn numbers(expected: &Value) -> Vec<f32> {
    expected["data"].as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn check(booster: &Booster, rows: &Array2<f32>, expected: &Value, what: &str) {
    for (output, name) in [(Output::Value, "value"), (Output::Margin, "margin")] {
        let answer = booster.predict(rows.view(), output).unwrap();
        assert_eq!(bits(&answer.values), bits(&numbers(&expected[name])), "{what} {name}");
        assert_eq!(answer.rows(), rows.nrows(), "{what} {name}");
    }
}

/// Loads every model of one version and checks its answers; tells the cases that were loaded from those refused.
fn check_version(version: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let library = library();
    let (mut loaded, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for (case, mut files) in cases(version) {
        let expected: Value = serde_json::from_slice(&files.remove("expected.json").unwrap()).unwrap();
        let rows = rows(&files.remove("input.csv").unwrap());
        for (file, bytes) in files {
            let what = format!("{version} {case} {file}");
            match Booster::load(&library, &thicket_converters::lift(&bytes).unwrap()) {
                Ok(booster) => {
                    check(&booster, &rows, &expected, &what);
                    loaded.insert(case.clone());
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Unsupported, "{what}: {error:?}");
                    refused.insert(case.clone());
                }
            }
        }
    }
    (loaded, refused)
}

#[test]
fn models_answer_bit_for_bit_or_are_refused() {
    for (version, expected_refused) in [
        ("1.3.3", &["dart_binary", "dart_multi", "gblinear_binary_base_score", "reg_gamma"][..]),
        ("1.7.6", &["reg_gamma"]),
        ("3.0.5", &[]),
    ] {
        let (loaded, refused) = check_version(version);
        assert!(loaded.len() > 30, "{version}: {loaded:?}");
        assert!(refused.iter().eq(expected_refused), "{version}: {refused:?}");
    }
    let (loaded, _) = check_version("0.90");
    assert!(loaded.iter().eq(&["gblinear_multi", "gblinear_reg"]), "{loaded:?}");
    let (loaded, _) = check_version("3.4.1");
    assert!(loaded.is_empty(), "{loaded:?}");
}

fn one_model() -> (Booster, Array2<f32>) {
    let files = &cases("3.0.5")["multi_softprob"];
    (Booster::load(&library(), &files["model.ubj"]).unwrap(), rows(&files["input.csv"]))
}

#[test]
fn one_booster_serves_many_threads() {
    let (booster, rows) = one_model();
    let expected = booster.predict(rows.view(), Output::Value).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for turn in 0..1000 {
                    let row = turn % rows.nrows();
                    let answer = booster.predict(rows.slice(s![row..=row, ..]), Output::Value).unwrap();
                    assert_eq!(answer.values, expected.iter().nth(row).unwrap(), "row {row}");
                }
            });
        }
    });
}

#[test]
fn rows_may_lie_anywhere_and_must_fit() {
    let (booster, rows) = one_model();
    let expected = booster.predict(rows.view(), Output::Value).unwrap();
    let turned = rows.t().as_standard_layout().into_owned();
    assert_eq!(booster.predict(turned.t(), Output::Value).unwrap(), expected);
    assert_eq!(booster.predict(rows.slice(s![..0, ..]), Output::Value).unwrap().rows(), 0);
    let error = booster.predict(rows.slice(s![.., 1..]), Output::Value).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains(&format!("{} features", booster.features())), "{error}");
}

#[test]
fn what_is_no_model_never_reaches_the_library() {
    for bytes in [&b""[..], b"{\"learner\":{}}", b"binf", &[0x80, 4]] {
        assert_eq!(Booster::load(&library(), bytes).unwrap_err().kind(), ErrorKind::InvalidArtifact);
    }
}
