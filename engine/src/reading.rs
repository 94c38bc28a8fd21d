//! How an artifact is read where what it means is a matter of choice.

/// How an artifact is read where containers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whether several model files in one artifact are an ensemble, whose values are averaged; otherwise only the first
    /// file by name counts.
    pub ensemble: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self { ensemble: true }
    }
}

impl Reading {
    /// What sets conversions of one artifact that was read differently apart.
    pub(crate) fn code(self) -> [u8; 1] {
        [u8::from(self.ensemble)]
    }
}
