//! Times how long an engine takes to open a workload's model again and again, and prints the median in milliseconds.
//!
//! usage: open ENGINE LIBRARY COUNT FOLDER

use std::{env, path::Path, time::Instant};

use thicket_rivals::{Result, engines, workload::Workload};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [engine, library, count, folder] = arguments.as_slice() else {
        return Err("usage: open ENGINE LIBRARY COUNT FOLDER".into());
    };
    let workload = Workload::read(Path::new(folder))?;
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
    println!("{}", times_ms.get(times_ms.len() / 2).ok_or("COUNT is zero")?);
    Ok(())
}
