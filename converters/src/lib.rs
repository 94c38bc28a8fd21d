//! Reads trainers' model files into a typed [`Booster`] and lowers it to ONNX.
//!
//! [`recognise`] tells what a file is by its content, [`read_booster`] reads every form XGBoost has written,
//! [`arithmetic`] predicts with a booster plainly and exactly, and [`onnx::lower`] writes it as an ONNX model.
//! No input can make this crate panic, recurse without bound or allocate more than a small factor of its size.

#![forbid(unsafe_code)]

pub mod arithmetic;
mod artifact;
mod booster;
mod cursor;
mod error;
mod form;
mod json;
mod objective;
pub mod onnx;
mod pickle;
mod tree;
mod ubjson;
mod value;
mod xgboost;

pub use artifact::{BestIteration, lift, read_booster, read_booster_with};
pub use booster::{Booster, FEATURES_MAX, Linear, Model, Properties, SumOrder, TARGETS_MAX};
pub use error::{Error, Result};
pub use form::{Form, recognise};
pub use objective::{Link, Objective, Version};
pub use tree::{CATEGORIES_MAX, NO_CHILD, Nodes, Tree};
