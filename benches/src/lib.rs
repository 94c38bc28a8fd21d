//! Named measurements of the engine in process: what a model costs cold, cached and warm.

#![forbid(unsafe_code)]

mod latency;
mod sample;

pub use latency::{cached, cold, warm};
pub use sample::Sample;
