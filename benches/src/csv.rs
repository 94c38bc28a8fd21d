//! How fast the reader of CSV is: on whole bodies, and on their first line as a request of one row would have it.

use std::{fs, hint::black_box, time::Instant};

use serde::{Deserialize, Serialize};
use thicket_server::{columns::Columns, csv, matrix::Matrix};

use crate::{
    arguments::Csv,
    error::{Error, Result},
    outcome::Outcome,
    table::{Table, short},
    workload::children,
};

/// Reads of a line are timed so many at a time, since one takes about as long as asking for the time.
const LINES_AT_ONCE: u32 = 1000;

/// One body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The file's name without its ending.
    pub body: String,
    /// Its length in bytes.
    pub bytes: usize,
    /// Its rows.
    pub rows: usize,
    /// Their columns.
    pub columns: usize,
    /// Billions of bytes a second in the fastest pass.
    pub gb_per_s: f64,
    /// Time for the first line alone in the fastest pass.
    pub first_line_ns: f64,
    /// Whether every number is the `f64` of its text, narrowed.
    pub equal: bool,
}

struct Subject {
    body: Vec<u8>,
    matrix: Matrix,
    figure: Figure,
}

impl Subject {
    fn new(name: String, body: Vec<u8>) -> Result<Self> {
        let mut matrix = Matrix::default();
        read(&body, &mut matrix).map_err(Error::at(&name))?;
        let figure = Figure {
            body: name,
            bytes: body.len(),
            rows: matrix.rows(),
            columns: matrix.columns,
            gb_per_s: 0.0,
            first_line_ns: f64::INFINITY,
            equal: matrix.values.iter().map(|value| value.to_bits()).eq(plain(&body)),
        };
        Ok(Self { body, matrix, figure })
    }

    #[expect(clippy::cast_precision_loss, reason = "a body has fewer than 2^52 bytes")]
    fn pass(&mut self) {
        let start = Instant::now();
        parse(&self.body, &mut self.matrix);
        let gb_per_s = self.body.len() as f64 / start.elapsed().as_secs_f64() / 1e9;
        let line = first_line(&self.body);
        let start = Instant::now();
        for _ in 0..LINES_AT_ONCE {
            parse(line, &mut self.matrix);
        }
        let line_ns = start.elapsed().as_secs_f64() * 1e9 / f64::from(LINES_AT_ONCE);
        self.figure.gb_per_s = self.figure.gb_per_s.max(gb_per_s);
        self.figure.first_line_ns = self.figure.first_line_ns.min(line_ns);
    }
}

fn read(body: &[u8], matrix: &mut Matrix) -> thicket_server::error::Result<()> {
    csv::read_for(body, Columns::default(), true, matrix)
}

fn parse(body: &[u8], matrix: &mut Matrix) {
    read(black_box(body), matrix).expect("it was read before");
    black_box(matrix);
}

fn first_line(body: &[u8]) -> &[u8] {
    body.split(|&byte| byte == b'\n').next().unwrap_or(body)
}

/// The bits of each cell, read plainly.
fn plain(body: &[u8]) -> impl Iterator<Item = u32> {
    let text = body.trim_ascii();
    text.split(|&byte| matches!(byte, b',' | b'\n')).map(|cell| {
        let cell = str::from_utf8(cell).unwrap_or_default().trim();
        #[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest f32 is what is asked for")]
        let value = if cell.is_empty() { f32::NAN } else { cell.parse::<f64>().unwrap_or(f64::NAN) as f32 };
        value.to_bits()
    })
}

/// Measures every body, pass by pass in turn.
///
/// # Errors
/// When a body cannot be read, or the results not written.
pub fn run(options: &Csv) -> Result<()> {
    let mut subjects = Vec::new();
    for path in children(&options.folder)?.iter().filter(|path| path.extension().is_some_and(|end| end == "csv")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        subjects.push(Subject::new(name, fs::read(path).map_err(Error::file(path))?)?);
    }
    for _ in 0..options.passes.get() {
        subjects.iter_mut().for_each(Subject::pass);
    }
    let figures: Vec<_> = subjects.into_iter().map(|subject| subject.figure).collect();
    print!("{}", table(&figures));
    Outcome::new("csv", &options.out.name, figures).write(options.out.out.as_deref())
}

fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new(&["body", "bytes", "rows", "columns", "GB/s", "first line, ns", "equal"]);
    for figure in figures {
        table.row([
            figure.body.clone(),
            figure.bytes.to_string(),
            figure.rows.to_string(),
            figure.columns.to_string(),
            short(figure.gb_per_s),
            short(figure.first_line_ns),
            if figure.equal { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_measured_whole_and_by_its_first_line() {
        let mut subject = Subject::new("mixed".to_owned(), b"0.4551,,1e-3\n1,2,3\n".to_vec()).unwrap();
        subject.pass();
        let Figure { rows, columns, gb_per_s, first_line_ns, equal, .. } = subject.figure;
        assert_eq!((rows, columns, equal), (2, 3, true));
        assert!(gb_per_s > 0.0 && first_line_ns > 0.0);
        assert_eq!(first_line(&subject.body), b"0.4551,,1e-3");
    }

    #[test]
    fn a_body_that_is_no_csv_is_told_by_name() {
        let error = Subject::new("words".to_owned(), b"1,2\na,b\n".to_vec()).err().unwrap();
        assert!(error.to_string().starts_with("words: "), "{error}");
    }
}
