//! LightGBM models that lleaves compiled: `forest_root` of the library made from the object file it caches.

use std::{ffi::c_int, path::Path};

use libloading::Library;

use crate::{Result, scorer::Scorer, workload::Workload};

type Forest = unsafe extern "C" fn(*const f64, *mut f64, c_int, c_int);

/// A compiled model.
pub struct Model {
    forest: Forest,
    cells: Vec<f64>,
    values: Vec<f64>,
    /// Last, so that it outlives the function taken from it.
    _library: Library,
}

impl Model {
    /// Opens the library that was compiled for the model.
    pub fn open(compiled: &Path, _: &Workload) -> Result<Self> {
        // SAFETY: compiled for this comparison, without initialisers.
        let library = unsafe { Library::new(compiled) }?;
        // SAFETY: the type that lleaves gives its entry.
        let forest: Forest = *unsafe { library.get("forest_root") }?;
        Ok(Self { forest, cells: Vec::new(), values: Vec::new(), _library: library })
    }
}

impl Scorer for Model {
    fn score(&mut self, cells: &[f32], rows: usize, margins: &mut [f32]) -> Result<()> {
        self.cells.clear();
        self.cells.extend(cells.iter().map(|&cell| f64::from(cell)));
        self.values.resize(margins.len(), 0.0);
        let (from, until) = (0, c_int::try_from(rows)?);
        // SAFETY: both hold as many values as the rows have.
        unsafe { (self.forest)(self.cells.as_ptr(), self.values.as_mut_ptr(), from, until) };
        for (margin, &value) in margins.iter_mut().zip(&self.values) {
            #[allow(clippy::cast_possible_truncation, reason = "margins are compared as f32")]
            let value = value as f32;
            *margin = value;
        }
        Ok(())
    }
}
