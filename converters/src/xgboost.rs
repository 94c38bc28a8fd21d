//! XGBoost's own model files: the readers of each form.
//!
//! A reader turns bytes into a [`Learner`], which says what the file says; [`Learner::booster`] applies the rules of the
//! version that wrote it. A new version of XGBoost that renames or moves members touches `schema.rs` alone, one that
//! computes otherwise `rules.rs`.

mod legacy;
mod schema;
mod serialised;

use crate::booster::{Booster, Linear, Model, Properties, check_size};
use crate::error::{Error, Result};
use crate::form::Form;
use crate::objective::Objective;
use crate::rules::{self, SumOrder};
use crate::tree::{Nodes, Tree};
use crate::version::Version;

pub(crate) use serialised::read;

/// What a model file says, in the file's own terms.
#[derive(Debug)]
struct Learner {
    version: Version,
    form: Form,
    objective: String,
    features: usize,
    classes: usize,
    targets: usize,
    /// One number for all targets, or one for each.
    base_scores: Vec<f32>,
    gradient_booster: GradientBooster,
    feature_names: Vec<String>,
    feature_types: Vec<String>,
    attributes: Vec<(String, String)>,
}

#[derive(Debug)]
enum GradientBooster {
    Trees { trees: Vec<Nodes>, parallel_trees: usize, is_dart: bool },
    Linear(Vec<f32>),
}

impl Learner {
    fn booster(self) -> Result<Booster> {
        let targets = self.classes.max(self.targets).max(1);
        check_size(self.features, targets)?;
        let objective = Objective::from_name(&self.objective)
            .ok_or_else(|| Error::unsupported("objective", format_args!("`{}` is not known", self.objective)))?;
        Booster::new(Properties {
            version: self.version,
            form: self.form,
            is_pickled: false,
            objective,
            features: self.features,
            targets,
            base_margins: self.base_margins(objective, targets)?,
            sum_order: self.sum_order(),
            best_iteration: self.best_iteration(),
            best_ntree_limit: None,
            parallel_trees: self.gradient_booster.parallel_trees(),
            model: self.gradient_booster.model(self.features, targets)?,
            feature_names: self.feature_names,
            feature_types: self.feature_types,
            attributes: self.attributes,
        })
    }

    /// One margin a target. A linear booster uses the first base score for all of them, as XGBoost does.
    fn base_margins(&self, objective: Objective, targets: usize) -> Result<Vec<f32>> {
        let margin = |&score: &f32| rules::margin_of_base_score(self.version, objective, score);
        let is_linear = matches!(self.gradient_booster, GradientBooster::Linear(_));
        match self.base_scores.as_slice() {
            [] => Err(Error::malformed("base_score", "expected at least one number")),
            [score] => Ok(vec![margin(score); targets]),
            [score, ..] if is_linear => Ok(vec![margin(score); targets]),
            scores => Ok(scores.iter().map(margin).collect()),
        }
    }

    fn sum_order(&self) -> SumOrder {
        let is_dart = matches!(self.gradient_booster, GradientBooster::Trees { is_dart: true, .. });
        rules::sum_order(self.version, is_dart)
    }

    fn best_iteration(&self) -> Option<u32> {
        let attribute = self.attributes.iter().find(|attribute| attribute.0 == "best_iteration");
        attribute.and_then(|attribute| attribute.1.parse().ok())
    }
}

impl GradientBooster {
    fn parallel_trees(&self) -> usize {
        match self {
            Self::Trees { parallel_trees, .. } => (*parallel_trees).max(1),
            Self::Linear(_) => 1,
        }
    }

    fn model(self, features: usize, targets: usize) -> Result<Model> {
        let trees = match self {
            Self::Linear(weights) => return Ok(Model::Linear(Linear { weights })),
            Self::Trees { trees, .. } => trees,
        };
        let check = |(at, nodes)| {
            Tree::new(nodes, features, targets).map_err(|error| error.within(format_args!("trees[{at}]")))
        };
        trees.into_iter().enumerate().map(check).collect::<Result<_>>().map(Model::Trees)
    }
}
