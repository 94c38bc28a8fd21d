//! The four city models: a prefix of archives, rows, and what XGBoost 0.90 answered.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::{fixtures, rows::parse};

/// One city's model.
#[derive(Debug)]
pub struct House {
    /// The name of its artifact below [`prefix`].
    pub target: String,
    /// Rows to score; NaN is missing.
    pub rows: Vec<Vec<f32>>,
    /// What `XGBoost` answered for each.
    pub prices: Vec<f32>,
}

/// The directory that holds the four artifacts.
#[must_use]
pub fn prefix() -> PathBuf {
    fixtures().join("houses/models")
}

/// The four models, sorted by name.
#[must_use]
pub fn houses() -> Vec<House> {
    let mut names: Vec<_> =
        fs::read_dir(prefix()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.iter().map(|name| house(name)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "the fixtures keep f32 as exact f64")]
fn house(name: &str) -> House {
    let read = |suffix: &str| fs::read_to_string(fixtures().join(format!("houses/{name}{suffix}"))).unwrap();
    let expected: Value = serde_json::from_str(&read(".expected.json")).unwrap();
    let prices = expected["value"].as_array().unwrap().iter().map(|price| price.as_f64().unwrap() as f32).collect();
    House { target: format!("{name}/model.tar.gz"), rows: parse(&read(".csv")), prices }
}
