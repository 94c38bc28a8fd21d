//! Sessions on graphs of other trainers and on small graphs of every shape.

use ndarray::{Array2, array, s};
use serde_json::Value;
use thicket_converters::onnx::{
    AttributeProto, AttributeType, DataType, Dimension, DimensionValue, GraphProto, MapType, ModelProto, NodeProto,
    OperatorSetIdProto, SequenceType, StringStringEntryProto, TensorProto, TensorShapeProto, TensorType, TypeProto,
    TypeValue, ValueInfoProto, encode,
};

use super::*;
use crate::onnxruntime::test_runtime;

const FLOAT: DataType = DataType::Float;

fn tensor(element: DataType, shape: &[i64]) -> TypeProto {
    let dim = shape.iter().map(|&size| Dimension { value: (size >= 0).then_some(DimensionValue::Value(size)) });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    TypeProto { value: Some(TypeValue::Tensor(TensorType { elem_type: element.into(), shape })) }
}

fn sequence(elem_type: TypeProto) -> TypeProto {
    TypeProto { value: Some(TypeValue::Sequence(Box::new(SequenceType { elem_type: Some(elem_type) }))) }
}

fn value(name: &str, r#type: TypeProto) -> ValueInfoProto {
    ValueInfoProto { name: name.to_owned(), r#type: Some(r#type) }
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.to_owned(),
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

fn model(graph: GraphProto) -> Vec<u8> {
    let opset = |domain: &str, version| OperatorSetIdProto { domain: domain.to_owned(), version };
    encode(&ModelProto {
        ir_version: 8,
        opset_import: vec![opset("", 17), opset("ai.onnx.ml", 1)],
        graph: Some(GraphProto { name: "graph".to_owned(), ..graph }),
        ..ModelProto::default()
    })
}

/// A graph of one node from `x` to `y`.
fn one_node(node: NodeProto, x: TypeProto, y: TypeProto) -> Vec<u8> {
    let (input, output) = (vec![value("x", x)], vec![value("y", y)]);
    model(GraphProto { node: vec![node], input, output, ..GraphProto::default() })
}

fn neg(element: DataType, shape: &[i64]) -> Vec<u8> {
    one_node(node("Neg", &["x"], "y"), tensor(element, shape), tensor(element, shape))
}

fn open(bytes: &[u8]) -> Result<Session> {
    Session::open(&test_runtime(), bytes)
}

fn check(bytes: &[u8], rows: &Array2<f32>, expected: &Array2<f32>) {
    let session = open(bytes).unwrap();
    assert_eq!(session.predict(rows.view()).unwrap().into_array(), expected);
}

fn fixture(name: &str, file: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/onnx");
    std::fs::read(format!("{folder}/{name}/{file}")).unwrap()
}

fn fixture_rows(name: &str) -> Array2<f32> {
    let csv = String::from_utf8(fixture(name, "input.csv")).unwrap();
    let cells: Vec<f32> = csv.lines().flat_map(|line| line.split(',')).map(|cell| cell.parse().unwrap()).collect();
    let height = csv.lines().count();
    Array2::from_shape_vec((height, cells.len() / height), cells).unwrap()
}

#[test]
fn graphs_of_other_trainers_answer_as_they_should() {
    for (name, output, columns) in
        [("dense", "value", 1), ("perceptron", "variable", 1), ("logistic", "probabilities", 3)]
    {
        let session = open(&fixture(name, "model.onnx")).unwrap();
        assert_eq!(session.features(), Some(6), "{name}");
        let predictions = session.predict(fixture_rows(name).view()).unwrap();
        assert_eq!(predictions.columns, columns, "{name}");
        let expected: Value = serde_json::from_slice(&fixture(name, "expected.json")).unwrap();
        let expected = expected["outputs"][output]["values"].as_array().unwrap();
        assert_eq!(predictions.values.len(), expected.len(), "{name}");
        for (found, expected) in predictions.values.iter().zip(expected) {
            let (found, expected) = (f64::from(*found), expected.as_f64().unwrap());
            // Other instruction sets may round the last bits otherwise.
            assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{name}: {found}, not {expected}");
        }
    }
}

#[test]
fn numbers_of_every_type_go_in_and_out() {
    let (rows, negated) = (array![[1.0, -2.0], [3.0, 16_777_216.0]], array![[-1.0, 2.0], [-3.0, -16_777_216.0]]);
    for element in [FLOAT, DataType::Double, DataType::Int64] {
        for shape in [[-1, 2], [-1, -1], [1, 2]] {
            check(&neg(element, &shape), &rows, &negated);
        }
    }
    assert_eq!(open(&neg(FLOAT, &[-1, -1])).unwrap().features(), None);
    for cell in [0.5, f32::NAN, f32::INFINITY, 9.3e18] {
        let rows = array![[0.0, 0.0], [0.0, cell]];
        for shape in [[-1, 2], [1, 2]] {
            let error = open(&neg(DataType::Int64, &shape)).unwrap().predict(rows.view()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("row 1, column 1"), "{error}");
        }
    }
}

#[test]
fn vectors_and_maps_are_answers() {
    let squeezed = one_node(node("ReduceSum", &["x", "axes"], "y"), tensor(FLOAT, &[-1, 3]), tensor(FLOAT, &[-1]));
    let mut squeezed = thicket_converters::onnx::decode(&squeezed).unwrap().graph.unwrap();
    let axes = TensorProto {
        name: "axes".to_owned(),
        data_type: DataType::Int64.into(),
        dims: vec![1],
        int64_data: vec![1],
        ..TensorProto::default()
    };
    squeezed.initializer.push(axes);
    let keep = AttributeProto {
        name: "keepdims".to_owned(),
        r#type: AttributeType::Int.into(),
        i: 0,
        ..AttributeProto::default()
    };
    squeezed.node[0].attribute.push(keep);
    let rows = array![[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]];
    check(&model(squeezed), &rows, &array![[7.0], [56.0]]);

    let ints = AttributeProto {
        name: "classlabels_int64s".to_owned(),
        r#type: AttributeType::Ints.into(),
        ints: vec![7, 3, 5],
        ..AttributeProto::default()
    };
    let strings = ["c", "a", "b"].map(|label| label.as_bytes().to_vec()).to_vec();
    let strings = AttributeProto {
        name: "classlabels_strings".to_owned(),
        r#type: AttributeType::Strings.into(),
        strings,
        ..AttributeProto::default()
    };
    for (labels, key) in [(ints, DataType::Int64), (strings, DataType::String)] {
        let zip = NodeProto { domain: "ai.onnx.ml".to_owned(), attribute: vec![labels], ..node("ZipMap", &["x"], "y") };
        let map = MapType { key_type: key.into(), value_type: Some(tensor(FLOAT, &[])) };
        let maps = sequence(TypeProto { value: Some(TypeValue::Map(Box::new(map))) });
        let by_key = array![[2.0, 4.0, 1.0], [16.0, 32.0, 8.0]];
        check(&one_node(zip, tensor(FLOAT, &[-1, 3]), maps), &rows, &by_key);
    }
}

#[test]
fn an_answer_that_is_none_for_each_row_is_refused() {
    let summed = one_node(node("ReduceSum", &["x"], "y"), tensor(FLOAT, &[-1, 2]), tensor(FLOAT, &[-1, -1]));
    let session = open(&summed).unwrap();
    assert_eq!(session.predict(array![[1.0, 2.0]].view()).unwrap().values, [3.0]);
    let error = session.predict(array![[1.0, 2.0], [3.0, 4.0]].view()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("`y`") && error.to_string().contains("[1, 1]"), "{error}");
}

#[test]
fn rows_may_lie_anywhere_and_must_fit() {
    let session = open(&fixture("dense", "model.onnx")).unwrap();
    let rows = fixture_rows("dense");
    let turned = rows.t().as_standard_layout().into_owned();
    assert_eq!(session.predict(turned.t()).unwrap(), session.predict(rows.view()).unwrap());
    assert_eq!(session.predict(rows.slice(s![..0, ..])).unwrap().rows(), 0);
    let error = session.predict(rows.slice(s![.., 1..])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("5 columns") && error.to_string().contains("6 features"), "{error}");
}

#[test]
fn one_session_serves_many_threads() {
    let session = open(&fixture("logistic", "model.onnx")).unwrap();
    let rows = fixture_rows("logistic");
    let expected = session.predict(rows.view()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for turn in 0..500 {
                    assert_eq!(session.predict(rows.view()).unwrap(), expected, "turn {turn}");
                }
            });
        }
    });
}

