//! A prefix of many models for a server of our own: the four city models under many names, and requests for them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use thicket_tests::{fixtures, houses, prefix};

use crate::{
    error::{Error, Result},
    load::requests::{Requests, bodies},
};

/// A scratch folder with models, and room for a cache; gone when it is dropped.
#[derive(Debug)]
pub struct Prefix {
    folder: TempDir,
    names: Vec<String>,
}

impl Prefix {
    /// A prefix of so many models.
    ///
    /// # Errors
    /// When they cannot be copied.
    pub fn of(models: usize) -> Result<Self> {
        let folder = tempfile::tempdir().map_err(Error::at("scratch folder"))?;
        let prefix_of_all =
            Self { names: (0..models).map(|model| format!("model-{model:05}.tar.gz")).collect(), folder };
        fs::create_dir(prefix_of_all.models()).map_err(Error::at("scratch folder"))?;
        let archives: Vec<_> = houses().iter().map(|house| prefix().join(&house.target)).collect();
        for (name, archive) in prefix_of_all.names.iter().zip(archives.iter().cycle()) {
            fs::copy(archive, prefix_of_all.models().join(name)).map_err(Error::file(archive))?;
        }
        Ok(prefix_of_all)
    }

    /// Where the models lie.
    #[must_use]
    pub fn models(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    /// Where converted models may go.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Requests of one row to one model after the other.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn requests(&self) -> Result<Requests> {
        let headers = ["x-amzn-sagemaker-target-model: {model}".to_owned()];
        Requests::new("/endpoints/bench/invocations", &headers, &self.names, bodies(&rows()?, 1).unwrap_or_default())
    }
}

/// The rows of all four models, which have the same columns.
pub(crate) fn rows() -> Result<String> {
    let read = |house: &thicket_tests::House| {
        let name = Path::new(&house.target).parent().unwrap_or(Path::new(""));
        let path = fixtures().join("houses").join(format!("{}.csv", name.display()));
        fs::read_to_string(&path).map_err(Error::file(&path))
    };
    houses().iter().map(read).collect()
}
