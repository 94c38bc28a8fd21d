//! How an artifact is read where what it means is a matter of choice.

use thicket_converters::BestIteration;

/// How an artifact is read where containers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whether several model files in one artifact are an ensemble, whose values are averaged; otherwise only the first
    /// file by name counts.
    pub ensemble: bool,
    /// Which trees a booster uses whose training stopped early.
    pub best_iteration: BestIteration,
}

impl Default for Reading {
    fn default() -> Self {
        Self { ensemble: true, best_iteration: BestIteration::AsToday }
    }
}

impl Reading {
    /// What sets conversions of one artifact that was read differently apart.
    pub(crate) fn code(self) -> [u8; 2] {
        let is_legacy = self.best_iteration == BestIteration::Legacy;
        [u8::from(self.ensemble), u8::from(is_legacy)]
    }
}
