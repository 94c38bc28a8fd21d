//! How fast the reader of CSV is: on whole bodies, and on their first line as a request of one row would have it.

use std::{
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    time::Instant,
};

use serde::{Deserialize, Serialize};
use thicket_server::{columns::Columns, csv as reader, matrix::Matrix};

use crate::{
    arguments::Csv,
    bodies::{BYTES, NAMES, body},
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
    /// The same with the `csv` crate and `str::parse::<f32>`.
    pub csv_crate_gb_per_s: f64,
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
            csv_crate_gb_per_s: 0.0,
            first_line_ns: f64::INFINITY,
            equal: matrix.values.iter().map(|value| value.to_bits()).eq(plain(&body)),
        };
        Ok(Self { body, matrix, figure })
    }

    fn pass(&mut self) {
        let start = Instant::now();
        parse(&self.body, &mut self.matrix);
        let gb_per_s = self.gb_per_s(start);
        let start = Instant::now();
        black_box(with_csv_crate(black_box(&self.body)));
        let csv_crate_gb_per_s = self.gb_per_s(start);
        let line = first_line(&self.body);
        let start = Instant::now();
        for _ in 0..LINES_AT_ONCE {
            parse(line, &mut self.matrix);
        }
        let line_ns = start.elapsed().as_secs_f64() * 1e9 / f64::from(LINES_AT_ONCE);
        self.figure.gb_per_s = self.figure.gb_per_s.max(gb_per_s);
        self.figure.csv_crate_gb_per_s = self.figure.csv_crate_gb_per_s.max(csv_crate_gb_per_s);
        self.figure.first_line_ns = self.figure.first_line_ns.min(line_ns);
    }

    #[expect(clippy::cast_precision_loss, reason = "a body has fewer than 2^52 bytes")]
    fn gb_per_s(&self, start: Instant) -> f64 {
        self.body.len() as f64 / start.elapsed().as_secs_f64() / 1e9
    }
}

/// The numbers of `body` as most Rust programs would read them; an empty cell is missing.
///
/// # Panics
/// When a cell is no number.
#[must_use]
pub fn with_csv_crate(body: &[u8]) -> Vec<f32> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(body);
    let (mut record, mut values) = (csv::StringRecord::new(), Vec::new());
    while reader.read_record(&mut record).expect("the body is in memory and well formed") {
        let number = |cell: &str| if cell.is_empty() { f32::NAN } else { cell.parse().expect("a number") };
        values.extend(record.iter().map(number));
    }
    values
}

fn read(body: &[u8], matrix: &mut Matrix) -> thicket_server::error::Result<()> {
    reader::read_for(body, Columns::default(), true, matrix)
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
    let bodies = match &options.folder {
        Some(folder) => files(folder)?,
        None => NAMES.map(|name| (name.to_owned(), body(name, BYTES))).into(),
    };
    let mut subjects = bodies.into_iter().map(|(name, body)| Subject::new(name, body)).collect::<Result<Vec<_>>>()?;
    for _ in 0..options.passes.get() {
        subjects.iter_mut().for_each(Subject::pass);
    }
    let figures: Vec<_> = subjects.into_iter().map(|subject| subject.figure).collect();
    print!("{}", table(&figures));
    Outcome::new("csv", &options.out.name, figures).write(options.out.out.as_deref())
}

/// The names and contents of the CSV files of a folder.
fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let paths = children(folder)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "csv"));
    let file = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, fs::read(&path).map_err(Error::file(&path))?))
    };
    paths.map(file).collect()
}

/// The figures as a table.
#[must_use]
pub fn table(figures: &[Figure]) -> Table {
    let mut table =
        Table::new(&["body", "bytes", "rows", "columns", "GB/s", "csv crate, GB/s", "first line, ns", "equal"]);
    for figure in figures {
        table.row([
            figure.body.clone(),
            figure.bytes.to_string(),
            figure.rows.to_string(),
            figure.columns.to_string(),
            short(figure.gb_per_s),
            short(figure.csv_crate_gb_per_s),
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
        assert_eq!(with_csv_crate(b"1,\n2,3\n")[2..], [2.0, 3.0]);
        assert!(gb_per_s > 0.0 && first_line_ns > 0.0);
        assert_eq!(first_line(&subject.body), b"0.4551,,1e-3");
    }

    #[test]
    fn a_body_that_is_no_csv_is_told_by_name() {
        let error = Subject::new("words".to_owned(), b"1,2\na,b\n".to_vec()).err().unwrap();
        assert!(error.to_string().starts_with("words: "), "{error}");
    }
}
