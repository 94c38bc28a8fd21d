//! A booster inside `XGBoost`'s library: every foreign call that is made for one.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, CString, c_int},
    ptr, slice,
    sync::{Arc, Mutex, PoisonError},
};

use ndarray::ArrayView2;

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
const CONTRIBUTIONS: &CStr =
    c"{\"type\":2,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,\
    \"missing\":NaN,\"cache_id\":0}";
const LEAF: &CStr = c"{\"type\":6,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,\
    \"missing\":NaN,\"cache_id\":0}";
const MATRIX: &CStr = c"{\"missing\":NaN,\"nthread\":1}";
const QUIET: &CStr = c"{\"verbosity\":0}";

/// The library's booster, freed on drop.
#[derive(Debug)]
pub(super) struct Owned {
    handle: Handle,
    is_gbtree: bool,
    /// Held while predicting anything but values and margins of `gbtree`: `gblinear` promises nothing to concurrent
    /// callers, and the rest is not worth a promise.
    turn: Mutex<()>,
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
// SAFETY: behind a shared reference a booster is only predicted with. With `gbtree` the library allows that from many
// threads at once: the model is not written to, except that the first prediction configures it, under a lock of the
// library's; answers lie in memory of the calling thread. Callers of other boosters take turns.
unsafe impl Sync for Owned {}

impl Owned {
    /// Loads a model that was found well formed: the library ends the process over some that are not.
    pub(super) fn load(library: &Arc<XgboostLibrary>, bytes: &[u8]) -> Result<Self> {
        let mut owned = Self::new(library)?;
        // Before the load, lest that starts threads, and after it, since the model brings settings of its own.
        owned.set_one_thread()?;
        owned.read(bytes)?;
        owned.set_one_thread()?;
        owned.is_gbtree = owned.is_gbtree()?;
        Ok(owned)
    }

    fn new(library: &Arc<XgboostLibrary>) -> Result<Self> {
        // SAFETY: a text ended by NUL. It quiets the calling thread, on which the library would print warnings.
        let status = unsafe { (library.functions.set_global_config)(QUIET.as_ptr()) };
        library.check(status, ErrorKind::Internal, "cannot be quieted")?;
        let mut handle = ptr::null_mut();
        // SAFETY: no matrices are given, and the pointer is valid for the handle that is written.
        let status = unsafe { (library.functions.booster_create)(ptr::null(), 0, &raw mut handle) };
        library.check(status, ErrorKind::Internal, "cannot make a booster")?;
        Ok(Self { handle, is_gbtree: false, turn: Mutex::default(), library: Arc::clone(library) })
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

    /// How many columns a row must have.
    pub(super) fn features(&self) -> Result<usize> {
        let mut features = 0;
        // SAFETY: the handle is valid, and the pointer is for the number that is written.
        let status = unsafe { (self.library.functions.booster_features)(self.handle, &raw mut features) };
        self.library.check(status, ErrorKind::Unsupported, "does not know how many features the model has")?;
        usize::try_from(features).map_err(|error| Error::caused(ErrorKind::Unsupported, "too many features", error))
    }

    fn is_gbtree(&self) -> Result<bool> {
        let (mut length, mut text) = (0, ptr::null());
        // SAFETY: the handle is valid, and the pointers are for the length and the address that are written.
        let status = unsafe { (self.library.functions.booster_config)(self.handle, &raw mut length, &raw mut text) };
        self.library.check(status, ErrorKind::Unsupported, "does not know how the model is set up")?;
        // SAFETY: the call succeeded, so `text` is ended by NUL and lasts until this thread's next call.
        let config = unsafe { CStr::from_ptr(text) };
        let config: Option<serde_json::Value> = serde_json::from_slice(config.to_bytes()).ok();
        let name = config.as_ref().and_then(|config| config.pointer("/learner/gradient_booster/name"));
        Ok(name.is_some_and(|name| name == "gbtree"))
    }

    /// Predicts each of `rows`, which are as wide as the model and at least one.
    pub(super) fn predict(&self, rows: ArrayView2<'_, f32>, output: Output) -> Result<Predictions> {
        let config = match output {
            Output::Value => VALUE,
            Output::Margin => MARGIN,
            Output::Leaf => LEAF,
            Output::Contributions => CONTRIBUTIONS,
        };
        if self.is_gbtree && matches!(output, Output::Value | Output::Margin) {
            return self.predict_dense(rows, config);
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.predict_matrix(rows, config)
    }

    /// Values and margins of `gbtree`, straight from memory.
    fn predict_dense(&self, rows: ArrayView2<'_, f32>, config: &CStr) -> Result<Predictions> {
        let layout = rows.as_standard_layout();
        let interface = interface(layout.view());
        self.answer(rows.nrows(), |answer| {
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

    /// Predicts through a matrix of the library: `gblinear` takes rows no other way, `dart` sums them otherwise
    /// straight from memory, and leaves and contributions are not told there.
    fn predict_matrix(&self, rows: ArrayView2<'_, f32>, config: &CStr) -> Result<Predictions> {
        let matrix = Matrix::new(&self.library, rows)?;
        self.answer(rows.nrows(), |answer| {
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
    fn answer(&self, rows: usize, call: impl FnOnce(&mut Answer) -> c_int) -> Result<Predictions> {
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

    /// The error for an answer that the library should not give.
    pub(super) fn odd(&self, what: String) -> Error {
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
    fn new(library: &'a XgboostLibrary, rows: ArrayView2<'_, f32>) -> Result<Self> {
        let layout = rows.as_standard_layout();
        let interface = interface(layout.view());
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

/// Rows in standard layout as the library takes them: `NumPy`'s array interface.
fn interface(rows: ArrayView2<'_, f32>) -> CString {
    let (address, (height, width)) = (rows.as_ptr().expose_provenance(), rows.dim());
    let text = format!(r#"{{"data":[{address},true],"shape":[{height},{width}],"typestr":"<f4","version":3}}"#);
    CString::new(text).expect("digits and fixed words hold no NUL")
}
