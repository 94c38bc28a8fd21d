//! What the four city models cost in process: never seen, cached on disk, in memory.
//!
//! The goals: half of all first answers within 5 ms, and within 0.3 ms where the pack is on disk, of which opening it is 0.05.

use thicket_tests::{houses, prefix};

use crate::{
    arguments::Inprocess,
    error::{Error, Result},
    latency::{cached, cold, opened, warm},
    outcome::Outcome,
    state::{State, table},
};

/// Measures the three states.
///
/// # Errors
/// When there is no scratch folder, the engine refuses a model, or the results cannot be written.
pub fn run(options: &Inprocess) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().map_err(Error::at("runtime"))?;
    let states = runtime.block_on(measure())?;
    print!("{}", table(&states));
    Outcome::new("inprocess", &options.out.name, states).write(options.out.out.as_deref())
}

async fn measure() -> Result<Vec<State>> {
    let houses = houses();
    let cache = tempfile::tempdir().map_err(Error::at("scratch folder"))?;
    let engine = || Error::at("engine");
    let never_seen = cold(&houses, 20, cache.path()).await.map_err(engine())?;
    let on_disk = cached(&houses, 100, cache.path()).await.map_err(engine())?;
    let names: Vec<&str> = houses.iter().map(|house| house.target.as_str()).collect();
    let opening = opened(&prefix(), &names, 100, cache.path()).await.map_err(engine())?;
    let in_memory = warm(&houses, 5000, cache.path()).await.map_err(engine())?;
    Ok(vec![
        State::new("never seen, from a directory", never_seen),
        State::new("cached on disk", on_disk),
        State::new("opening the pack alone", opening),
        State::new("warm", in_memory),
    ])
}
