//! Times an engine of trees on workloads and prints a line of JSON for each workload and batch.
//!
//! usage: kernels ENGINE LIBRARY SECONDS BATCH[,BATCH ...] FOLDER ...

use std::{env, path::Path};

use serde_json::json;
use thicket_rivals::{
    Result, engines,
    timing::{agreement, ns_per_row},
    workload::Workload,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [engine, library, seconds, batches, folders @ ..] = arguments.as_slice() else {
        return Err("usage: kernels ENGINE LIBRARY SECONDS BATCH[,BATCH ...] FOLDER ...".into());
    };
    for folder in folders {
        if let Err(error) = time(engine, Path::new(library), seconds.parse()?, batches, Path::new(folder)) {
            println!("{}", json!({ "workload": name(folder), "error": error.to_string() }));
        }
    }
    Ok(())
}

fn name(folder: &str) -> std::borrow::Cow<'_, str> {
    Path::new(folder).file_name().unwrap_or_default().to_string_lossy()
}

fn time(engine: &str, library: &Path, seconds: f64, batches: &str, folder: &Path) -> Result<()> {
    let workload = Workload::read(folder)?;
    let mut scorer = engines::open(engine, library, &workload)?;
    let agreement = agreement(scorer.as_mut(), &workload)?;
    for batch in batches.split(',') {
        let batch: usize = batch.parse()?;
        let ns_per_row = ns_per_row(scorer.as_mut(), &workload, batch, seconds)?;
        let (equal, error) = agreement.unzip();
        let line = json!({ "workload": workload.name, "batch": batch, "ns_per_row": ns_per_row, "equal": equal, "worst": error });
        println!("{line}");
    }
    Ok(())
}
