//! One way to call every engine.

use crate::Result;

/// A model that an engine has loaded and runs on one thread.
pub trait Scorer {
    /// Writes the margins of `cells` (row-major, `rows` rows) to `margins`.
    ///
    /// # Errors
    ///
    /// The engine's own.
    fn score(&mut self, cells: &[f32], rows: usize, margins: &mut [f32]) -> Result<()>;

    /// Whether what the engine writes are margins: some give only what comes after the link.
    fn gives_margins(&self) -> bool {
        true
    }
}
