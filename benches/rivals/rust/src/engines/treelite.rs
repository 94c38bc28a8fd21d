//! Treelite's GTIL, the tree walk that needs no compiler.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    path::Path,
    ptr,
};

use libloading::Library;

use crate::{Result, scorer::Scorer, workload::Workload};

type Handle = *mut c_void;
type Load = unsafe extern "C" fn(*const c_char, *const c_char, *mut Handle) -> c_int;
type Parse = unsafe extern "C" fn(*const c_char, *mut Handle) -> c_int;
type Predict = unsafe extern "C" fn(Handle, *const c_void, *const c_char, u64, *mut c_void, Handle) -> c_int;
type LastError = unsafe extern "C" fn() -> *const c_char;

/// A model and GTIL's settings; both live as long as the process.
pub struct Model {
    handle: Handle,
    settings: Handle,
    predict: Predict,
    last_error: LastError,
    /// Treelite takes rows of a LightGBM model as float64 and gives float64 back.
    wide: Option<(Vec<f64>, Vec<f64>)>,
    /// Last, so that it outlives the functions taken from it.
    _library: Library,
}

impl Model {
    /// Loads `model.ubj` or `model.txt` with the library at `library`.
    pub fn open(library: &Path, workload: &Workload) -> Result<Self> {
        // SAFETY: Treelite's own library, whose initialisers do no harm.
        let library = unsafe { Library::new(library) }?;
        let lightgbm = workload.folder.join("model.txt").exists();
        let (file, loader) = if lightgbm {
            ("model.txt", "TreeliteLoadLightGBMModel")
        } else {
            ("model.ubj", "TreeliteLoadXGBoostModelUBJSON")
        };
        // SAFETY: the types are those of Treelite's c_api.h, here and for the three below.
        let load: Load = *unsafe { library.get(loader) }?;
        // SAFETY: as above.
        let parse: Parse = *unsafe { library.get("TreeliteGTILParseConfig") }?;
        // SAFETY: as above.
        let predict: Predict = *unsafe { library.get("TreeliteGTILPredict") }?;
        // SAFETY: as above.
        let last_error: LastError = *unsafe { library.get("TreeliteGetLastError") }?;
        let (mut model, mut settings) = (ptr::null_mut(), ptr::null_mut());
        let path = CString::new(workload.folder.join(file).to_string_lossy().as_bytes())?;
        // SAFETY: strings that outlive the call; the handle is written on success.
        check(unsafe { load(path.as_ptr(), c"{}".as_ptr(), &raw mut model) }, last_error)?;
        let wanted = c"{\"predict_type\":\"raw\",\"nthread\":1}";
        // SAFETY: as above.
        check(unsafe { parse(wanted.as_ptr(), &raw mut settings) }, last_error)?;
        let wide = lightgbm.then(Default::default);
        Ok(Self { handle: model, settings, predict, last_error, wide, _library: library })
    }

    fn run(&self, cells: *const c_void, kind: &CStr, rows: usize, values: *mut c_void) -> Result<()> {
        // SAFETY: live handles, and as many cells and values of that kind as the rows have.
        let code = unsafe { (self.predict)(self.handle, cells, kind.as_ptr(), rows as u64, values, self.settings) };
        check(code, self.last_error)
    }
}

impl Scorer for Model {
    fn score(&mut self, cells: &[f32], rows: usize, margins: &mut [f32]) -> Result<()> {
        let Some((mut wide, mut values)) = self.wide.take() else {
            return self.run(cells.as_ptr().cast(), c"float32", rows, margins.as_mut_ptr().cast());
        };
        wide.clear();
        wide.extend(cells.iter().map(|&cell| f64::from(cell)));
        values.resize(margins.len(), 0.0);
        self.run(wide.as_ptr().cast(), c"float64", rows, values.as_mut_ptr().cast())?;
        #[allow(clippy::cast_possible_truncation, reason = "margins are compared as f32")]
        margins.iter_mut().zip(&values).for_each(|(margin, &value)| *margin = value as f32);
        self.wide = Some((wide, values));
        Ok(())
    }
}

fn check(code: c_int, last_error: LastError) -> Result<()> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: takes nothing, and gives the text of this thread's last error.
    let text = unsafe { last_error() };
    // SAFETY: a string that ends in zero and stays until the next call.
    Err(unsafe { CStr::from_ptr(text) }.to_string_lossy().into())
}
