//! Reads trainers' model files into a typed [`Booster`] and lowers it to ONNX.
//!
//! [`recognise`] tells what a file is by its content, [`read_booster`] reads every form XGBoost has written,
//! [`arithmetic`] predicts with a booster plainly and exactly, and [`onnx::lower`] writes it as an ONNX model.
//! No input can make this crate panic, recurse without bound or allocate more than a small factor of its size.
//! Modules are listed lowest first: each uses those before it.

#![forbid(unsafe_code)]

mod error;
mod cursor;
mod form;
mod version;
mod link;
mod objective;
mod rules;
mod tree;
mod booster;
pub mod arithmetic;
mod value;
mod json;
mod ubjson;
mod pickle;
mod xgboost;
pub mod onnx;
mod artifact;

pub use artifact::{BestIteration, lift, read_booster, read_booster_with};
pub use booster::{Booster, FEATURES_MAX, Linear, Model, Properties, TARGETS_MAX};
pub use error::{Error, Result};
pub use form::{Form, recognise};
pub use link::Link;
pub use objective::Objective;
pub use rules::SumOrder;
pub use tree::{CATEGORIES_MAX, NO_CHILD, Nodes, Tree};
pub use version::Version;
