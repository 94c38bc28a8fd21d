//! Leaves and contributions of every fixture through the whole pipeline.

use std::fs;

use thicket_converters::{arithmetic, read_booster};
use thicket_engine::{ErrorKind, Model, Output, Runtime, offline};
use thicket_tests::{Case, bits, cases, contributions, fixtures, matrix, parse, worst};

use crate::setting::libraries;

fn open(bytes: &[u8]) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xgboost-model");
    fs::write(&path, bytes).unwrap();
    offline::open(&path, &libraries()).unwrap()
}

fn any_file(case: &Case) -> &[u8] {
    case.files.get("xgboost-model").or(case.files.values().next()).unwrap()
}

#[test]
fn contributions_equal_those_of_xgboost_on_every_engine() {
    let mut checked = 0;
    for version in ["1.7.6", "3.0.5"] {
        let expected = contributions(version);
        for case in cases().iter().filter(|case| case.version == version) {
            let Some(expected) = expected.get(&case.name) else { continue };
            let rows = matrix(&case.rows);
            let model = open(&case.files["model.json"]);
            let found = model.predict(rows.view(), Output::Contributions).unwrap();
            assert_eq!(found.columns, expected.len() / case.rows.len());
            let worst = worst(&found.values, expected);
            assert!(worst < 1e-5, "{version}/{}: {worst:e}", case.name);
            checked += 1;
        }
    }
    assert_eq!(checked, 44);
}

#[test]
fn contributions_equal_the_plain_definition_and_add_up_to_the_margin() {
    let mut checked = 0;
    for case in cases().iter().filter(|case| !case.name.starts_with("gblinear")) {
        let booster = read_booster(any_file(case)).unwrap();
        let model = open(any_file(case));
        let rows = matrix(&case.rows);
        let found = model.predict(rows.view(), Output::Contributions);
        if booster.trees().iter().any(|tree| tree.cover.is_empty()) {
            assert_eq!(found.unwrap_err().kind(), ErrorKind::Unsupported);
            continue;
        }
        let mut expected = Vec::new();
        for row in &case.rows {
            arithmetic::contributions(&booster, row, &mut expected).unwrap();
        }
        let found = found.unwrap();
        let worst = worst(&found.values, &expected);
        // The bias has the rounding of the margin, which the definition has not.
        assert!(worst < 3e-6, "{}/{}: {worst:e}", case.version, case.name);
        let margins = model.predict(rows.view(), Output::Margin).unwrap().values;
        for (parts, margin) in found.values.chunks_exact(booster.features + 1).zip(margins) {
            let sum: f64 = parts.iter().copied().map(f64::from).sum();
            let difference = (sum - f64::from(margin)).abs() / f64::from(margin).abs().max(1.0);
            assert!(difference < 1e-6, "{}/{}: {sum} {margin}", case.version, case.name);
        }
        checked += 1;
    }
    assert!(checked > 250, "{checked}");
}

#[test]
fn leaves_have_the_numbers_of_the_trainers_file() {
    let mut checked = 0;
    for case in cases() {
        let Some(leaf) = case.expected.get("leaf").filter(|leaf| !leaf.is_null()) else { continue };
        let model = open(any_file(&case));
        if model.runtime() != Runtime::Forest {
            continue;
        }
        let found = model.predict(matrix(&case.rows).view(), Output::Leaf).unwrap();
        let expected = case.floats("leaf");
        assert_eq!(bits(&found.values), bits(&expected), "{}/{} {}", case.version, case.name, leaf["shape"]);
        checked += 1;
    }
    assert!(checked > 200, "{checked}");
}

