//! XGBoost through its C API, as a caller without Python would: `XGBoosterPredictFromDense` on borrowed rows.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    fmt::Write as _,
    path::Path,
    ptr,
};

use libloading::Library;

use crate::{Result, scorer::Scorer, workload::Workload};

type Handle = *mut c_void;
type Create = unsafe extern "C" fn(*const Handle, u64, *mut Handle) -> c_int;
type Load = unsafe extern "C" fn(Handle, *const c_char) -> c_int;
type SetParam = unsafe extern "C" fn(Handle, *const c_char, *const c_char) -> c_int;
type Predict = unsafe extern "C" fn(
    Handle,
    *const c_char,
    *const c_char,
    Handle,
    *mut *const u64,
    *mut u64,
    *mut *const f32,
) -> c_int;
type Free = unsafe extern "C" fn(Handle) -> c_int;
type LastError = unsafe extern "C" fn() -> *const c_char;

const SETTINGS: &CStr = c"{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\
    \"strict_shape\":false,\"missing\":NaN,\"cache_id\":0}";

/// A booster, with one thread.
pub struct Model {
    handle: Handle,
    predict: Predict,
    free: Free,
    last_error: LastError,
    features: usize,
    interface: String,
    /// Last, so that it outlives the functions taken from it.
    _library: Library,
}

impl Model {
    /// Loads the workload's booster with the library at `library`.
    pub fn open(library: &Path, workload: &Workload) -> Result<Self> {
        // SAFETY: XGBoost's own library, whose initialisers do no harm.
        let library = unsafe { Library::new(library) }?;
        // SAFETY: the types are those of XGBoost's c_api.h, here and for the five below.
        let create: Create = *unsafe { library.get("XGBoosterCreate") }?;
        // SAFETY: as above.
        let load: Load = *unsafe { library.get("XGBoosterLoadModel") }?;
        // SAFETY: as above.
        let set: SetParam = *unsafe { library.get("XGBoosterSetParam") }?;
        // SAFETY: as above.
        let predict: Predict = *unsafe { library.get("XGBoosterPredictFromDense") }?;
        // SAFETY: as above.
        let free: Free = *unsafe { library.get("XGBoosterFree") }?;
        // SAFETY: as above.
        let last_error: LastError = *unsafe { library.get("XGBGetLastError") }?;
        let mut handle = ptr::null_mut();
        // SAFETY: no matrices are given, and the handle is written on success.
        check(unsafe { create(ptr::null(), 0, &raw mut handle) }, last_error)?;
        let features = workload.features;
        let model = Self { handle, predict, free, last_error, features, interface: String::new(), _library: library };
        let path = CString::new(workload.booster.to_string_lossy().as_bytes())?;
        // SAFETY: a live booster and a string that outlives the call.
        check(unsafe { load(handle, path.as_ptr()) }, last_error)?;
        // SAFETY: as above.
        check(unsafe { set(handle, c"nthread".as_ptr(), c"1".as_ptr()) }, last_error)?;
        Ok(model)
    }
}

impl Scorer for Model {
    fn score(&mut self, cells: &[f32], rows: usize, margins: &mut [f32]) -> Result<()> {
        self.interface.clear();
        let place = cells.as_ptr().addr();
        let features = self.features;
        write!(
            self.interface,
            r#"{{"data":[{place},true],"shape":[{rows},{features}],"typestr":"<f4","version":3}}{}"#,
            '\0'
        )?;
        let (mut shape, mut axes, mut values) = (ptr::null(), 0, ptr::null());
        let interface = self.interface.as_ptr().cast();
        let (settings, proxy) = (SETTINGS.as_ptr(), ptr::null_mut());
        // SAFETY: a live booster, strings that end in zero, and rows that outlive the call.
        let code = unsafe {
            (self.predict)(self.handle, interface, settings, proxy, &raw mut shape, &raw mut axes, &raw mut values)
        };
        check(code, self.last_error)?;
        // SAFETY: XGBoost keeps as many values as the rows have margins until the booster is used again.
        margins.copy_from_slice(unsafe { std::slice::from_raw_parts(values, margins.len()) });
        Ok(())
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: the booster is not used again.
        unsafe { (self.free)(self.handle) };
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
