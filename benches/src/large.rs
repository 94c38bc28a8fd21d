//! A large booster in each of XGBoost's forms: the trees of a small one from the fixtures, many times over.

use serde_json::Value;
use thicket_tests::{Case, cases};

use crate::legacy::Layout;

/// How often the trees are repeated: 480 trees of 50 leaves or so.
const COPIES: usize = 60;

/// What UBJSON writes as `f32`; other numbers are whole.
const FLOATS: [&str; 4] = ["base_weights", "loss_changes", "split_conditions", "sum_hessian"];

/// Names of model files and what is in them.
///
/// # Panics
/// When the fixtures are broken.
#[must_use]
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    let is_it = |case: &Case| case.version == "3.0.5" && case.name == "reg_pruned";
    let case = cases().into_iter().find(is_it).expect("a fixture");
    let mut booster: Value = serde_json::from_slice(&case.files["model.json"]).expect("JSON");
    repeat(&mut booster);
    let mut ubjson = Vec::new();
    push(&mut ubjson, &booster, "");
    let json = serde_json::to_vec(&booster).expect("a value is JSON");
    vec![("model.json", json), ("model.ubj", ubjson), ("model.deprecated", legacy(&case.files["model.deprecated"]))]
}

fn repeat(booster: &mut Value) {
    let model = &mut booster["learner"]["gradient_booster"]["model"];
    let trees = model["trees"].as_array().expect("trees");
    let trees: Vec<_> = trees.iter().cycle().take(trees.len() * COPIES).cloned().collect();
    model["gbtree_model_param"]["num_trees"] = trees.len().to_string().into();
    model["tree_info"] = vec![0; trees.len()].into();
    model["iteration_indptr"] = (0..=trees.len()).collect::<Vec<_>>().into();
    model["trees"] = trees.into();
    for (id, tree) in model["trees"].as_array_mut().expect("trees").iter_mut().enumerate() {
        tree["id"] = id.into();
    }
}

/// Appends `value`, the member `key` of an object, as XGBoost writes it: arrays of numbers say their type once.
fn push(out: &mut Vec<u8>, value: &Value, key: &str) {
    match value {
        Value::Null => out.push(b'Z'),
        Value::Bool(value) => out.push(if *value { b'T' } else { b'F' }),
        Value::Number(_) => {
            out.push(marker(key));
            push_number(out, value, key);
        }
        Value::String(text) => {
            out.push(b'S');
            push_text(out, text);
        }
        Value::Array(values) if values.iter().all(Value::is_number) => {
            out.extend([b'[', b'$', marker(key), b'#']);
            push_length(out, values.len());
            for value in values {
                push_number(out, value, key);
            }
        }
        Value::Array(values) => {
            out.extend(b"[#");
            push_length(out, values.len());
            for value in values {
                push(out, value, key);
            }
        }
        Value::Object(members) => {
            out.push(b'{');
            for (key, value) in members {
                push_text(out, key);
                push(out, value, key);
            }
            out.push(b'}');
        }
    }
}

fn marker(key: &str) -> u8 {
    if FLOATS.contains(&key) { b'd' } else { b'l' }
}

#[expect(clippy::cast_possible_truncation, reason = "the fixture's numbers are f32 and i32")]
fn push_number(out: &mut Vec<u8>, value: &Value, key: &str) {
    if FLOATS.contains(&key) {
        out.extend((value.as_f64().unwrap_or_default() as f32).to_be_bytes());
    } else {
        out.extend((value.as_i64().unwrap_or_default() as i32).to_be_bytes());
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_length(out, text.len());
    out.extend(text.as_bytes());
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    out.push(b'L');
    out.extend((length as u64).to_be_bytes());
}

/// The booster in the legacy form with its trees repeated.
fn legacy(bytes: &[u8]) -> Vec<u8> {
    let Layout { forest, trees, end } = Layout::of(bytes);
    let (first, count) = (trees[0].start, trees.len());
    let targets = end..end + count * 4;
    let repeated_count = u32::try_from(count * COPIES).expect("a few trees").to_le_bytes();
    let (repeated, targets_repeated) = (bytes[first..end].repeat(COPIES), bytes[targets.clone()].repeat(COPIES));
    let parts: [&[u8]; 6] = [
        &bytes[..forest],
        &repeated_count,
        &bytes[forest + 4..first],
        &repeated,
        &targets_repeated,
        &bytes[targets.end..],
    ];
    parts.concat()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ndarray::Array2;
    use thicket_engine::{Libraries, Output, offline};

    use super::*;

    #[test]
    fn every_form_is_the_same_large_booster() {
        let folder = tempfile::tempdir().unwrap();
        let rows =
            Array2::from_shape_fn((50, 6), |(row, column)| f32::from(u16::try_from(row * 7 + column).unwrap()) / 350.0);
        let answers = files().into_iter().map(|(name, bytes)| {
            assert!(bytes.len() > 500_000, "{name} has {} bytes", bytes.len());
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            let model = offline::open(&path, &Libraries::find(None, None, &[])).unwrap();
            assert_eq!(model.trees(), Some(480), "{name}");
            model.predict(rows.view(), Output::Margin).unwrap().values
        });
        let answers: Vec<_> = answers.collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]) && answers[0].len() == 50);
    }
}
