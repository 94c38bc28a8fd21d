//! A folder that `workloads.py` made: a model, rows, and what its trainer answers to them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::Result;

/// What `meta.json` says.
#[derive(Deserialize)]
struct Meta {
    features: usize,
    rows: usize,
    outputs: usize,
}

/// The rows of a workload and the margins expected of them, both row-major.
pub struct Workload {
    /// The folder's name.
    pub name: String,
    /// Where its files lie.
    pub folder: PathBuf,
    /// The file that XGBoost reads.
    pub booster: PathBuf,
    /// Cells in a row.
    pub features: usize,
    /// Rows in all.
    pub rows: usize,
    /// Values that the model gives for a row.
    pub outputs: usize,
    /// All cells; NaN is a missing value.
    pub cells: Vec<f32>,
    /// The trainer's margins.
    pub margins: Vec<f32>,
}

impl Workload {
    /// Reads the folder.
    ///
    /// # Errors
    ///
    /// When a file is missing, or its length is not what `meta.json` says.
    pub fn read(folder: &Path) -> Result<Self> {
        let Meta { features, rows, outputs } = serde_json::from_slice(&fs::read(folder.join("meta.json"))?)?;
        let cells = floats(&folder.join("rows.f32"), rows * features)?;
        let margins = floats(&folder.join("expected.f32"), rows * outputs)?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let booster = folder.join("model.ubj");
        Ok(Self { name, folder: folder.to_owned(), booster, features, rows, outputs, cells, margins })
    }

    /// The cells of `count` rows from row `first` on.
    #[must_use]
    pub fn batch(&self, first: usize, count: usize) -> &[f32] {
        &self.cells[first * self.features..(first + count) * self.features]
    }
}

fn floats(path: &Path, count: usize) -> Result<Vec<f32>> {
    let bytes = fs::read(path)?;
    if bytes.len() != count * 4 {
        return Err(format!("{} holds {} bytes instead of {}", path.display(), bytes.len(), count * 4).into());
    }
    Ok(bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
}
