//! Measurements of thicket and of other servers. Modules are listed lowest first: each uses those before it.

#![forbid(unsafe_code)]

pub mod error;
pub mod sample;
pub mod table;
pub mod outcome;
pub mod workload;
pub mod arguments;
pub mod latency;
pub mod inprocess;
pub mod kernels;
pub mod csv;
pub mod commands;
