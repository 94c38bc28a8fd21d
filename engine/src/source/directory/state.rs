//! What tells whether an artifact's files have changed.

use std::{
    fs::{self, Metadata},
    io::{Error as IoError, ErrorKind as IoErrorKind},
    os::unix::fs::MetadataExt,
    path::Path,
};

use super::{super::Version, MODEL_FILES_MAX};
use crate::error::{Error, ErrorKind, Result};

/// What changes whenever a file's bytes may have: a file that was replaced has another inode, one that was rewritten
/// another time.
pub(super) fn state(metadata: &Metadata) -> String {
    format!("{}-{}.{:09}-{}", metadata.len(), metadata.mtime(), metadata.mtime_nsec(), metadata.ino())
}

/// The state of the artifact at a path that somebody trusted named: that of the file, or of every file in the directory.
///
/// # Errors
/// [`ErrorKind::NotFound`] when nothing lies there, [`ErrorKind::Io`] when it cannot be read.
pub(crate) fn version_at(path: &Path) -> Result<Version> {
    let unreadable = |cause: IoError| match cause.kind() {
        IoErrorKind::NotFound | IoErrorKind::NotADirectory => {
            Error::caused(ErrorKind::NotFound, "no artifact lies there", cause)
        }
        _ => Error::caused(ErrorKind::Io, "cannot read the artifact", cause),
    };
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_dir() {
        return Ok(Version(state(&metadata)));
    }
    let mut states = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)?.take(MODEL_FILES_MAX + 1) {
        let path = entry.map_err(unreadable)?.path();
        states.push(format!("{}={}", path.display(), state(&path.metadata().map_err(unreadable)?)));
    }
    states.sort();
    Ok(Version(states.join("/")))
}
