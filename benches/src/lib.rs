//! Measurements of thicket and of other servers. Modules are listed lowest first: each uses those before it.

#![forbid(unsafe_code)]

/// The server's: what it does in process is measured here as it does it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

pub mod error;
pub mod sample;
pub mod table;
pub mod distribution;
pub mod state;
pub mod outcome;
pub mod workload;
pub mod bodies;
pub mod model;
pub mod legacy;
pub mod large;
pub mod arguments;
pub mod watch;
pub mod process;
pub mod load;
pub mod metrics;
pub mod announcement;
pub mod group;
pub mod relay;
pub mod objects;
pub mod server;
pub mod prefix;
pub mod fleet;
pub mod interval;
pub mod latency;
pub mod inprocess;
pub mod kernels;
pub mod conversion;
pub mod csv;
pub mod http;
pub mod cold;
pub mod zipf;
pub mod density;
pub mod capacity;
pub mod soak;
pub mod report;
pub mod commands;
