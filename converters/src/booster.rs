//! A trained booster with everything its predictions depend on, checked.

use std::ops::Deref;

use crate::error::{Error, Result};
use crate::form::Form;
use crate::link::Link;
use crate::objective::Objective;
use crate::rules::{self, SumOrder};
use crate::tree::Tree;
use crate::version::Version;

/// The most columns a booster may ask for: a row of them takes 64 MiB.
pub const FEATURES_MAX: usize = 1 << 24;

/// The most margins a row may have.
pub const TARGETS_MAX: usize = 1 << 16;

/// What stands between the base margins and the answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// Decision trees, in the order in which their leaves are summed.
    Trees(Vec<Tree>),
    /// A linear function.
    Linear(Linear),
}

/// A linear function of the columns; missing values count nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// For each feature one weight a target, then one bias a target.
    pub weights: Vec<f32>,
}

/// The properties of a booster, from which [`Booster::new`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Properties {
    /// The version of XGBoost that wrote the file.
    pub version: Version,
    /// The form of the file, or of the bytes inside the pickle.
    pub form: Form,
    /// Whether the booster came out of a pickle.
    pub is_pickled: bool,
    /// What the booster was trained for.
    pub objective: Objective,
    /// How many columns a row has.
    pub features: usize,
    /// How many margins a row has: classes, targets or 1.
    pub targets: usize,
    /// Where the sum starts: one margin a target.
    pub base_margins: Vec<f32>,
    /// The order of the sum.
    pub sum_order: SumOrder,
    /// Trees or weights.
    pub model: Model,
    /// The columns' names, or nothing.
    pub feature_names: Vec<String>,
    /// The columns' types in XGBoost's short words (`float`, `int`, `q`, `c` …), or nothing.
    pub feature_types: Vec<String>,
    /// What training attached to the model.
    pub attributes: Vec<(String, String)>,
    /// The best round of early stopping, counted from 0, as a pickle's state or the attributes say.
    pub best_iteration: Option<u32>,
    /// How many trees a target early stopping found best, as a pickle's state says; 0 means all.
    pub best_ntree_limit: Option<u32>,
    /// How many trees a round made for each target, as the file says. Files up to 1.3 say 1, whatever training did.
    pub parallel_trees: usize,
}

/// A booster whose properties fit together: having one is the proof. They are read through [`Properties`].
#[derive(Debug, Clone, PartialEq)]
pub struct Booster(Properties);

impl Booster {
    /// Checks that `properties` fit together.
    ///
    /// # Errors
    ///
    /// Malformed, with the property's name in XGBoost's files, where they do not.
    pub fn new(properties: Properties) -> Result<Self> {
        check_counts(&properties)?;
        match &properties.model {
            Model::Linear(linear) => check_linear(linear, &properties)?,
            Model::Trees(trees) => check_trees(trees, &properties)?,
        }
        Ok(Self(properties))
    }

    /// How margins become values.
    #[must_use]
    pub fn link(&self) -> Link {
        rules::link(self.0.version, self.0.objective)
    }

    /// How many values a row has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.link().columns(self.0.targets)
    }

    /// The trees, none for a linear model.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        match &self.0.model {
            Model::Trees(trees) => trees,
            Model::Linear(_) => &[],
        }
    }

    /// Keeps the first trees only: `limit` of them for each target, all where `limit` is 0.
    pub(crate) fn keep_trees(&mut self, limit: u32) {
        let groups = self.groups();
        if let (Model::Trees(trees), 1..) = (&mut self.0.model, limit) {
            trees.truncate((limit as usize).saturating_mul(groups));
        }
    }

    /// How many rounds of training the trees are, as XGBoost 3 counts them.
    pub(crate) fn rounds(&self) -> usize {
        self.trees().len() / self.groups().saturating_mul(self.0.parallel_trees)
    }

    /// How many trees make one for each target.
    fn groups(&self) -> usize {
        if self.trees().first().is_some_and(|tree| tree.values_per_leaf > 1) { 1 } else { self.0.targets }
    }

    /// Adds what a pickle says beside the model's own bytes.
    pub(crate) fn set_state(&mut self, state: State) {
        self.0.is_pickled = true;
        self.0.best_iteration = state.best_iteration.or(self.0.best_iteration);
        self.0.best_ntree_limit = state.best_ntree_limit.or(self.0.best_ntree_limit);
        if self.0.feature_names.is_empty() {
            self.0.feature_names = state.feature_names;
        }
        if self.0.feature_types.is_empty() {
            self.0.feature_types = state.feature_types;
        }
    }
}

/// What a pickled booster's Python object knows beside the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) best_iteration: Option<u32>,
    pub(crate) best_ntree_limit: Option<u32>,
    pub(crate) feature_names: Vec<String>,
    pub(crate) feature_types: Vec<String>,
}

impl Deref for Booster {
    type Target = Properties;

    fn deref(&self) -> &Properties {
        &self.0
    }
}

/// Refuses numbers of features and targets that no model of this size of file has.
pub(crate) fn check_size(features: usize, targets: usize) -> Result<()> {
    if features > FEATURES_MAX {
        return Err(Error::malformed("num_feature", format_args!("{features} is more than {FEATURES_MAX}")));
    }
    if !(1..=TARGETS_MAX).contains(&targets) {
        let message = format_args!("expected 1 to {TARGETS_MAX} targets, found {targets}").to_string();
        return Err(Error::malformed("num_class", message));
    }
    Ok(())
}

fn check_counts(properties: &Properties) -> Result<()> {
    check_size(properties.features, properties.targets)?;
    let bases = properties.base_margins.len();
    if bases != properties.targets {
        let message =
            format_args!("expected one for each of {} targets, found {bases}", properties.targets).to_string();
        return Err(Error::malformed("base_score", message));
    }
    if properties.base_margins.iter().any(|margin| margin.is_nan()) {
        let message = format_args!("expected a base score that {} can have", properties.objective).to_string();
        return Err(Error::malformed("base_score", message));
    }
    Ok(())
}

fn check_linear(linear: &Linear, properties: &Properties) -> Result<()> {
    let expected = (properties.features + 1) * properties.targets;
    if linear.weights.len() == expected {
        return Ok(());
    }
    let message = format_args!("expected {expected} numbers, found {}", linear.weights.len()).to_string();
    Err(Error::malformed("weights", message))
}

fn check_trees(trees: &[Tree], properties: &Properties) -> Result<()> {
    let fits = |tree: &Tree| {
        tree.features() <= properties.features
            && (tree.target as usize) < properties.targets
            && (tree.values_per_leaf == 1 || tree.values_per_leaf == properties.targets)
    };
    match trees.iter().position(|tree| !fits(tree)) {
        None => Ok(()),
        Some(at) => {
            Err(Error::malformed(format_args!("trees[{at}]"), "made for a booster of other features or targets"))
        }
    }
}
