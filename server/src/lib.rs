//! The multi-model endpoint: HTTP routes, formats, command line.
//!
//! A request goes from the [`server`] through `dispatch` to a handler (`control`, `invoke`, `platform`); rows go through
//! [`decode`], predictions through [`encode`], and all that goes wrong through `failure`, the one place that knows status
//! codes. Modules are listed lowest first: each uses those before it.

#![deny(unsafe_code)]

pub mod error;
pub mod number;
mod python;
mod complaint;
pub mod matrix;
pub mod columns;
pub mod csv;
pub mod libsvm;
pub mod recordio;
pub mod json;
pub mod decode;
pub mod encode;
mod size;
pub mod arguments;
pub mod configuration;
mod uri;
mod identity;
mod reply;
mod failure;
mod framing;
mod conversation;
mod deadline;
mod wire;
mod wish;
mod strict;
mod width;
mod route;
mod meter;
mod budget;
mod waiting;
mod cost;
mod ahead;
mod body;
mod buffers;
mod turns;
mod compute;
mod life;
mod single;
mod history;
mod service;
mod exposition;
mod metrics;
mod emf;
mod control;
mod console;
mod invoke;
mod platform;
mod dispatch;
pub mod server;
mod log;
mod files;
mod stop;
mod top;
pub mod commands;
