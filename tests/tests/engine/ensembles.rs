//! Tree ensembles of other tools: answers as ONNX Runtime gives them, on our kernels where the graph is understood.

use std::{fs, path::Path};

use thicket_converters::onnx::{self, AttributeProto, ModelProto};
use thicket_engine::{ErrorKind, Libraries, Model, Output, Reading, Runtime, offline};
use thicket_tests::{Graph, graphs, matrix};

use crate::setting::libraries;

/// What ONNX Runtime keeps, each beside a part of the reason.
const LEFT: [(&str, &str); 15] = [
    ("handmade/aggregate_m", "neither sums nor averages"),
    ("handmade/classifier_both_bases", "no way that has one meaning"),
    ("handmade/classifier_column_bases_2", "2 base values"),
    ("handmade/classifier_maps_unsorted", "out of order"),
    ("handmade/classifier_one_class", "one class"),
    ("handmade/classifier_second", "no way that has one meaning"),
    ("handmade/ensemble_fine_doubles", "no f32"),
    ("handmade/ensemble_m", "neither sums nor averages"),
    ("handmade/ensemble_twins", "of one number"),
    ("handmade/mode_eq", "other than"),
    ("handmade/mode_neq", "other than"),
    ("handmade/tensors_fine_doubles", "no f32"),
    ("sklearn/scaled_forest", "Scaler"),
    ("", "do not agree on"),
    ("", "PROBIT"),
];

fn open(bytes: &[u8], folder: &Path, libraries: &Libraries) -> Result<Model, String> {
    let path = folder.join("model.onnx");
    fs::write(&path, bytes).unwrap();
    offline::open(&path, libraries).map_err(|error| error.story())
}

/// The greatest difference relative to the number, or to 0.01 for smaller ones; NaN equals NaN.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let difference = |(one, other): (&f32, &f32)| {
        if one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan() {
            return 0.0;
        }
        (one - other).abs() / other.abs().max(0.01)
    };
    let worse = |worst: f32, next: f32| if next.is_nan() { f32::INFINITY } else { worst.max(next) };
    found.iter().zip(expected).map(difference).fold(0.0, worse)
}

/// What the graph answers: the output that is served.
fn expected(graph: &Graph) -> Vec<f32> {
    let names = ["probabilities", "variable", "output_probability", "output", "maps"];
    names.iter().find_map(|name| graph.answers(name)).unwrap()
}

#[test]
fn an_ensemble_has_margins_only_where_they_are_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let (mut same, mut refused) = (0, 0);
    for graph in graphs() {
        let model = open(&graph.model, folder.path(), &libraries()).unwrap();
        let rows = matrix(&graph.rows);
        match model.predict(rows.view(), Output::Margin) {
            Ok(margins) => {
                let values = model.predict(rows.view(), Output::Value).unwrap();
                assert!(difference(&margins.values, &values.values) <= 0.0, "{}", graph.name);
                same += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", graph.name);
                refused += 1;
            }
        }
    }
    assert!(same > 10 && refused > 50, "{same} {refused}");
}

#[test]
fn every_ensemble_answers_as_onnx_runtime_does() {
    let folder = tempfile::tempdir().unwrap();
    let (mut forests, mut others) = (0, 0);
    for graph in graphs() {
        let model = open(&graph.model, folder.path(), &libraries()).unwrap();
        let inspection = offline::inspect(&folder.path().join("model.onnx"), Reading::default()).unwrap().to_string();
        let found = model.predict(matrix(&graph.rows).view(), Output::Value).unwrap();
        let difference = difference(&found.values, &expected(&graph));
        assert!(difference < 1e-5, "{} differs by {difference}\n{inspection}", graph.name);
        let is_left = LEFT.iter().any(|(name, reason)| graph.name.starts_with(name) && inspection.contains(reason));
        assert_eq!(model.runtime() == Runtime::OnnxRuntime, is_left, "{}\n{inspection}", graph.name);
        if is_left {
            others += 1;
        } else {
            forests += 1;
            let rows = graph.rows.len();
            let single = model.predict(matrix(&graph.rows[rows - 1..]).view(), Output::Value).unwrap();
            assert_eq!(single.values.len(), found.columns, "{}", graph.name);
        }
    }
    assert_eq!((forests, others), (59, 44));
}

#[test]
fn an_inspection_tells_what_a_forest_is() {
    let graphs = graphs();
    let graph = graphs.iter().find(|graph| graph.name == "sklearn/forest_classes").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    fs::write(&path, &graph.model).unwrap();
    let inspection = offline::inspect(&path, Reading::default()).unwrap().to_string();
    let lines: Vec<Vec<&str>> = inspection.lines().map(|line| line.splitn(2, ':').map(str::trim).collect()).collect();
    for (name, value) in
        [("written by", "skl2onnx 1.18.0"), ("features", "6"), ("targets", "3"), ("trees", "8"), ("nodes", "204")]
    {
        assert!(lines.contains(&vec![name, value]), "{inspection} lacks {name}: {value}");
    }
}

