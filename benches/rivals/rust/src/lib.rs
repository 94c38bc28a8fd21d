//! What the drivers of rivals share: workloads, timing, and one way to call every engine.

pub mod engines;
pub mod scorer;
pub mod timing;
pub mod workload;

/// Any failure of a driver; its text is what the comparison shows.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
