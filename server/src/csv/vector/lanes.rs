//! Eight cells side by side.

/// How many cells are read at once.
pub(super) const GROUP: usize = 8;

/// What eight cells hold.
pub(super) struct Lanes {
    /// Their numbers, NaN for one that is missing, anything for one that is not plain.
    pub(super) numbers: [f32; GROUP],
    /// A bit for each one that is plain: nothing, or a decimal, with an exponent where those were looked for.
    pub(super) plain: u32,
}
