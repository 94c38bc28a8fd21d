//! The engines that are not ours, opened on the first model that needs them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    error::Result,
    library::{Libraries, Library},
    onnxruntime::OnnxRuntime,
    xgboost::XgboostLibrary,
};

/// Shared libraries, each opened at most once. One that is missing is looked for again by the next model that needs it,
/// so that an operator can mend that while the server runs.
#[derive(Debug)]
pub(crate) struct Runtimes {
    libraries: Libraries,
    onnxruntime: Mutex<Option<Arc<OnnxRuntime>>>,
    xgboost: Mutex<Option<Arc<XgboostLibrary>>>,
}

impl Runtimes {
    pub(crate) fn new(libraries: Libraries) -> Self {
        Self { libraries, onnxruntime: Mutex::default(), xgboost: Mutex::default() }
    }

    /// # Errors
    /// [`LibraryMissing`](crate::ErrorKind::LibraryMissing).
    pub(crate) fn onnxruntime(&self) -> Result<Arc<OnnxRuntime>> {
        once(&self.onnxruntime, &self.libraries.onnxruntime, OnnxRuntime::open)
    }

    /// # Errors
    /// [`LibraryMissing`](crate::ErrorKind::LibraryMissing).
    pub(crate) fn xgboost(&self) -> Result<Arc<XgboostLibrary>> {
        once(&self.xgboost, &self.libraries.xgboost, XgboostLibrary::open)
    }
}

fn once<T>(
    opened: &Mutex<Option<Arc<T>>>,
    library: &Library,
    open: impl FnOnce(&Library) -> Result<T>,
) -> Result<Arc<T>> {
    let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = opened.as_ref() {
        return Ok(Arc::clone(library));
    }
    let library = Arc::new(open(library)?);
    *opened = Some(Arc::clone(&library));
    Ok(library)
}
