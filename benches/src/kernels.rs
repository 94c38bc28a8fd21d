//! How long a prediction takes in process, for each row, by workload and batch.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use thicket_engine::{ErrorKind, Libraries, Model, Output, Predictions, offline};
use thicket_tests::root;

use crate::{
    arguments::Kernels,
    error::{Error, Result},
    outcome::Outcome,
    table::{Table, short},
    workload::Workload,
};

/// Rows that are timed at once, if a call has fewer.
const SLICE_ROWS: usize = 64;

/// One workload in calls of one size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The workload's name.
    pub workload: String,
    /// Rows of a call.
    pub batch: usize,
    /// Time for a row, of each slice of rows in the pass where it took the least.
    pub ns_per_row: f64,
    /// Whether every answer has the expected bits; nothing where none are known.
    pub equal: Option<bool>,
    /// What was asked for: `margin`, or `value` of graphs that have no margins.
    pub output: String,
    /// What runs the model.
    pub runtime: String,
}

/// A workload whose model is in memory.
struct Subject {
    workload: Workload,
    model: Model,
    output: Output,
}

impl Subject {
    fn open(mut workload: Workload, batch_max: usize) -> Result<Self> {
        let path = workload.model.clone();
        let libraries = Libraries::find(None, None, &[root().join("runtimes")]);
        let model = offline::open(&path, &libraries).map_err(Error::at(path.display()))?;
        workload.repeat_to(batch_max);
        let first = workload.batches(1).next().expect("a workload has rows");
        let output = match model.predict(first, Output::Margin) {
            Err(error) if error.kind() == ErrorKind::Unsupported => Output::Value,
            answered => answered.map(|_| Output::Margin).map_err(Error::at(path.display()))?,
        };
        Ok(Self { workload, model, output })
    }

    fn predict(&self, rows: ArrayView2<'_, f32>) -> Predictions {
        self.model.predict(rows, self.output).expect("a model that took one row takes others as wide")
    }

    /// Whether the answers to all rows, in calls of `batch`, have the expected bits.
    fn equal(&self, batch: usize) -> Option<bool> {
        let expected = self.workload.expected.as_ref()?;
        let found: Vec<f32> = self.workload.batches(batch).flat_map(|rows| self.predict(rows).values).collect();
        let columns = expected.len() / self.workload.count();
        let expected = expected.get(..self.workload.count() / batch * batch * columns)?;
        let same = |(found, expected): (&f32, &f32)| found.to_bits() == expected.to_bits();
        Some(found.len() == expected.len() && found.iter().zip(expected).all(same))
    }

    /// Times one pass through all rows, slice by slice, and keeps the shortest time of each slice: what else the machine does
    /// seldom meets the same slice every time.
    fn pass(&self, batch: usize, fastest: &mut Vec<Duration>) {
        let calls: Vec<_> = self.workload.batches(batch).collect();
        let slices = calls.chunks((SLICE_ROWS / batch).max(1));
        fastest.resize(slices.len(), Duration::MAX);
        for (slice, fastest) in slices.zip(fastest) {
            let start = Instant::now();
            for rows in slice {
                black_box(self.predict(black_box(*rows)));
            }
            *fastest = start.elapsed().min(*fastest);
        }
    }

    /// Time for a row, where each slice took its shortest time.
    #[expect(clippy::cast_precision_loss, reason = "a workload has fewer than 2^52 rows")]
    fn ns_per_row(&self, batch: usize, fastest: &[Duration]) -> f64 {
        fastest.iter().sum::<Duration>().as_secs_f64() * 1e9 / (self.workload.count() / batch * batch) as f64
    }

    fn figure(&self, batch: usize) -> Figure {
        Figure {
            workload: self.workload.name.clone(),
            batch,
            ns_per_row: f64::INFINITY,
            equal: self.equal(batch),
            output: if self.output == Output::Margin { "margin" } else { "value" }.to_owned(),
            runtime: self.model.runtime().name().to_owned(),
        }
    }
}

/// Measures every workload in calls of every size, pass by pass in turn, so that what else the machine does hits all alike.
///
/// # Errors
/// When a workload cannot be read, or the results not written.
pub fn run(options: &Kernels) -> Result<()> {
    if options.portable {
        thicket_engine::portable_kernels_only();
    }
    let batches: Vec<usize> = options.batches.iter().map(|batch| batch.get()).collect();
    let batch_max = batches.iter().copied().max().unwrap_or(1);
    let mut subjects = Vec::new();
    for workload in Workload::all(&options.workloads, &options.only)? {
        eprintln!("opening {}", workload.name);
        subjects.push(Subject::open(workload, batch_max)?);
    }
    let mut figures: Vec<(&Subject, Figure, Vec<Duration>)> = subjects
        .iter()
        .flat_map(|subject| batches.iter().map(move |&batch| (subject, subject.figure(batch), Vec::new())))
        .collect();
    for pass in 1..=options.passes.get() {
        eprintln!("pass {pass} of {}", options.passes);
        for (subject, figure, fastest) in &mut figures {
            subject.pass(figure.batch, fastest);
            figure.ns_per_row = subject.ns_per_row(figure.batch, fastest);
        }
    }
    let figures: Vec<_> = figures.into_iter().map(|(_, figure, _)| figure).collect();
    print!("{}", table(&figures));
    Outcome::new("kernels", &options.out.name, figures).write(options.out.out.as_deref())
}

/// The figures as a table.
#[must_use]
pub fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new(&["workload", "batch", "ns per row", "equal", "output", "runtime"]);
    for figure in figures {
        table.row([
            figure.workload.clone(),
            figure.batch.to_string(),
            short(figure.ns_per_row),
            figure.equal.map_or("-", |equal| if equal { "yes" } else { "no" }).to_owned(),
            figure.output.clone(),
            figure.runtime.clone(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use thicket_tests::{cases, matrix};

    use super::*;

    /// A committed model as a workload; the second answer is wrong if that is wanted.
    fn subject(is_wrong: bool) -> Subject {
        let case = cases().into_iter().find(|case| case.files.contains_key("model.ubj")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model.ubj");
        std::fs::write(&model, &case.files["model.ubj"]).unwrap();
        let rows = matrix(&case.rows);
        let mut expected = case.floats("margin");
        expected[1] += if is_wrong { 1.0 } else { 0.0 };
        let (features, rows) = (rows.ncols(), rows.into_raw_vec_and_offset().0);
        let workload = Workload { name: case.name, model, features, rows, expected: Some(expected) };
        Subject::open(workload, 1).unwrap()
    }

    #[test]
    fn answers_are_compared_to_the_bit_at_every_batch() {
        for batch in [1, 3] {
            assert_eq!(subject(false).equal(batch), Some(true));
            assert_eq!(subject(true).equal(batch), Some(false));
        }
    }

    #[test]
    fn a_pass_takes_time_for_every_row() {
        let (timed, mut fastest) = (subject(false), Vec::new());
        timed.pass(3, &mut fastest);
        let first = timed.ns_per_row(3, &fastest);
        timed.pass(3, &mut fastest);
        assert!(first > 0.0 && timed.ns_per_row(3, &fastest) <= first);
        assert!(table(&[subject(false).figure(3)]).to_string().contains("yes"));
    }
}
