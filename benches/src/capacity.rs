//! How many models a server that keeps all it loads can hold in a memory cgroup.

use serde::{Deserialize, Serialize};

/// What a server came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Capacity {
    /// Memory that it might take, in bytes.
    pub limit_bytes: u64,
    /// Models that were loaded and answered, all at the same time.
    pub models: usize,
    /// What happened with the next one.
    pub end: String,
}
