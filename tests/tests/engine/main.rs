//! The engine from outside: models of real trainers through registry, cache and governor.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "tests")]

mod damage;
mod ensembles;
mod exactness;
mod explained;
mod foreign;
mod lifecycle;
mod older;
mod outage;
mod readings;
mod refresh;
mod residency;
mod setting;
mod storage;
