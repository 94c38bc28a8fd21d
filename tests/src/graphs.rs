//! Tree ensembles in ONNX by other tools, rows for them and what ONNX Runtime answered.

use std::{fs::File, path::PathBuf};

use serde_json::{Map, Value};

use crate::{
    cases::folders,
    fixtures,
    rows::{numbers, parse},
};

/// One ONNX model, rows to score, and what ONNX Runtime answers.
#[derive(Debug)]
pub struct Graph {
    /// The tool that wrote it and what it is about: `sklearn/forest_binary`.
    pub name: String,
    /// The model file.
    pub model: Vec<u8>,
    /// The rows that were scored; NaN is missing.
    pub rows: Vec<Vec<f32>>,
    outputs: Map<String, Value>,
}

impl Graph {
    /// What ONNX Runtime gives as `output`, row after row; nothing where there is no such output.
    #[must_use]
    pub fn answers(&self, output: &str) -> Option<Vec<f32>> {
        Some(numbers(self.outputs.get(output)?.as_array().unwrap()))
    }
}

/// Every graph of every tool, in order.
#[must_use]
pub fn graphs() -> Vec<Graph> {
    ["handmade", "lightgbm", "sklearn", "xgboost"].into_iter().flat_map(graphs_of).collect()
}

fn graphs_of(tool: &str) -> Vec<Graph> {
    let archive: PathBuf = fixtures().join(format!("onnx_trees/{tool}.tar.gz"));
    let graph = |((tool, case), mut files): ((String, String), std::collections::BTreeMap<String, Vec<u8>>)| {
        let rows = parse(std::str::from_utf8(&files["input.csv"]).unwrap());
        let expected: Value = serde_json::from_slice(&files["expected.json"]).unwrap();
        let outputs = expected["outputs"].as_object().unwrap().clone();
        Graph { name: format!("{tool}/{case}"), model: files.remove("model.onnx").unwrap(), rows, outputs }
    };
    folders(File::open(archive).unwrap()).into_iter().map(graph).collect()
}
