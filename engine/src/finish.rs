//! The last step from sums to answers: a booster's link, or the post-transform of another tool's ensemble.

mod post_transform;

use thicket_converters::Link;

pub(crate) use post_transform::PostTransform;

/// The last step of a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Link(Link),
    PostTransform(PostTransform),
}

impl Finish {
    /// The number of this step in packs. Links have those below 101.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Link(link) => link.code(),
            Self::PostTransform(transform) => transform.code(),
        }
    }

    /// The step of that number.
    pub(crate) fn from_code(code: u32) -> Option<Self> {
        let transform = || PostTransform::from_code(code).map(Self::PostTransform);
        Link::from_code(code).map(Self::Link).or_else(transform)
    }

    /// Whether this is a booster's link, or leaves the sums as they are.
    pub(crate) fn is_link(self) -> bool {
        matches!(self, Self::Link(_))
    }

    /// How many values a row has whose sums are `targets`.
    pub(crate) fn columns(self, targets: usize) -> usize {
        match self {
            Self::Link(link) => link.columns(targets),
            Self::PostTransform(transform) => transform.columns(targets),
        }
    }

    /// Appends the values of one row, whose sums these are, to `out`.
    pub(crate) fn apply(self, sums: &[f32], out: &mut Vec<f32>) {
        match self {
            Self::Link(link) => link.apply(sums, out),
            Self::PostTransform(transform) => transform.apply(sums, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_back() {
        for code in (0..8).chain(101..106) {
            assert_eq!(Finish::from_code(code).unwrap().code(), code);
        }
        assert_eq!(Finish::from_code(8).or(Finish::from_code(106)), None);
    }
}
