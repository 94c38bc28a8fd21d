//! A booster in `XGBoost`'s library.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, CString, c_int},
    ptr, slice,
    sync::{Arc, Mutex, PoisonError},
};

use ndarray::{Array2, ArrayView2};

use super::{XgboostLibrary, functions::Handle};
use crate::{
    error::{Error, ErrorKind, Result},
    predictions::{Output, Predictions},
};

const VALUE: &CStr =
    c"{\"type\":0,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,\
    \"missing\":NaN,\"cache_id\":0}";
const MARGIN: &CStr =
    c"{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,\
    \"missing\":NaN,\"cache_id\":0}";
const MATRIX: &CStr = c"{\"missing\":NaN,\"nthread\":1}";
const QUIET: &CStr = c"{\"verbosity\":0}";

/// A booster, ready to predict from any number of threads at once.
#[derive(Debug)]
pub(crate) struct Booster {
    owned: Owned,
    features: usize,
    route: Route,
}

/// How rows get into the library.
#[derive(Debug)]
enum Route {
    /// Straight from memory, for `gbtree`.
    Dense,
    /// Through a matrix of the library, one caller at a time: `gblinear` takes rows no other way and promises nothing to
    /// concurrent callers, and `dart` sums them otherwise straight from memory.
    Matrix(Mutex<()>),
}

/// The library's booster, freed on drop.
#[derive(Debug)]
struct Owned {
    handle: Handle,
    library: Arc<XgboostLibrary>,
}

/// A matrix of the library, freed on drop.
struct Matrix<'a> {
    handle: Handle,
    library: &'a XgboostLibrary,
}

/// Where the library left its answer.
struct Answer {
    shape: *const u64,
    dimensions: u64,
    values: *const f32,
}

// SAFETY: the library ties no booster to a thread.
unsafe impl Send for Owned {}
// SAFETY: a shared booster is only predicted with. For `gbtree` the library allows that from many threads at once: the
// model is not written to once it is configured, which the first prediction in `load` does, and answers lie in memory of
// the calling thread. The callers of other boosters take turns (`Route::Matrix`).
unsafe impl Sync for Owned {}

impl Booster {
    /// Loads a model from the bytes of its file: JSON, UBJSON, the older binary format, or what a pickle holds of it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArtifact`] when the bytes are no well-formed model, and [`ErrorKind::Unsupported`] when the
    /// library refuses it, or would answer otherwise than the version that wrote it.
    pub(crate) fn load(library: &Arc<XgboostLibrary>, bytes: &[u8]) -> Result<Self> {
        // The library trusts its input and ends the process over some damaged models.
        let read = thicket_converters::read_booster(bytes)
            .map_err(|error| Error::caused(ErrorKind::InvalidArtifact, "not a model that XGBoost can load", error))?;
        library.reads_rightly(&read)?;
        let owned = Owned::new(library)?;
        // Before the load, lest that starts threads, and after it, since the model brings settings of its own.
        owned.set_one_thread()?;
        owned.read(bytes)?;
        owned.set_one_thread()?;
        let features = owned.features()?;
        if features != read.features {
            return Err(owned.odd(format!("{features} features for a model of {}", read.features)));
        }
        let booster = Self { features, route: owned.route()?, owned };
        let tried = booster.predict(Array2::from_elem((1, features), f32::NAN).view(), Output::Value);
        tried.map_err(|error| Error::caused(ErrorKind::Unsupported, "the model cannot predict", error))?;
        Ok(booster)
    }

    /// How many columns a row must have.
    pub(crate) fn features(&self) -> usize {
        self.features
    }

    /// Predicts each of `rows` (shape `[rows, features]`, NaN = missing) with all of the model's trees.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the rows are not as wide as the model, or the library refuses them.
    pub(crate) fn predict(&self, rows: ArrayView2<'_, f32>, output: Output) -> Result<Predictions> {
        if rows.ncols() != self.features {
            let message = format!("rows have {} columns, and the model has {} features", rows.ncols(), self.features);
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        if rows.is_empty() {
            return Ok(Predictions { columns: 1, values: Vec::new() });
        }
        let layout = rows.as_standard_layout();
        let interface = interface(layout.view());
        let config = match output {
            Output::Value => VALUE,
            Output::Margin => MARGIN,
        };
        match &self.route {
            Route::Dense => self.owned.predict_dense(&interface, config, rows.nrows()),
            Route::Matrix(turn) => {
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                self.owned.predict_matrix(&interface, config, rows.nrows())
            }
        }
    }
}

impl Owned {
    fn new(library: &Arc<XgboostLibrary>) -> Result<Self> {
        // SAFETY: a text ended by NUL. It quiets the calling thread, on which the library would print warnings.
        let status = unsafe { (library.functions.set_global_config)(QUIET.as_ptr()) };
        library.check(status, ErrorKind::Internal, "cannot be quieted")?;
        let mut handle = ptr::null_mut();
        // SAFETY: no matrices are given, and the pointer is valid for the handle that is written.
        let status = unsafe { (library.functions.booster_create)(ptr::null(), 0, &raw mut handle) };
        library.check(status, ErrorKind::Internal, "cannot make a booster")?;
        Ok(Self { handle, library: Arc::clone(library) })
    }

