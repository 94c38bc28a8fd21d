//! The contributions that two versions of XGBoost tell for their own models, and the sum rule for all others.

use thicket_converters::{Booster, arithmetic, read_booster};
use thicket_tests::{Case, cases, contributions, worst};

fn explain(booster: &Booster, rows: &[Vec<f32>]) -> Vec<f32> {
    let mut out = Vec::new();
    for row in rows {
        arithmetic::contributions(booster, row, &mut out).unwrap();
    }
    out
}

#[test]
fn every_column_contributes_what_xgboost_says() {
    let mut checked = 0;
    for version in ["1.7.6", "3.0.5"] {
        let expected = contributions(version);
        for case in cases().iter().filter(|case| case.version == version) {
            let Some(expected) = expected.get(&case.name) else { continue };
            let found = explain(&read_booster(&case.files["model.json"]).unwrap(), &case.rows);
            let worst = worst(&found, expected);
            assert!(worst < 1e-5, "{version}/{}: {worst:e}", case.name);
            checked += 1;
        }
    }
    assert_eq!(checked, 44);
}

#[test]
fn the_contributions_of_every_tree_model_add_up_to_its_margins() {
    let mut checked = 0;
    for case in cases().iter().filter(|case| !case.name.starts_with("gblinear")) {
        let bytes = case.files.get("xgboost-model").or(case.files.values().next()).unwrap();
        let booster = read_booster(bytes).unwrap();
        if booster.trees().iter().any(|tree| tree.cover.is_empty()) {
            assert!(case.name.starts_with("vector_leaf"), "{}/{} lacks covers", case.version, case.name);
            continue;
        }
        add_up(case, &booster);
        checked += 1;
    }
    assert!(checked > 250, "{checked}");
}

fn add_up(case: &Case, booster: &Booster) {
    for row in &case.rows {
        let (mut parts, mut margins) = (Vec::new(), Vec::new());
        arithmetic::contributions(booster, row, &mut parts).unwrap();
        arithmetic::margins(booster, row, &mut margins);
        for (parts, margin) in parts.chunks_exact(booster.features + 1).zip(margins) {
            let sum: f64 = parts.iter().copied().map(f64::from).sum();
            let difference = (sum - f64::from(margin)).abs() / f64::from(margin).abs().max(1.0);
            assert!(difference < 1e-6, "{}/{}: {sum} {margin}", case.version, case.name);
        }
    }
}
