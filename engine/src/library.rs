//! Where the shared libraries of other engines are looked for, and what is said when one is not there.
//!
//! Both are opened at run time, on the first model that needs them: a server of forests alone never maps either.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// One shared library that some models need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// What people call it, for messages: `ONNX Runtime`.
    pub name: &'static str,
    /// How to get it, for messages: one sentence.
    pub remedy: &'static str,
    /// Files to try, in order.
    pub candidates: Vec<PathBuf>,
}

/// The libraries that models may need beside our own kernels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Libraries {
    /// Runs ONNX graphs that are no tree ensembles.
    pub onnxruntime: Library,
    /// Runs boosters that cannot be converted.
    pub xgboost: Library,
}

impl Libraries {
    /// Libraries at the given files, if any, else in one of `folders`.
    ///
    /// A file that was named is the only candidate: what an operator chose is never replaced in silence.
    #[must_use]
    pub fn find(onnxruntime: Option<PathBuf>, xgboost: Option<PathBuf>, folders: &[PathBuf]) -> Self {
        let candidates = |named: Option<PathBuf>, file: &str| match named {
            Some(path) => vec![path],
            None => folders.iter().map(|folder| folder.join(file)).collect(),
        };
        Self {
            onnxruntime: Library {
                name: "ONNX Runtime",
                remedy: "run `make runtimes`, or set ORT_DYLIB_PATH to a libonnxruntime.so of version 1.17 or newer",
                candidates: candidates(onnxruntime, "libonnxruntime.so"),
            },
            xgboost: Library {
                name: "XGBoost",
                remedy: "run `make runtimes`, or set THICKET_XGBOOST_LIB to a libxgboost.so of version 1.7 or newer",
                candidates: candidates(xgboost, "libxgboost.so"),
            },
        }
    }
}

impl Library {
    /// The first candidate that is a file.
    ///
    /// # Errors
    /// [`ErrorKind::LibraryMissing`] with every place that was tried and the way to get the library.
    pub fn locate(&self) -> Result<&Path> {
        let found = self.candidates.iter().find(|path| path.is_file());
        found.map(PathBuf::as_path).ok_or_else(|| self.missing("it is in none of the places looked at"))
    }

    /// The error for a library that is absent or cannot be used, because `why`.
    #[must_use]
    pub fn missing(&self, why: &str) -> Error {
        let places: Vec<String> = self.candidates.iter().map(|path| path.display().to_string()).collect();
        let places = if places.is_empty() { "nowhere".to_owned() } else { places.join(", ") };
        Error::new(
            ErrorKind::LibraryMissing,
            format!(
                "the {} library is needed and cannot be used: {why} (looked at {places}); {}",
                self.name, self.remedy
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_says_which_where_and_how() {
        let libraries = Libraries::find(None, Some("/nowhere/libxgboost.so".into()), &["/no".into(), "/not".into()]);
        let error = libraries.onnxruntime.locate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LibraryMissing);
        for part in ["ONNX Runtime", "/no/libonnxruntime.so", "/not/libonnxruntime.so", "make runtimes"] {
            assert!(error.to_string().contains(part), "{error} lacks {part}");
        }
        let error = libraries.xgboost.locate().unwrap_err().to_string();
        assert!(error.contains("/nowhere/libxgboost.so") && !error.contains("/not/"), "{error}");
    }
}
