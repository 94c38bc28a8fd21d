//! Numbers as sortable integers, in which rulers have their marks.

/// An integer that stands to those of other numbers as `value` to these; -0 is 0.
///
/// NaN has none: what it becomes here lies beyond both infinities.
#[inline]
pub(crate) fn sortable(value: f32) -> i32 {
    let bits = (value + 0.0).to_bits().cast_signed();
    bits ^ ((bits >> 31) & i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_order() {
        let ascending = [f32::NEG_INFINITY, f32::MIN, -1.0, -1e-45, 0.0, 1e-45, 1.0, 1.0_f32.next_up(), f32::INFINITY];
        assert!(ascending.map(sortable).is_sorted_by(|one, other| one < other));
        assert_eq!(sortable(-0.0), sortable(0.0));
        assert!(sortable(f32::INFINITY) < i32::MAX);
    }
}
