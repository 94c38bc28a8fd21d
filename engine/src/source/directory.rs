//! Artifacts in a directory of this machine: served in place, never copied.

mod state;
mod walk;

use std::{
    fs::{self, Metadata},
    io::{Error as IoError, ErrorKind as IoErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Answer, Fetched, Page, Source, Version, name::is_name};
use crate::{
    blocking,
    error::{Error, ErrorKind, Result},
};
use state::state;
pub(crate) use state::version_at;

/// Most files that one model may consist of.
const MODEL_FILES_MAX: usize = 64;

/// A directory of artifacts: archives, bare model files, and directories that directly hold model files.
///
/// Links are followed as long as they stay inside. A listing shows files: a directory that is itself a model shows by the
/// files in it, and a directory behind a link does not show.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Canonical, so that what lies inside is told by the path's beginning.
    root: Arc<Path>,
}

/// An artifact that was found: where it lies and what tells its state.
struct Found {
    path: PathBuf,
    bytes: u64,
    version: Version,
}

impl Directory {
    /// The directory at `path`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when no directory lies there, [`ErrorKind::SourceUnavailable`] when it cannot be reached.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        blocking::aside(move || {
            let root = path.canonicalize().map_err(|cause| unreached(&path, cause))?;
            if !root.is_dir() {
                return Err(Error::new(ErrorKind::NotFound, format!("{} is not a directory", root.display())));
            }
            Ok(Self { root: root.into() })
        })
        .await
    }

    /// Runs `work`, which is short, on a copy of this source.
    fn answer<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> Result<T> + Send + 'static) -> Answer<'_, T> {
        let source = self.clone();
        Box::pin(blocking::in_place(move || work(&source)))
    }

    fn find(&self, name: &str) -> Result<Found> {
        if !is_name(name) {
            return Err(self.absent(name));
        }
        let path = self.root.join(name);
        let path = path.canonicalize().map_err(|cause| self.unavailable(name, cause))?;
        let metadata = path.metadata().map_err(|cause| self.unavailable(name, cause))?;
        if !path.starts_with(&self.root) {
            return Err(self.absent(name));
        }
        if metadata.is_dir() {
            return self.model_directory(name, path);
        }
        if !metadata.is_file() {
            return Err(self.absent(name));
        }
        Ok(Found { path, bytes: metadata.len(), version: Version(state(&metadata)) })
    }

    /// A directory as a model: its state is that of every file directly in it.
    fn model_directory(&self, name: &str, path: PathBuf) -> Result<Found> {
        let mut states = Vec::new();
        let mut bytes = 0_u64;
        let mut is_model = false;
        for (file, metadata) in self.files(&path).map_err(|cause| self.unavailable(name, cause))? {
            if states.len() == MODEL_FILES_MAX {
                let message = format!("the directory `{name}` holds more than {MODEL_FILES_MAX} files");
                return Err(Error::new(ErrorKind::InvalidArtifact, message));
            }
            is_model |= !is_archive(&file);
            bytes = bytes.saturating_add(metadata.len());
            states.push(format!("{file}={}", state(&metadata)));
        }
        if !is_model {
            return Err(self.absent(name));
        }
        Ok(Found { path, bytes, version: Version(states.join("/")) })
    }

    /// The regular files directly in `directory` that have a name and lie inside the root, sorted by name.
    fn files(&self, directory: &Path) -> Result<Vec<(String, Metadata)>, IoError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(directory)? {
            if let Some(file) = self.file(&entry?.path()) {
                files.push(file);
            }
        }
        files.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(files)
    }

    /// Name and state of the file at `path`; none for anything that is not an artifact's file.
    fn file(&self, path: &Path) -> Option<(String, Metadata)> {
        let name = path.file_name()?.to_str().filter(|name| is_name(name))?.to_owned();
        let metadata = path.metadata().ok().filter(Metadata::is_file)?;
        let inside = path.canonicalize().is_ok_and(|path| path.starts_with(&self.root));
        inside.then_some((name, metadata))
    }

    fn absent(&self, name: &str) -> Error {
        Error::new(ErrorKind::NotFound, format!("no artifact `{}` lies in {}", name.escape_debug(), self.location()))
    }

    fn unavailable(&self, name: &str, cause: IoError) -> Error {
        match cause.kind() {
            IoErrorKind::NotFound | IoErrorKind::NotADirectory | IoErrorKind::InvalidFilename => self.absent(name),
            _ => Error::caused(ErrorKind::SourceUnavailable, format!("cannot reach the artifact `{name}`"), cause),
        }
    }
}

impl Source for Directory {
    fn location(&self) -> String {
        self.root.display().to_string()
    }

    fn version<'a>(&'a self, name: &'a str) -> Answer<'a, Version> {
        let name = name.to_owned();
        self.answer(move |source| source.find(&name).map(|found| found.version))
    }

    fn fetch<'a>(&'a self, name: &'a str, _aside: &'a Path, bytes_max: u64) -> Answer<'a, Fetched> {
        let name = name.to_owned();
        self.answer(move |source| {
            let Found { path, bytes, version } = source.find(&name)?;
            if bytes > bytes_max {
                return Err(super::too_large(&name, bytes, bytes_max));
            }
            Ok(Fetched { path, version })
        })
    }

    fn page<'a>(&'a self, next: Option<&'a str>, artifacts_max: usize) -> Answer<'a, Page> {
        let next = next.map(str::to_owned);
        let source = self.clone();
        Box::pin(blocking::aside(move || walk::page(&source, next.as_deref(), artifacts_max)))
    }
}

fn is_archive(file: &str) -> bool {
    let file = file.to_ascii_lowercase();
    file.ends_with(".tar.gz") || file.ends_with(".tgz")
}

fn unreached(path: &Path, cause: IoError) -> Error {
    let kind = match cause.kind() {
        IoErrorKind::NotFound | IoErrorKind::NotADirectory => ErrorKind::NotFound,
        _ => ErrorKind::SourceUnavailable,
    };
    Error::caused(kind, format!("cannot open the directory {}", path.display()), cause)
}

#[cfg(test)]
mod tests;
