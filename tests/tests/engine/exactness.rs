//! Every model file of eight versions of XGBoost through the whole pipeline: margins and values equal to the bit.

use std::fs;

use thicket_engine::{Output, Runtime, offline};
use thicket_tests::{Case, bits, cases, matrix};

use crate::setting::libraries;

/// What [`offline::open`] makes of the file has to answer as the version that wrote it did.
fn check(case: &Case, file: &str, bytes: &[u8], folder: &std::path::Path) -> Result<Runtime, String> {
    let path = folder.join("xgboost-model");
    fs::write(&path, bytes).unwrap();
    let model = offline::open(&path, &libraries()).map_err(|error| error.story())?;
    if model.runtime() != Runtime::Forest {
        return Ok(model.runtime());
    }
    let rows = matrix(&case.rows);
    let is_cut = case.expected.contains_key("best")
        && file.ends_with(".pkl")
        && case.expected["container"][file]["equals"] == "value_best";
    let value = if is_cut { "value_best" } else { "value" };
    for (output, expected) in [(Output::Value, value), (Output::Margin, "margin")] {
        if output == Output::Margin && is_cut {
            continue;
        }
        let found = model.predict(rows.view(), output).unwrap().values;
        if bits(&found) != bits(&case.floats(expected)) {
            return Err(format!("{expected} differs"));
        }
    }
    Ok(Runtime::Forest)
}

#[test]
fn every_model_answers_as_its_own_version_did() {
    let folder = tempfile::tempdir().unwrap();
    let (mut forests, mut others, mut faults) = (0, 0, Vec::new());
    for case in cases() {
        for (file, bytes) in &case.files {
            match check(&case, file, bytes, folder.path()) {
                Ok(Runtime::Forest) => forests += 1,
                Ok(_) => others += 1,
                Err(fault) => faults.push(format!("{}/{}/{file}: {fault}", case.version, case.name)),
            }
        }
    }
    assert!(faults.is_empty(), "{} files differ:\n{}", faults.len(), faults.join("\n"));
    assert_eq!((forests, others), (985, 0));
}
