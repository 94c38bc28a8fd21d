//! Points and weights of Gauss and Legendre for integrals from 0 to 1.

use std::f64::consts::PI;

/// Points that are worked on together.
pub(super) const LANES: usize = 4;

/// One number for each of the points worked on together.
pub(super) type Lanes = [f64; LANES];

/// Some of the points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Points {
    /// Where they lie, within 0 and 1.
    pub(super) at: Lanes,
    /// How far that is from 1.
    pub(super) rest: Lanes,
    pub(super) weight: Lanes,
}

/// A rule of `groups` times [`LANES`] points: exact for polynomials of a degree below twice their number.
pub(super) fn rule(groups: usize) -> Vec<Points> {
    let count = groups * LANES;
    let points: Vec<(f64, f64)> = (0..count).map(|index| point(index, count)).collect();
    let (chunks, _) = points.as_chunks::<LANES>();
    let group = |chunk: &[(f64, f64); LANES]| Points {
        at: chunk.map(|(root, _)| f64::midpoint(1.0, root)),
        rest: chunk.map(|(root, _)| f64::midpoint(1.0, -root)),
        weight: chunk.map(|(_, weight)| weight / 2.0),
    };
    chunks.iter().map(group).collect()
}

/// A root of Legendre's polynomial of degree `count`, found by Newton's method, and its weight.
fn point(index: usize, count: usize) -> (f64, f64) {
    let mut root = (PI * (float(index) + 0.75) / (float(count) + 0.5)).cos();
    for _ in 0..8 {
        let (value, slope) = legendre(count, root);
        root -= value / slope;
    }
    let (_, slope) = legendre(count, root);
    (root, 2.0 / ((1.0 - root * root) * slope * slope))
}

/// The polynomial's value and slope, by Bonnet's recursion.
fn legendre(degree: usize, at: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, at);
    for step in 2..=degree {
        let step = float(step);
        (before, value) = (value, ((2.0 * step - 1.0) * at * value - (step - 1.0) * before) / step);
    }
    (value, float(degree) * (at * value - before) / (at * at - 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "rules have a few dozen points")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_below_twice_the_points_are_integrated_exactly() {
        for groups in [1, 2, 5, 16] {
            let points = rule(groups);
            for degree in 0..2 * groups * LANES {
                let power = i32::try_from(degree).unwrap();
                let term = |points: &Points| -> f64 {
                    points.at.iter().zip(points.weight).map(|(at, weight)| at.powi(power) * weight).sum()
                };
                let integral: f64 = points.iter().map(term).sum();
                let expected = 1.0 / float(degree + 1);
                assert!((integral - expected).abs() < 1e-13, "{groups} {degree}: {integral} {expected}");
            }
        }
    }
}
