//! What the four city models cost in process: never seen, cached on disk, in memory.

use thicket_tests::houses;

use crate::{
    error::{Error, Result},
    latency::{cached, cold, warm},
};

/// Prints the three costs.
///
/// # Errors
/// When there is no scratch folder, or the engine refuses a model.
pub fn run() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().map_err(Error::at("runtime"))?;
    runtime.block_on(measure())
}

async fn measure() -> Result<()> {
    let houses = houses();
    let cache = tempfile::tempdir().map_err(Error::at("scratch folder"))?;
    let engine = || Error::at("engine");
    println!("{:40} {:>10} {:>10} {:>10} {:>8}", "one row, microseconds", "min", "p50", "p99", "count");
    let sample = cold(&houses, 20, cache.path()).await.map_err(engine())?;
    println!("{:40} {sample}", "cold: never seen, from a directory");
    let sample = cached(&houses, 100, cache.path()).await.map_err(engine())?;
    println!("{:40} {sample}", "cached: the pack is on disk");
    let sample = warm(&houses, 5000, cache.path()).await.map_err(engine())?;
    println!("{:40} {sample}", "warm: the model is in memory");
    Ok(())
}
