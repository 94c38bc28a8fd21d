//! Every fixture in the older operators of ONNX, read back: the same bits as the booster's own pack, on our kernels.

use std::fs;

use ndarray::ArrayView2;
use thicket_converters::{
    onnx::{self, Operators},
    read_booster,
};
use thicket_engine::{Model, Output, Runtime, offline};
use thicket_tests::{bits, cases, matrix};

use crate::setting::libraries;

fn open(bytes: &[u8], folder: &std::path::Path) -> Model {
    let path = folder.join("model");
    fs::write(&path, bytes).unwrap();
    offline::open(&path, &libraries()).unwrap()
}

fn answers(model: &Model, rows: ArrayView2<'_, f32>) -> [Vec<u32>; 2] {
    [Output::Margin, Output::Value].map(|output| bits(&model.predict(rows, output).unwrap().values))
}

#[test]
fn the_older_operators_of_every_file_answer_as_its_booster_does() {
    let folder = tempfile::tempdir().unwrap();
    let (mut same, mut inexpressible) = (0, 0);
    for case in cases() {
        let rows = matrix(&case.rows);
        for (file, bytes) in &case.files {
            let booster = read_booster(bytes).unwrap();
            let Ok(older) = onnx::lower_with(&booster, Operators::Older) else {
                assert!(case.name.contains("categorical"), "{}/{}/{file}", case.version, case.name);
                inexpressible += 1;
                continue;
            };
            let read_back = open(&onnx::encode(&older), folder.path());
            assert_eq!(read_back.runtime(), Runtime::Forest, "{}/{}/{file}", case.version, case.name);
            let original = open(bytes, folder.path());
            let found = answers(&read_back, rows.view());
            assert_eq!(found, answers(&original, rows.view()), "{}/{}/{file}", case.version, case.name);
            same += 1;
        }
    }
    assert_eq!(same + inexpressible, 985);
    assert!(inexpressible < 50, "{inexpressible}");
}

#[test]
fn a_graph_that_does_more_than_its_operators_is_left_to_onnx_runtime() {
    let cases = cases();
    let case = cases.iter().find(|case| case.name == "multi_softprob" && case.version == "1.7.6").unwrap();
    let booster = read_booster(&case.files["model.json"]).unwrap();
    let mut older = onnx::lower_with(&booster, Operators::Older).unwrap();
    let graph = older.graph.as_mut().unwrap();
    let softmax = graph.node.iter_mut().find(|node| node.op_type == "Softmax").unwrap();
    "LogSoftmax".clone_into(&mut softmax.op_type);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(open(&onnx::encode(&older), folder.path()).runtime(), Runtime::OnnxRuntime);
}