/// Split `n` asks column `n`, as deep as it says: a leaf to the left, the next split to the right.
fn chain(levels: usize) -> String {
    let nodes = 2 * levels + 1;
    let numbers = |number: &dyn Fn(usize) -> f64| (0..nodes).map(number).collect::<Vec<_>>();
    let is_leaf = |node: usize| node % 2 == 1 || node + 1 == nodes;
    let child = |node: usize, offset: usize| if is_leaf(node) { -1.0 } else { (node + offset) as f64 };
    let cover = |node: usize| if node % 2 == 1 { 1.0 } else { (levels + 1 - node / 2) as f64 };
    format!(
        r#"{{"version":[1,7,6],"learner":{{
        "learner_model_param":{{"base_score":"5E-1","num_class":"0","num_feature":"{levels}","num_target":"1"}},
        "objective":{{"name":"reg:squarederror"}},
        "gradient_booster":{{"name":"gbtree","model":{{"tree_info":[0],"trees":[{{
            "tree_param":{{"size_leaf_vector":"0"}},
            "left_children":{left:?},"right_children":{right:?},"split_indices":{feature:?},
            "split_conditions":{condition:?},"default_left":{default:?},"sum_hessian":{cover:?}}}]}}}}}}}}"#,
        left = numbers(&|node| child(node, 1)).iter().map(|&one| one as i64).collect::<Vec<_>>(),
        right = numbers(&|node| child(node, 2)).iter().map(|&one| one as i64).collect::<Vec<_>>(),
        feature = (0..nodes).map(|node| if is_leaf(node) { 0 } else { node / 2 }).collect::<Vec<_>>(),
        condition = numbers(&|node| if is_leaf(node) { (node % 7) as f64 } else { 0.5 }),
        default = vec![0; nodes],
        cover = numbers(&cover),
    )
}

#[test]
fn trees_of_many_levels_are_explained_up_to_a_bound() {
    for levels in [1, 8, 9, 130, 200] {
        let text = chain(levels);
        let row: Vec<f32> = (0..levels).map(|column| f32::from(u8::from(column % 5 != 4))).collect();
        let mut expected = Vec::new();
        arithmetic::contributions(&read_booster(text.as_bytes()).unwrap(), &row, &mut expected).unwrap();
        let found = open(text.as_bytes()).predict(matrix(&[row]).view(), Output::Contributions).unwrap();
        let worst = worst(&found.values, &expected);
        assert!(worst < 1e-6, "{levels} levels: {worst:e}");
    }
    let error = open(chain(513).as_bytes()).predict(matrix(&[vec![0.0; 513]]).view(), Output::Contributions);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("512 levels"), "{error}");
}

#[test]
fn contributions_add_up_to_a_margin_that_many_trees_have_rounded() {
    let one_tree = chain(3);
    let (start, rest) = one_tree.split_once(r#""trees":["#).unwrap();
    let tree = rest.strip_suffix("]}}}}").unwrap().replace("5.0", "5.3").replace("3.0", "3.7");
    let start = start.replace("[0]", &format!("{:?}", vec![0; 3000]));
    let text = format!(r#"{start}"trees":[{}]}}}}}}}}"#, vec![tree; 3000].join(","));
    let rows = matrix(&[vec![0.0, 1.0, 1.0], vec![1.0, 1.0, 0.0], vec![f32::NAN; 3]]);
    let model = open(text.as_bytes());
    let margins = model.predict(rows.view(), Output::Margin).unwrap().values;
    let found = model.predict(rows.view(), Output::Contributions).unwrap();
    for (parts, margin) in found.iter().zip(margins) {
        let sum: f64 = parts.iter().copied().map(f64::from).sum();
        let difference = (sum / f64::from(margin) - 1.0).abs();
        assert!(difference < 1e-6, "{sum} {margin}");
    }
}

#[test]
fn what_has_no_leaves_or_contributions_says_so() {
    let folder = fixtures().join("onnx/dense");
    let rows = matrix(&parse(&fs::read_to_string(folder.join("input.csv")).unwrap()));
    let model = offline::open(&folder.join("model.onnx"), &libraries()).unwrap();
    for output in [Output::Leaf, Output::Contributions] {
        let error = model.predict(rows.view(), output).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    let cases = cases();
    let linear = cases.iter().find(|case| case.name == "gblinear_reg" && case.version == "3.0.5").unwrap();
    let error = open(&linear.files["model.json"]).predict(matrix(&linear.rows).view(), Output::Leaf).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
}

#[test]
fn an_answer_far_larger_than_its_rows_is_refused() {
    let cases = cases();
    let case = cases.iter().find(|case| case.name == "reg_wide" && case.version == "3.0.5").unwrap();
    let rows = matrix(&case.rows.iter().cycle().take(30_000).cloned().collect::<Vec<_>>());
    let error = open(any_file(case)).predict(rows.view(), Output::Contributions).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("30000 rows with 141 numbers"), "{error}");
}
