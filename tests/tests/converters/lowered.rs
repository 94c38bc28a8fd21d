//! The ONNX of every fixture, run by a plain reading of the operator's definition: margins equal the booster's own.

use std::collections::HashMap;

use thicket_converters::onnx::{self, AttributeProto, ModelProto, TensorProto, metadata};
use thicket_converters::{Booster, Link, Model, arithmetic, read_booster};
use thicket_tests::cases;

/// `nodes_modes` of a split that is true for smaller values, and of one that is true for members of its set.
const LESS: u8 = 1;
const MEMBER: u8 = 6;

struct Ensemble<'a> {
    attributes: HashMap<&'a str, &'a AttributeProto>,
    splits: Vec<f32>,
    weights: Vec<f32>,
    base_margins: Vec<f32>,
    /// The set of each split, in order, empty for those that have none.
    sets: Vec<Vec<f32>>,
    is_base_first: bool,
}

impl<'a> Ensemble<'a> {
    fn new(onnx: &'a ModelProto) -> Self {
        let graph = onnx.graph.as_ref().unwrap();
        let attributes: HashMap<_, _> = graph.node[0].attribute.iter().map(|one| (one.name.as_str(), one)).collect();
        let floats_of = |name: &str| attributes.get(name).map_or(Vec::new(), |one| floats(one.t.as_ref().unwrap()));
        let members = floats_of("membership_values");
        let mut members = members.split(|member| member.is_nan()).map(<[f32]>::to_vec);
        let kinds = &attributes["nodes_modes"].t.as_ref().unwrap().raw_data;
        let sets =
            kinds.iter().map(|&kind| if kind == MEMBER { members.next().unwrap() } else { Vec::new() }).collect();
        let (splits, weights) = (floats_of("nodes_splits"), floats_of("leaf_weights"));
        let is_base_first = property(onnx, metadata::SUM_ORDER) == Some(metadata::BASE_THEN_LEAVES);
        Self { splits, weights, sets, is_base_first, base_margins: floats(&graph.initializer[0]), attributes }
    }

    fn integer(&self, name: &str, at: usize) -> usize {
        usize::try_from(self.attributes[name].ints[at]).unwrap()
    }

    fn is_true(&self, split: usize, row: &[f32]) -> bool {
        let value = row[self.integer("nodes_featureids", split)];
        match self.attributes["nodes_modes"].t.as_ref().unwrap().raw_data[split] {
            _ if value.is_nan() => self.integer("nodes_missing_value_tracks_true", split) == 1,
            LESS => value < self.splits[split],
            _ => self.sets[split].contains(&value.trunc()),
        }
    }

    fn leaf(&self, root: usize, row: &[f32]) -> usize {
        let mut split = root;
        loop {
            let (ways, leaves) = if self.is_true(split, row) {
                ("nodes_truenodeids", "nodes_trueleafs")
            } else {
                ("nodes_falsenodeids", "nodes_falseleafs")
            };
            let next = self.integer(ways, split);
            if self.integer(leaves, split) == 1 {
                return next;
            }
            split = next;
        }
    }

    fn margins(&self, row: &[f32]) -> Vec<f32> {
        let mut sums = if self.is_base_first { self.base_margins.clone() } else { vec![0.0; self.base_margins.len()] };
        for tree in 0..self.attributes["tree_roots"].ints.len() {
            let leaf = self.leaf(self.integer("tree_roots", tree), row);
            sums[self.integer("leaf_targetids", leaf)] += self.weights[leaf];
        }
        if !self.is_base_first {
            sums.iter_mut().zip(&self.base_margins).for_each(|(sum, base)| *sum += base);
        }
        sums
    }
}

/// Products onto the start, in the order of the columns.
fn linear_margins(model: &ModelProto, row: &[f32]) -> Vec<f32> {
    let graph = model.graph.as_ref().unwrap();
    let constant = |name: &str| floats(graph.initializer.iter().find(|tensor| tensor.name == name).unwrap());
    let (mut sums, weights) = (constant("base_margins"), constant("weights"));
    let targets = sums.len();
    for (feature, value) in row.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
        sums.iter_mut().zip(&weights[feature * targets..]).for_each(|(sum, weight)| *sum += value * weight);
    }
    sums
}

fn floats(tensor: &TensorProto) -> Vec<f32> {
    tensor.raw_data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn property<'a>(model: &'a ModelProto, key: &str) -> Option<&'a str> {
    model.metadata_props.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
}

#[test]
fn the_graph_of_every_file_sums_to_the_same_margins() {
    let mut lowered = 0;
    for case in cases() {
        for bytes in case.files.values() {
            let booster = read_booster(bytes).unwrap();
            let model = onnx::lower(&booster).unwrap();
            check(&booster, &onnx::decode(&onnx::encode(&model)).unwrap(), &case.rows);
            lowered += 1;
        }
    }
    assert_eq!(lowered, 985);
}

fn check(booster: &Booster, model: &ModelProto, rows: &[Vec<f32>]) {
    match &booster.model {
        Model::Linear(_) => check_margins(booster, rows, |row| linear_margins(model, row)),
        Model::Trees(_) => {
            let ensemble = Ensemble::new(model);
            check_margins(booster, rows, |row| ensemble.margins(row));
        }
    }
    let link = property(model, metadata::LINK).unwrap().parse().unwrap();
    assert_eq!(Link::from_code(link), Some(booster.link()));
    assert_eq!(property(model, metadata::WRITER).unwrap(), format!("xgboost {}", booster.version));
    assert_eq!(property(model, metadata::FEATURE_NAMES).is_some(), !booster.feature_names.is_empty());
    let has_categories = booster.trees().iter().any(|tree| !tree.categories.is_empty());
    assert_eq!(property(model, metadata::CATEGORIES).is_some(), has_categories);
}

fn check_margins(booster: &Booster, rows: &[Vec<f32>], margins: impl Fn(&[f32]) -> Vec<f32>) {
    for row in rows {
        let mut expected = Vec::new();
        arithmetic::margins(booster, row, &mut expected);
        let bits = |margins: Vec<f32>| margins.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(margins(row)), bits(expected));
    }
}
