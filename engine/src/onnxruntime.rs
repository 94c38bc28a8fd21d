//! ONNX Runtime, opened at run time for the graphs that are no tree ensembles.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ort::{
    LoadDynamicError,
    environment::Environment,
    logging::{LogLevel, LoggerFunction},
};

use crate::{
    error::{Error, ErrorKind, Result},
    library::Library,
};

mod session;
mod signature;

pub(crate) use session::Session;

/// ONNX Runtime, open for this process.
#[derive(Clone, Debug)]
pub(crate) struct OnnxRuntime {
    environment: Environment,
}

/// The library that was opened, and from where. `ort` and ONNX Runtime allow one a process, which stays.
static OPENED: Mutex<Option<(PathBuf, OnnxRuntime)>> = Mutex::new(None);

impl OnnxRuntime {
    /// Opens the first candidate that is a file, or takes what this process opened from there already.
    ///
    /// # Errors
    /// [`ErrorKind::LibraryMissing`] when there is none, it cannot be loaded or is too old, or another one is open.
    pub(crate) fn open(library: &Library) -> Result<Self> {
        let path = library.locate()?;
        let path = path.canonicalize().map_err(|error| library.missing(&error.to_string()))?;
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        match &*opened {
            Some((first, runtime)) if *first == path => Ok(runtime.clone()),
            Some((first, _)) => {
                let why = format!("this process has opened {} already and can open one only", first.display());
                Err(library.missing(&why))
            }
            None => {
                let runtime = Self::load(library, &path)?;
                *opened = Some((path, runtime.clone()));
                Ok(runtime)
            }
        }
    }

    fn load(library: &Library, path: &Path) -> Result<Self> {
        let builder = ort::init_from(path).map_err(|error| library.missing(&reason(error)))?;
        let environment = builder.with_name("thicket").with_telemetry(false).with_logger(logger()).build();
        let environment =
            environment.map_err(|error| Error::caused(ErrorKind::Internal, "ONNX Runtime does not start", error))?;
        environment.set_log_level(LogLevel::Warning);
        Ok(Self { environment })
    }
}

/// Why the library cannot be loaded, with the dynamic linker's own words.
fn reason(error: LoadDynamicError) -> String {
    match error {
        LoadDynamicError::Dlopen { error, .. } => Error::caused(ErrorKind::Io, "it cannot be loaded", error).story(),
        LoadDynamicError::MissingApi { .. } => "it does not export `OrtGetApiBase`".to_owned(),
        LoadDynamicError::BadVersion { version_str, .. } => {
            format!("it is version {version_str}, and 1.{} is the oldest of use", ort::MINOR_VERSION)
        }
        LoadDynamicError::InvalidVersionString => "it does not tell its version".to_owned(),
    }
}

/// Takes what ONNX Runtime logs into our own log: a graph that it refuses comes back as an error anyway.
fn logger() -> LoggerFunction {
    Arc::new(|level, _category, _id, place, message| match level {
        LogLevel::Verbose | LogLevel::Info => tracing::trace!(place, "{message}"),
        LogLevel::Warning | LogLevel::Error | LogLevel::Fatal => tracing::debug!(place, "{message}"),
    })
}

#[cfg(test)]
pub(crate) fn test_runtime() -> OnnxRuntime {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtimes");
    OnnxRuntime::open(&crate::library::Libraries::find(None, None, &[folder.into()]).onnxruntime).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Libraries;

    fn check(path: &Path, why: &str) {
        let library = Libraries::find(Some(path.to_owned()), None, &[]).onnxruntime;
        let error = OnnxRuntime::open(&library).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LibraryMissing);
        for part in [why, "ORT_DYLIB_PATH"] {
            assert!(error.to_string().contains(part), "{error} lacks {part}");
        }
    }

    #[test]
    fn a_process_opens_one_library() {
        test_runtime();
        test_runtime();
        check(Path::new("/nowhere/libonnxruntime.so"), "in none of the places");
        check(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")), "opened");
    }

    #[test]
    fn a_library_that_is_too_old_says_so() {
        let error = LoadDynamicError::BadVersion { version_str: "1.14.1".to_owned(), path: "/x".into() };
        assert_eq!(reason(error), "it is version 1.14.1, and 1.17 is the oldest of use");
    }
}
