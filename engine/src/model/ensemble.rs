//! What several models answer together: the mean of their values, or the class that most of them name.

use ndarray::{ArrayView2, Axis};
use thicket_converters::Link;

use super::predict_forest;
use crate::{
    bundle::Bundle,
    error::Result,
    finish::Finish,
    pack::Pack,
    predictions::{Output, Predictions},
};

/// The mean of the members' values whatever their link, as AWS's containers answer: sums in the order of the members and
/// one division, in `f32`.
pub(super) fn mean(bundle: &Bundle, rows: ArrayView2<'_, f32>) -> Result<Predictions> {
    let mut members = answers(bundle, rows);
    let mut mean = members.next().transpose()?.unwrap_or_default();
    for member in members {
        mean.values.iter_mut().zip(member?.values).for_each(|(sum, value)| *sum += value);
    }
    #[expect(clippy::cast_precision_loss, reason = "an artifact has far fewer files than f32 can count")]
    let count = bundle.members().len() as f32;
    mean.values.iter_mut().for_each(|sum| *sum /= count);
    Ok(mean)
}

/// Whether the values are classes, of which there is no mean: the first member speaks for all.
pub(super) fn answers_classes(bundle: &Bundle) -> bool {
    let is_class = |pack: &Pack| matches!(pack.sections().finish(), Finish::Link(Link::SoftmaxClass | Link::Hinge));
    bundle.members().first().is_some_and(is_class)
}

/// How many rows are voted on at once, so that the ballots of a large request take little memory.
const ROWS_AT_ONCE: usize = 256;

/// For each value the one that most members answer, and of several such the smallest.
pub(super) fn vote(bundle: &Bundle, rows: ArrayView2<'_, f32>) -> Result<Predictions> {
    let mut elected = Predictions { columns: 1, values: Vec::with_capacity(rows.nrows()) };
    for rows in rows.axis_chunks_iter(Axis(0), ROWS_AT_ONCE) {
        let members = answers(bundle, rows).collect::<Result<Vec<_>>>()?;
        elected.columns = members[0].columns;
        let mut ballots = vec![0.0; members.len()];
        elected.values.extend((0..members[0].values.len()).map(|at| {
            ballots.iter_mut().zip(&members).for_each(|(ballot, member)| *ballot = member.values[at]);
            most_frequent(&mut ballots)
        }));
    }
    Ok(elected)
}

fn answers<'a>(bundle: &'a Bundle, rows: ArrayView2<'a, f32>) -> impl Iterator<Item = Result<Predictions>> + use<'a> {
    bundle.members().iter().map(move |member| predict_forest(member, rows, Output::Value))
}

/// The most frequent of at least one number, and the smallest of several such.
fn most_frequent(ballots: &mut [f32]) -> f32 {
    ballots.sort_unstable_by(f32::total_cmp);
    let runs = ballots.chunk_by(|one, other| one.to_bits() == other.to_bits());
    let most = runs.reduce(|best, run| if run.len() > best.len() { run } else { best });
    most.map_or(f32::NAN, |run| run[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_class_wins_and_the_smallest_of_equals() {
        for (ballots, expected) in [
            (&mut [2.0][..], 2.0),
            (&mut [1.0, 0.0], 0.0),
            (&mut [2.0, 1.0, 2.0], 2.0),
            (&mut [3.0, 1.0, 2.0, 3.0, 1.0], 1.0),
            (&mut [0.0, 5.0, 5.0, 5.0, 0.0], 5.0),
        ] {
            assert_eq!(most_frequent(ballots).to_bits(), f32::to_bits(expected), "{ballots:?}");
        }
    }
}