#[test]
fn what_cannot_be_served_says_why() {
    let mut nested = thicket_converters::onnx::decode(&neg(FLOAT, &[-1, 2])).unwrap().graph.unwrap();
    nested.input.push(value("z", sequence(sequence(tensor(FLOAT, &[-1, 2])))));
    let nested = model(nested);
    let unknown = one_node(node("Frobnicate", &["x"], "y"), tensor(FLOAT, &[-1, 2]), tensor(FLOAT, &[-1, 2]));
    let whole = fixture("dense", "model.onnx");
    for (bytes, kind, part) in [
        (&b"no model at all"[..], ErrorKind::InvalidArtifact, "sound"),
        (&whole[..whole.len() / 2], ErrorKind::InvalidArtifact, "sound"),
        (&neg(FLOAT, &[-1, 3, 4]), ErrorKind::Unsupported, "`x`"),
        (&unknown, ErrorKind::InvalidArtifact, "Frobnicate"),
        (&nested, ErrorKind::Unsupported, "seq(seq"),
    ] {
        let error = open(bytes).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.story().contains(part), "{error:?} lacks {part}");
    }
}

#[test]
fn a_graph_reads_no_files() {
    let entry = |key: &str, value: &str| StringStringEntryProto { key: key.to_owned(), value: value.to_owned() };
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let outside = TensorProto {
        name: "w".to_owned(),
        dims: vec![2],
        data_type: FLOAT.into(),
        data_location: 1,
        external_data: vec![entry("location", file), entry("offset", "0"), entry("length", "8")],
        ..TensorProto::default()
    };
    let add = GraphProto {
        node: vec![node("Add", &["x", "w"], "y")],
        input: vec![value("x", tensor(FLOAT, &[-1, 2]))],
        output: vec![value("y", tensor(FLOAT, &[-1, 2]))],
        ..GraphProto::default()
    };
    let initializer = GraphProto { initializer: vec![outside.clone()], ..add.clone() };
    let attribute = |t| AttributeProto {
        name: "value".to_owned(),
        r#type: AttributeType::Tensor.into(),
        t: Some(Box::new(t)),
        ..AttributeProto::default()
    };
    let constant = NodeProto { attribute: vec![attribute(outside)], ..node("Constant", &[], "w") };
    let inner = GraphProto { node: vec![constant.clone()], output: add.output.clone(), ..GraphProto::default() };
    let branch =
        AttributeProto { name: "then_branch".to_owned(), g: Some(Box::new(inner)), ..AttributeProto::default() };
    let branch = NodeProto { attribute: vec![branch], ..node("If", &["x"], "w") };
    let constant = GraphProto { node: vec![constant, add.node[0].clone()], ..add.clone() };
    let branch = GraphProto { node: vec![branch, add.node[0].clone()], ..add };
    for graph in [initializer, constant, branch] {
        let error = open(&model(graph)).unwrap_err();
        assert!(error.to_string().contains("`w` lie in another file"), "{error:?}");
    }
}
