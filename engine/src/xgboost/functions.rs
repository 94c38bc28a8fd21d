//! The functions of `XGBoost`'s C interface that are called here, declared as its header `c_api.h` does.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    path::Path,
};

use libloading::Library;

use crate::error::{Error, ErrorKind};

/// A booster or a matrix of the library.
pub(super) type Handle = *mut c_void;

/// Declares the table and how it is filled: each field with the symbol and the signature from the header.
macro_rules! functions {
    ($($field:ident = $symbol:ident($($argument:ty),*) $(-> $answer:ty)?;)*) => {
        /// The functions, valid as long as the library is open: it closes with the table.
        pub(super) struct Functions {
            $(pub(super) $field: unsafe extern "C" fn($($argument),*) $(-> $answer)?,)*
            _library: Library,
        }

        impl Functions {
            fn look_up(library: Library) -> Result<Self, String> {
                let mut missing = Vec::new();
                $(
                    // SAFETY: the field's type is the signature that XGBoost's header gives the symbol.
                    let $field = unsafe { symbol(&library, stringify!($symbol), &mut missing) };
                )*
                match ($($field,)*) {
                    ($(Some($field),)*) => Ok(Self { $($field,)* _library: library }),
                    _ => Err(format!("it lacks {}", missing.join(", "))),
                }
            }
        }
    };
}

functions! {
    last_error = XGBGetLastError() -> *const c_char;
    version = XGBoostVersion(*mut c_int, *mut c_int, *mut c_int);
    set_global_config = XGBSetGlobalConfig(*const c_char) -> c_int;
    booster_create = XGBoosterCreate(*const Handle, u64, *mut Handle) -> c_int;
    booster_free = XGBoosterFree(Handle) -> c_int;
    booster_load = XGBoosterLoadModelFromBuffer(Handle, *const c_void, u64) -> c_int;
    booster_unserialize = XGBoosterUnserializeFromBuffer(Handle, *const c_void, u64) -> c_int;
    booster_set_parameter = XGBoosterSetParam(Handle, *const c_char, *const c_char) -> c_int;
    booster_features = XGBoosterGetNumFeature(Handle, *mut u64) -> c_int;
    booster_config = XGBoosterSaveJsonConfig(Handle, *mut u64, *mut *const c_char) -> c_int;
    predict_from_dense = XGBoosterPredictFromDense(
        Handle, *const c_char, *const c_char, Handle, *mut *const u64, *mut u64, *mut *const f32
    ) -> c_int;
    predict_from_matrix = XGBoosterPredictFromDMatrix(
        Handle, Handle, *const c_char, *mut *const u64, *mut u64, *mut *const f32
    ) -> c_int;
    matrix_create = XGDMatrixCreateFromDense(*const c_char, *const c_char, *mut Handle) -> c_int;
    matrix_free = XGDMatrixFree(Handle) -> c_int;
}

impl Functions {
    /// Opens the library at `path`; the error says what is wrong with it.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        // SAFETY: loading runs the library's initialisers; the operator vouches for the file by naming or installing it.
        let library = unsafe { Library::new(path) };
        Self::look_up(library.map_err(|error| Error::caused(ErrorKind::Io, "it cannot be loaded", error).story())?)
    }

    pub(super) fn version(&self) -> (u32, u32, u32) {
        let (mut major, mut minor, mut patch) = (0, 0, 0);
        // SAFETY: the three pointers are valid for the writes that the function makes.
        unsafe { (self.version)(&raw mut major, &raw mut minor, &raw mut patch) };
        let number = |part: c_int| u32::try_from(part).unwrap_or(0);
        (number(major), number(minor), number(patch))
    }

    /// What the last call that failed on this thread says: its first line, without the time before it.
    pub(super) fn last_error(&self) -> String {
        // SAFETY: the function takes nothing and never fails.
        let text = unsafe { (self.last_error)() };
        if text.is_null() {
            return "no reason given".to_owned();
        }
        // SAFETY: a text ended by NUL, which this thread's next failing call may change: it is copied here.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
        first_line(&text).to_owned()
    }
}

/// The symbol `name`; noted in `missing` when the library has none.
///
/// # Safety
/// `T` is the type of the function of that name.
unsafe fn symbol<T: Copy>(library: &Library, name: &'static str, missing: &mut Vec<&'static str>) -> Option<T> {
    // SAFETY: the caller vouches for the type.
    let found = unsafe { library.get::<T>(name) };
    if found.is_err() {
        missing.push(name);
    }
    found.ok().map(|symbol| *symbol)
}

fn first_line(text: &str) -> &str {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let after_time = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    after_time.map_or(line, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_its_first_line() {
        let text = "[16:40:07] /src/learner.cc:9: Check failed: a == b\nStack trace:\n  [bt] (0) x";
        assert_eq!(first_line(text), "/src/learner.cc:9: Check failed: a == b");
        assert_eq!(first_line("plain"), "plain");
        assert_eq!(first_line(""), "");
    }
}