    fn set_one_thread(&self) -> Result<()> {
        let set = self.library.functions.booster_set_parameter;
        // SAFETY: the handle is valid, and both texts are ended by NUL.
        let status = unsafe { set(self.handle, c"nthread".as_ptr(), c"1".as_ptr()) };
        self.library.check(status, ErrorKind::Internal, "cannot be set to one thread")
    }

    fn read(&self, bytes: &[u8]) -> Result<()> {
        let functions = &self.library.functions;
        let read = if is_serialised(bytes) { functions.booster_unserialize } else { functions.booster_load };
        // SAFETY: the handle is valid, and the library reads `bytes` for the length of the call alone.
        let status = unsafe { read(self.handle, bytes.as_ptr().cast(), bytes.len() as u64) };
        self.library.check(status, ErrorKind::Unsupported, "refuses the model")
    }

    fn features(&self) -> Result<usize> {
        let mut features = 0;
        // SAFETY: the handle is valid, and the pointer is for the number that is written.
        let status = unsafe { (self.library.functions.booster_features)(self.handle, &raw mut features) };
        self.library.check(status, ErrorKind::Unsupported, "does not know how many features the model has")?;
        usize::try_from(features).map_err(|error| Error::caused(ErrorKind::Unsupported, "too many features", error))
    }

    fn route(&self) -> Result<Route> {
        let (mut length, mut text) = (0, ptr::null());
        // SAFETY: the handle is valid, and the pointers are for the length and the address that are written.
        let status = unsafe { (self.library.functions.booster_config)(self.handle, &raw mut length, &raw mut text) };
        self.library.check(status, ErrorKind::Unsupported, "does not know how the model is set up")?;
        // SAFETY: the call succeeded, so `text` is ended by NUL and lasts until this thread's next call.
        let config = unsafe { CStr::from_ptr(text) };
        let config: Option<serde_json::Value> = serde_json::from_slice(config.to_bytes()).ok();
        let name = config.as_ref().and_then(|config| config.pointer("/learner/gradient_booster/name"));
        let is_gbtree = name.is_some_and(|name| name == "gbtree");
        Ok(if is_gbtree { Route::Dense } else { Route::Matrix(Mutex::default()) })
    }

    fn predict_dense(&self, interface: &CStr, config: &CStr, rows: usize) -> Result<Predictions> {
        self.predict(rows, |answer| {
            // SAFETY: the handle is valid, both texts are ended by NUL, the rows that `interface` points at outlive the
            // call, no matrix is given, and the pointers are valid for what is written.
            unsafe {
                (self.library.functions.predict_from_dense)(
                    self.handle,
                    interface.as_ptr(),
                    config.as_ptr(),
                    ptr::null_mut(),
                    &raw mut answer.shape,
                    &raw mut answer.dimensions,
                    &raw mut answer.values,
                )
            }
        })
    }

    fn predict_matrix(&self, interface: &CStr, config: &CStr, rows: usize) -> Result<Predictions> {
        let matrix = Matrix::new(&self.library, interface)?;
        self.predict(rows, |answer| {
            // SAFETY: both handles are valid, the text is ended by NUL, and the pointers are valid for what is written.
            unsafe {
                (self.library.functions.predict_from_matrix)(
                    self.handle,
                    matrix.handle,
                    config.as_ptr(),
                    &raw mut answer.shape,
                    &raw mut answer.dimensions,
                    &raw mut answer.values,
                )
            }
        })
    }

