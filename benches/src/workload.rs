//! A named workload on disk: a model, rows for it, and what its margins are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ndarray::ArrayView2;
use serde::Deserialize;

use crate::error::{Error, Result};

/// A folder with `meta.json`, `rows.f32`, `model.*` and perhaps `expected.f32`, read into memory.
#[derive(Debug)]
pub struct Workload {
    /// The folder's name.
    pub name: String,
    /// The model file.
    pub model: PathBuf,
    /// Numbers of a row.
    pub features: usize,
    /// Row after row; NaN is missing.
    pub rows: Vec<f32>,
    /// What the model answers, row after row.
    pub expected: Option<Vec<f32>>,
}

/// What `meta.json` says.
#[derive(Deserialize)]
struct Meta {
    features: usize,
    rows: usize,
}

impl Workload {
    /// Every workload below `folder`, sorted by name; only those of the names in `only`, unless there are none.
    ///
    /// # Errors
    /// With the file that cannot be read, and when there is no workload.
    pub fn all(folder: &Path, only: &[String]) -> Result<Vec<Self>> {
        let mut folders = children(folder)?;
        folders.retain(|path| path.join("meta.json").is_file() && (only.is_empty() || only.contains(&name(path))));
        if folders.is_empty() {
            return Err(Error::new(format!("{}: no workload, expected folders with meta.json", folder.display())));
        }
        folders.iter().map(|path| Self::read(path)).collect()
    }

    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("meta.json");
        let text = fs::read(&path).map_err(Error::file(&path))?;
        let meta: Meta = serde_json::from_slice(&text).map_err(Error::at(path.display()))?;
        let rows = folder.join("rows.f32");
        let workload = Self {
            name: name(folder),
            model: model(folder)?,
            features: meta.features,
            rows: floats(&rows)?,
            expected: folder.join("expected.f32").exists().then(|| floats(&folder.join("expected.f32"))).transpose()?,
        };
        if workload.rows.len() != meta.features * meta.rows || workload.rows.is_empty() {
            let (rows, found) = (rows.display(), workload.rows.len());
            return Err(Error::new(format!("{rows}: {found} numbers, expected {} × {}", meta.rows, meta.features)));
        }
        Ok(workload)
    }

    /// How many rows there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows.len() / self.features
    }

    /// The rows in batches of `batch`, in order; what is left over is not among them.
    ///
    /// # Panics
    /// When `batch` is zero.
    pub fn batches(&self, batch: usize) -> impl Iterator<Item = ArrayView2<'_, f32>> {
        let matrix =
            move |rows| ArrayView2::from_shape((batch, self.features), rows).expect("the numbers were counted");
        self.rows.chunks_exact(batch * self.features).map(matrix)
    }

    /// Repeats the rows until there are `count`, so that a batch can be as large.
    pub fn repeat_to(&mut self, count: usize) {
        let numbers = count * self.features;
        let columns = self.expected.as_ref().map(|expected| expected.len() / self.count());
        cycle_to(&mut self.rows, numbers);
        if let (Some(expected), Some(columns)) = (&mut self.expected, columns) {
            cycle_to(expected, count * columns);
        }
    }
}

fn cycle_to(numbers: &mut Vec<f32>, count: usize) {
    let more = count.saturating_sub(numbers.len());
    let copies: Vec<_> = numbers.iter().copied().cycle().take(more).collect();
    numbers.extend(copies);
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What lies in `folder`, sorted by name.
pub(crate) fn children(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::file(folder))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(Error::file(folder))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The one file of `folder` whose name without its ending is `model`.
fn model(folder: &Path) -> Result<PathBuf> {
    let found = children(folder)?.into_iter().find(|path| path.file_stem().is_some_and(|stem| stem == "model"));
    found.ok_or_else(|| Error::new(format!("{}: no model.*", folder.display())))
}

/// The little-endian numbers of a file.
fn floats(path: &Path) -> Result<Vec<f32>> {
    let bytes = fs::read(path).map_err(Error::file(path))?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Error::new(format!("{}: {} bytes, expected a multiple of 4", path.display(), bytes.len())));
    }
    Ok(numbers.iter().copied().map(f32::from_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload() -> Workload {
        let rows = (0u8..10).map(f32::from).collect();
        let expected = Some((0u8..5).map(f32::from).collect());
        Workload { name: String::new(), model: PathBuf::new(), features: 2, rows, expected }
    }

    #[test]
    fn batches_walk_through_all_rows() {
        let workload = workload();
        let firsts = |batch| workload.batches(batch).map(|rows| rows[(0, 0)]).collect::<Vec<_>>();
        assert_eq!((firsts(1), firsts(2)), (vec![0.0, 2.0, 4.0, 6.0, 8.0], vec![0.0, 4.0]));
        assert_eq!(workload.batches(2).map(|rows| rows.dim()).collect::<Vec<_>>(), [(2, 2), (2, 2)]);
    }

    #[test]
    fn rows_and_answers_are_repeated_together() {
        let mut workload = workload();
        workload.repeat_to(7);
        assert_eq!(workload.rows[10..], [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(workload.expected.unwrap()[5..], [0.0, 1.0]);
    }

    #[test]
    fn a_file_that_is_cut_off_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join("a").join(name), bytes).unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        assert!(Workload::all(folder.path(), &[]).unwrap_err().to_string().contains("no workload"));
        write("meta.json", br#"{"features": 1, "rows": 2}"#);
        write("model.ubj", b"");
        write("rows.f32", &[0; 7]);
        assert!(Workload::all(folder.path(), &[]).unwrap_err().to_string().contains("7 bytes"));
        write("rows.f32", &[0; 4]);
        assert!(Workload::all(folder.path(), &[]).unwrap_err().to_string().contains("1 numbers, expected 2 × 1"));
        write("rows.f32", &[0; 8]);
        assert_eq!(Workload::all(folder.path(), &["a".to_owned()]).unwrap()[0].rows, [0.0, 0.0]);
    }
}
