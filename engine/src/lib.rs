//! Serves thousands of tabular models from one process.
//!
//! An [`Engine`] finds artifacts in a [`Source`](source::Source), converts each once into a form that is mapped and used
//! in place, keeps what fits in memory and lends it out:
//!
//! ```no_run
//! # async fn example() -> thicket_engine::Result<()> {
//! use ndarray::array;
//! use thicket_engine::{Engine, Output, source};
//!
//! let engine = Engine::builder().source(source::open("/srv/models").await?).build()?;
//! let model = engine.model("houston/model.tar.gz").await?;
//! let prices = model.predict(array![[1998.0, 2100.0, 3.0, 2.5, 0.2, 2.0]].view(), Output::Value)?;
//! println!("{:?}", prices.values);
//! # Ok(())
//! # }
//! ```
//!
//! Models are mapped from files of the cache. The first of them installs a handler for SIGBUS, which notices when somebody cuts
//! such a file short, and leaves everything else to what handled the signal before.
//!
//! The crate knows no HTTP and no environment variables. Modules are listed lowest first: each uses those before it.

#[cfg(test)]
mod sample;
mod sync;
mod error;
mod blocking;
mod reason;
mod counts;
mod histogram;
mod times;
mod reading;
mod predictions;
mod library;
mod map;
mod finish;
mod radix;
mod pack;
mod bundle;
mod kernel;
mod contributions;
mod answer;
mod compile;
mod foreign;
mod verify;
mod onnxruntime;
mod xgboost;
mod runtimes;
mod artifact;
mod cache;
mod convert;
mod model;
pub mod source;
mod governor;
mod slot;
mod departures;
mod registry;
mod popularity;
mod outage;
mod refusals;
mod engine;
pub mod offline;

pub use artifact::Limits;
pub use counts::Counts;
pub use departures::Departure;
pub use engine::{Builder, Engine, HeapMeter, ModelInfo, Standing};
pub use error::{Error, ErrorKind, Result};
pub use governor::Memory;
pub use histogram::{BOUNDS_US, Durations, Histogram, micros};
pub use kernel::portable_kernels_only;
pub use library::{Libraries, Library};
pub use model::{Model, Runtime};
pub use popularity::Popular;
pub use predictions::{Output, Predictions};
pub use reading::Reading;
pub use reason::Reason;
pub use slot::Lease;
pub use thicket_converters::{BestIteration, onnx::Operators};
pub use times::{Step, Times};