    /// Runs `call` and copies what it left.
    fn predict(&self, rows: usize, call: impl FnOnce(&mut Answer) -> c_int) -> Result<Predictions> {
        let mut answer = Answer { shape: ptr::null(), dimensions: 0, values: ptr::null() };
        let status = call(&mut answer);
        self.library.check(status, ErrorKind::InvalidInput, "cannot predict the rows")?;
        let dimensions = usize::try_from(answer.dimensions).unwrap_or(usize::MAX);
        if answer.shape.is_null() || answer.values.is_null() || !(1..=3).contains(&dimensions) {
            return Err(self.odd(format!("an answer of {dimensions} dimensions")));
        }
        // SAFETY: the call succeeded, so `shape` points at that many numbers; they lie in memory of this thread, which
        // lasts until its next prediction.
        let shape = unsafe { slice::from_raw_parts(answer.shape, dimensions) };
        let length = shape.iter().try_fold(1_usize, |length, &size| length.checked_mul(usize::try_from(size).ok()?));
        let length = length.filter(|&length| shape[0] == rows as u64 && length >= rows);
        let length = length.ok_or_else(|| self.odd(format!("an answer of shape {shape:?}")))?;
        // SAFETY: as above; the answer has as many numbers as its shape says.
        let values = unsafe { slice::from_raw_parts(answer.values, length) }.to_vec();
        Ok(Predictions { columns: length / rows, values })
    }

    fn odd(&self, what: String) -> Error {
        Error::new(ErrorKind::Internal, format!("{} gave {what}", self.library))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle is valid and used by nobody else; freeing cannot fail.
        unsafe { (self.library.functions.booster_free)(self.handle) };
    }
}

impl<'a> Matrix<'a> {
    fn new(library: &'a XgboostLibrary, interface: &CStr) -> Result<Self> {
        let mut handle = ptr::null_mut();
        let create = library.functions.matrix_create;
        // SAFETY: both texts are ended by NUL, the rows that `interface` points at outlive the call, which copies them,
        // and the pointer is valid for the handle that is written.
        let status = unsafe { create(interface.as_ptr(), MATRIX.as_ptr(), &raw mut handle) };
        library.check(status, ErrorKind::InvalidInput, "cannot take the rows")?;
        Ok(Self { handle, library })
    }
}

impl Drop for Matrix<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is valid and used by nobody else; freeing cannot fail.
        unsafe { (self.library.functions.matrix_free)(self.handle) };
    }
}

/// Whether the bytes are a booster with its configuration, as pickles hold it, rather than a model file.
fn is_serialised(bytes: &[u8]) -> bool {
    // JSON has `{"Config":` there, UBJSON `{L` with eight bytes of length and `Config`; their keys are sorted.
    let beginning = &bytes[..bytes.len().min(24)];
    let is_object = beginning.starts_with(b"{") && beginning.windows(6).any(|part| part == b"Config");
    is_object || beginning.starts_with(b"CONFIG-offset:")
}

