//! Prints what the four city models cost in process: `cargo run --release -p thicket-benches`.

use std::error::Error;

use thicket_benches::{cached, cold, warm};
use thicket_tests::houses;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let houses = houses();
    let cache = tempfile::tempdir()?;
    println!("{:40} {:>10} {:>10} {:>10} {:>8}", "one row, microseconds", "min", "p50", "p99", "count");
    println!("{:40} {}", "cold: never seen, from a directory", cold(&houses, 20, cache.path()).await?);
    println!("{:40} {}", "cached: the pack is on disk", cached(&houses, 100, cache.path()).await?);
    println!("{:40} {}", "warm: the model is in memory", warm(&houses, 5000, cache.path()).await?);
    Ok(())
}
