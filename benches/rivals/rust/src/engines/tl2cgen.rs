//! Models that `TL2cgen` turned into C: `predict` of the compiled library, a row a call, as its own predictor does.

use std::{ffi::c_int, path::Path};

use libloading::Library;

use crate::{Result, scorer::Scorer, workload::Workload};

/// A cell as the generated code wants it.
#[derive(Clone, Copy)]
#[repr(C)]
union Entry<T: Copy> {
    missing: c_int,
    value: T,
}

type Predict<T> = unsafe extern "C" fn(*mut Entry<T>, c_int, *mut T);

/// The entry of a library that was compiled for a model: float32 for XGBoost's, float64 for LightGBM's.
enum Entrance {
    Single(Predict<f32>),
    Double(Predict<f64>),
}

/// A compiled model.
pub struct Model {
    entrance: Entrance,
    features: usize,
    outputs: usize,
    /// Last, so that it outlives the function taken from it.
    _library: Library,
}

impl Model {
    /// Opens the library that was compiled for the model.
    pub fn open(compiled: &Path, workload: &Workload) -> Result<Self> {
        // SAFETY: compiled for this comparison, without initialisers.
        let library = unsafe { Library::new(compiled) }?;
        let entrance = if workload.folder.join("model.txt").exists() {
            // SAFETY: the type in the generated header for a model of float64.
            Entrance::Double(*unsafe { library.get("predict") }?)
        } else {
            // SAFETY: the type in the generated header for a model of float32.
            Entrance::Single(*unsafe { library.get("predict") }?)
        };
        Ok(Self { entrance, features: workload.features, outputs: workload.outputs, _library: library })
    }
}

/// Gives each row to the compiled function; the code of a row writes over its entries.
fn walk<T: Copy + From<f32> + Default>(
    predict: Predict<T>,
    cells: &[f32],
    features: usize,
    outputs: usize,
    mut keep: impl FnMut(usize, T),
) {
    let mut entries = vec![Entry { missing: -1 }; features];
    let mut values = vec![T::default(); outputs];
    for (row, cells) in cells.chunks_exact(features).enumerate() {
        for (entry, &cell) in entries.iter_mut().zip(cells) {
            *entry = if cell.is_nan() { Entry { missing: -1 } } else { Entry { value: cell.into() } };
        }
        values.fill(T::default());
        // SAFETY: an entry for each feature and room for each output.
        unsafe { predict(entries.as_mut_ptr(), 1, values.as_mut_ptr()) };
        for (output, &value) in values.iter().enumerate() {
            keep(row * outputs + output, value);
        }
    }
}

impl Scorer for Model {
    #[allow(clippy::cast_possible_truncation, reason = "margins are compared as f32")]
    fn score(&mut self, cells: &[f32], _: usize, margins: &mut [f32]) -> Result<()> {
        let (features, outputs) = (self.features, self.outputs);
        match self.entrance {
            Entrance::Single(predict) => walk(predict, cells, features, outputs, |at, value| margins[at] = value),
            Entrance::Double(predict) => {
                walk(predict, cells, features, outputs, |at, value| margins[at] = value as f32);
            }
        }
        Ok(())
    }
}