/// Rows in standard layout as the library takes them: NumPy's array interface.
fn interface(rows: ArrayView2<'_, f32>) -> CString {
    let (address, (height, width)) = (rows.as_ptr().addr(), rows.dim());
    let text = format!(r#"{{"data":[{address},true],"shape":[{height},{width}],"typestr":"<f4","version":3}}"#);
    CString::new(text).expect("digits and fixed words hold no NUL")
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs::File,
        io::Read,
        path::Path,
    };

    use flate2::read::GzDecoder;
    use ndarray::s;
    use serde_json::Value;

    use super::*;
    use crate::library::Libraries;

    fn library() -> Arc<XgboostLibrary> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtimes");
        let libraries = Libraries::find(None, None, &[folder.into()]);
        Arc::new(XgboostLibrary::open(&libraries.xgboost).unwrap())
    }

    /// Every case of one version: the case's name to its files by name.
    fn cases(version: &str) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/xgboost"));
        let archive = File::open(folder.join(format!("{version}.tar.gz"))).unwrap();
        let mut cases: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        for entry in tar::Archive::new(GzDecoder::new(archive)).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().into_owned();
            let mut parts = path.iter().rev().map(|part| part.to_str().unwrap().to_owned());
            let (file, case) = (parts.next().unwrap(), parts.next().unwrap_or_default());
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            cases.entry(case).or_default().insert(file, bytes);
        }
        cases.retain(|_, files| files.contains_key("expected.json"));
        cases
    }

    fn rows(csv: &[u8]) -> Array2<f32> {
        let lines: Vec<&str> = str::from_utf8(csv).unwrap().lines().collect();
        let cells = lines.iter().flat_map(|line| line.split(','));
        let cells: Vec<f32> =
            cells.map(|cell| if cell.is_empty() { f32::NAN } else { cell.parse().unwrap() }).collect();
        Array2::from_shape_vec((lines.len(), cells.len() / lines.len()), cells).unwrap()
    }

    fn bits(numbers: &[f32]) -> Vec<u32> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "the numbers are exact doubles of what is f32")]
    fn numbers(expected: &Value) -> Vec<f32> {
        expected["data"].as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
    }

    fn check(booster: &Booster, rows: &Array2<f32>, expected: &Value, what: &str) {
        for (output, name) in [(Output::Value, "value"), (Output::Margin, "margin")] {
            let answer = booster.predict(rows.view(), output).unwrap();
            assert_eq!(bits(&answer.values), bits(&numbers(&expected[name])), "{what} {name}");
            assert_eq!(answer.rows(), rows.nrows(), "{what} {name}");
        }
    }

    /// Loads every model of one version and checks its answers; tells the cases that were loaded from those refused.
    fn check_version(version: &str) -> (BTreeSet<String>, BTreeSet<String>) {
        let library = library();
        let (mut loaded, mut refused) = (BTreeSet::new(), BTreeSet::new());
        for (case, mut files) in cases(version) {
            let expected: Value = serde_json::from_slice(&files.remove("expected.json").unwrap()).unwrap();
            let rows = rows(&files.remove("input.csv").unwrap());
            for (file, bytes) in files {
                let what = format!("{version} {case} {file}");
                match Booster::load(&library, &thicket_converters::lift(&bytes).unwrap()) {
                    Ok(booster) => {
                        // The one difference that no rule can tell.
                        if case != "gblinear_binary_base_score" || !["0.90", "1.3.3"].contains(&version) {
                            check(&booster, &rows, &expected, &what);
                        }
                        loaded.insert(case.clone());
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Unsupported, "{what}: {error:?}");
                        refused.insert(case.clone());
                    }
                }
            }
        }
        (loaded, refused)
    }

    #[test]
    fn models_answer_bit_for_bit_or_are_refused() {
        for (version, expected_refused) in
            [("1.3.3", &["dart_binary", "dart_multi", "reg_gamma"][..]), ("1.7.6", &["reg_gamma"]), ("3.0.5", &[])]
        {
            let (loaded, refused) = check_version(version);
            assert!(loaded.len() > 30, "{version}: {loaded:?}");
            assert!(refused.iter().eq(expected_refused), "{version}: {refused:?}");
        }
        let (loaded, _) = check_version("0.90");
        assert!(loaded.iter().eq(&["gblinear_binary_base_score", "gblinear_multi", "gblinear_reg"]), "{loaded:?}");
        let (loaded, _) = check_version("3.4.1");
        assert!(loaded.is_empty(), "{loaded:?}");
    }

    fn one_model() -> (Booster, Array2<f32>) {
        let files = &cases("3.0.5")["multi_softprob"];
        (Booster::load(&library(), &files["model.ubj"]).unwrap(), rows(&files["input.csv"]))
    }

    #[test]
    fn one_booster_serves_many_threads() {
        let (booster, rows) = one_model();
        let expected = booster.predict(rows.view(), Output::Value).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for turn in 0..1000 {
                        let row = turn % rows.nrows();
                        let answer = booster.predict(rows.slice(s![row..=row, ..]), Output::Value).unwrap();
                        assert_eq!(answer.values, expected.iter().nth(row).unwrap(), "row {row}");
                    }
                });
            }
        });
    }

    #[test]
    fn rows_may_lie_anywhere_and_must_fit() {
        let (booster, rows) = one_model();
        let expected = booster.predict(rows.view(), Output::Value).unwrap();
        let turned = rows.t().as_standard_layout().into_owned();
        assert_eq!(booster.predict(turned.t(), Output::Value).unwrap(), expected);
        assert_eq!(booster.predict(rows.slice(s![..0, ..]), Output::Value).unwrap().rows(), 0);
        let error = booster.predict(rows.slice(s![.., 1..]), Output::Value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&format!("{} features", booster.features())), "{error}");
    }

    #[test]
    fn what_is_no_model_never_reaches_the_library() {
        for bytes in [&b""[..], b"{\"learner\":{}}", b"binf", &[0x80, 4]] {
            assert_eq!(Booster::load(&library(), bytes).unwrap_err().kind(), ErrorKind::InvalidArtifact);
        }
    }
}
