//! The engines that are compared, by name.

mod hess;
mod lleaves;
mod onnxruntime;
mod tl2cgen;
mod treelite;
mod xgboost;

use std::path::Path;

use crate::{Result, scorer::Scorer, workload::Workload};

/// Loads the workload's model into an engine. `library` is the engine's shared library; for `tl2cgen` and `lleaves`,
/// which compile a library for each model, the folder of `NAME.so`; for `hessboost` it is not used.
///
/// # Errors
///
/// An unknown engine, or one that cannot load the model.
pub fn open(engine: &str, library: &Path, workload: &Workload) -> Result<Box<dyn Scorer>> {
    let compiled = library.join(format!("{}.so", workload.name));
    Ok(match engine {
        "xgboost" => Box::new(xgboost::Model::open(library, workload)?),
        "onnxruntime" => Box::new(onnxruntime::Model::open(library, workload)?),
        "treelite" => Box::new(treelite::Model::open(library, workload)?),
        "tl2cgen" => Box::new(tl2cgen::Model::open(&compiled, workload)?),
        "lleaves" => Box::new(lleaves::Model::open(&compiled, workload)?),
        "hessboost" => Box::new(hess::Model::open(workload)?),
        _ => return Err(format!("no engine is called {engine}").into()),
    })
}
