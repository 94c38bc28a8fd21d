//! Times how long an engine takes to open a workload's model again and again, and prints the median and the least time in
//! milliseconds.
//!
//! usage: open ENGINE LIBRARY COUNT FOLDER [BOOSTER]
//!
//! BOOSTER is the file that XGBoost reads: FOLDER/model.ubj.

use std::{env, path::Path, time::Instant};

use thicket_rivals::{Result, engines, workload::Workload};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [engine, library, count, folder, booster @ ..] = arguments.as_slice() else {
        return Err("usage: open ENGINE LIBRARY COUNT FOLDER [BOOSTER]".into());
    };
    let mut workload = Workload::read(Path::new(folder))?;
    workload.booster = booster.first().map_or(workload.booster, Into::into);
    // What is done once in a process is no part of opening a model.
    engines::open(engine, Path::new(library), &workload)?;
    let mut times_ms = Vec::new();
    for _ in 0..count.parse()? {
        let began = Instant::now();
        let scorer = engines::open(engine, Path::new(library), &workload)?;
        times_ms.push(began.elapsed().as_secs_f64() * 1e3);
        drop(scorer);
    }
    times_ms.sort_by(f64::total_cmp);
    let median_ms = times_ms.get(times_ms.len() / 2).ok_or("COUNT is zero")?;
    println!("{median_ms} {}", times_ms[0]);
    Ok(())
}
