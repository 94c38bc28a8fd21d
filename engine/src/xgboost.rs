//! `XGBoost`'s own library, opened at run time for the boosters that cannot be converted.

use std::fmt;

use crate::{
    error::{Error, ErrorKind, Result},
    library::Library,
};

mod functions;
mod versions;
mod handle;
mod booster;

pub(crate) use booster::Booster;
use functions::Functions;

/// The oldest library that is used: it predicts from rows in memory as every later one does.
const OLDEST: (u32, u32) = (1, 7);

/// `XGBoost`'s library, open and known to have what is called.
pub(crate) struct XgboostLibrary {
    functions: Functions,
    version: (u32, u32, u32),
}

impl XgboostLibrary {
    /// Opens the first candidate that is a file.
    ///
    /// # Errors
    /// [`ErrorKind::LibraryMissing`] when there is none, or it cannot be loaded, lacks a function or is too old.
    pub(crate) fn open(library: &Library) -> Result<Self> {
        let functions = Functions::open(library.locate()?).map_err(|why| library.missing(&why))?;
        let version = functions.version();
        let (major, minor, patch) = version;
        if (major, minor) < OLDEST {
            let (oldest_major, oldest_minor) = OLDEST;
            let why = format!(
                "it is version {major}.{minor}.{patch}, and {oldest_major}.{oldest_minor} is the oldest of use"
            );
            return Err(library.missing(&why));
        }
        Ok(Self { functions, version })
    }

    /// # Errors
    /// [`ErrorKind::Unsupported`] with the reason when the library would not answer as the model's writer did.
    fn reads_rightly(&self, booster: &thicket_converters::Booster) -> Result<()> {
        let (major, minor, _) = self.version;
        versions::reads_rightly(&booster.into(), (major, minor)).map_err(|reason| {
            let message = format!("a model of XGBoost {} is not given to the library {self}", booster.version);
            Error::caused(ErrorKind::Unsupported, message, reason)
        })
    }

    /// What the library says about the failure of `what`, if it did fail.
    fn check(&self, status: std::ffi::c_int, kind: ErrorKind, what: &str) -> Result<()> {
        if status == 0 {
            return Ok(());
        }
        Err(Error::caused(kind, format!("{self} {what}"), self.functions.last_error()))
    }
}

impl fmt::Display for XgboostLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        write!(f, "XGBoost {major}.{minor}.{patch}")
    }
}

impl fmt::Debug for XgboostLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XgboostLibrary").field("version", &self.version).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Libraries;

    fn open(path: &str) -> Result<XgboostLibrary> {
        XgboostLibrary::open(&Libraries::find(None, Some(path.into()), &[]).xgboost)
    }

    #[test]
    fn a_library_that_cannot_be_used_says_why() {
        let onnxruntime = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtimes/libonnxruntime.so");
        let text = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for (path, why) in [
            ("/nowhere/libxgboost.so", "in none of the places"),
            (text, "cannot be loaded"),
            (onnxruntime, "XGBoosterPredictFromDense"),
        ] {
            let error = open(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LibraryMissing);
            for part in [why, path, "THICKET_XGBOOST_LIB"] {
                assert!(error.to_string().contains(part), "{error} lacks {part}");
            }
        }
    }
}