/// A way to damage an attribute of an ensemble.
type Damage = fn(&mut AttributeProto);

const DAMAGES: [Damage; 9] = [
    |attribute| attribute.ints.truncate(attribute.ints.len() / 2),
    |attribute| attribute.ints.clear(),
    |attribute| attribute.ints.fill(0),
    |attribute| attribute.ints.iter_mut().for_each(|number| *number = i64::MAX - *number),
    |attribute| attribute.ints.iter_mut().for_each(|number| *number = -1 - *number),
    |attribute| attribute.ints.reverse(),
    |attribute| attribute.i = i64::MAX,
    |attribute| attribute.floats.truncate(1),
    |attribute| attribute.strings.truncate(1),
];

/// Opens `model` where there is no ONNX Runtime, and lets what our kernels take on predict.
fn serve(model: &ModelProto, graph: &Graph, folder: &Path) {
    let none = Libraries::find(None, None, &["/nowhere".into()]);
    if let Ok(model) = open(&onnx::encode(model), folder, &none) {
        assert_eq!(model.runtime(), Runtime::Forest);
        let found = model.predict(matrix(&graph.rows).view(), Output::Value).unwrap();
        assert_eq!(found.rows(), graph.rows.len());
    }
}

#[test]
fn damaged_attributes_are_refused_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["sklearn/forest_classes", "xgboost/binary", "handmade/ensemble_sum", "handmade/tensors_doubles"];
    let mut damaged = 0;
    for graph in graphs().iter().filter(|graph| names.contains(&graph.name.as_str())) {
        let whole = onnx::decode(&graph.model).unwrap();
        let attributes = whole.graph.as_ref().unwrap().node[0].attribute.len();
        for (at, damage) in (0..attributes).flat_map(|at| DAMAGES.map(|damage| (at, damage))) {
            let mut model = whole.clone();
            damage(&mut model.graph.as_mut().unwrap().node[0].attribute[at]);
            serve(&model, graph, folder.path());
            damaged += 1;
        }
        for at in 0..attributes {
            let mut model = whole.clone();
            model.graph.as_mut().unwrap().node[0].attribute.remove(at);
            serve(&model, graph, folder.path());
        }
    }
    assert!(damaged > 400, "{damaged}");
}

#[test]
fn cycles_and_numbers_beyond_bounds_reach_no_engine() {
    let graphs = graphs();
    let graph = graphs.iter().find(|graph| graph.name == "sklearn/forest_classes").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let damage = |name: &str, damage: Damage| {
        let mut model = onnx::decode(&graph.model).unwrap();
        let attributes = &mut model.graph.as_mut().unwrap().node[0].attribute;
        damage(attributes.iter_mut().find(|attribute| attribute.name == name).unwrap());
        fs::write(&path, onnx::encode(&model)).unwrap();
        offline::inspect(&path, Reading::default())
    };
    let refused = |name: &str, by: Damage, reason: &str| {
        let error = damage(name, by).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArtifact, "{error:?}");
        assert!(error.story().contains(reason), "{} lacks {reason}", error.story());
    };
    refused("nodes_truenodeids", |attribute| attribute.ints[0] = 0, "is not its root");
    refused("nodes_truenodeids", |attribute| attribute.ints[0] = 1 << 40, "no node of its tree");
    refused("nodes_featureids", |attribute| attribute.ints[0] = -1, "nodes_featureids holds -1");
    refused("class_ids", |attribute| attribute.ints[0] = i64::from(u32::MAX), "class_ids holds 4294967295");
    refused("class_nodeids", |attribute| attribute.ints[0] = 1 << 40, "a weight names node");
    refused("class_weights", |attribute| attribute.floats.truncate(5), "entries of class_weights");
    refused("nodes_nodeids", |attribute| attribute.ints[1] = 0, "twice");
    let left = |name: &str, by: Damage, reason: &str| {
        let inspection = damage(name, by).unwrap().to_string();
        assert!(inspection.contains("ONNX Runtime") && inspection.contains(reason), "{inspection} lacks {reason}");
    };
    left("nodes_featureids", |attribute| attribute.ints[0] = 6, "feature 6 of 6");
    left("class_ids", |attribute| attribute.ints[1] = 0, "to one target twice");
    left("nodes_modes", |attribute| attribute.strings[0] = b"BRANCH_SIDEWAYS".to_vec(), "other than");
}
