//! Converted models on disk: immutable files that are written aside and renamed into place.
//!
//! Nothing waits for the disk: whoever opens a file checks its checksum, and what a loss of power tore is converted anew.
//!
//! A file's name is a digest of where its artifact lies, the artifact's version, how it was read and the version of what converted it, so
//! a file is right for as long as it exists, across restarts and crashes. Whatever a crash left half written lies in a
//! folder that the next start empties.

mod key;
mod notes;
mod quota;

use std::{
    collections::HashSet,
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

pub(crate) use key::Key;
use quota::Quota;

use crate::error::{Error, ErrorKind, Result};

/// The last bytes of a sealed file: this and a checksum.
const SEAL: [u8; 8] = *b"THICKSEA";

/// What a cached file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A pack.
    Forest,
    /// An ONNX model, sealed.
    Onnx,
    /// A booster in the trainer's own form, sealed.
    Booster,
    /// The packs of an ensemble.
    Bundle,
}

impl Form {
    const ALL: [Self; 4] = [Self::Forest, Self::Onnx, Self::Booster, Self::Bundle];

    fn extension(self) -> &'static str {
        match self {
            Self::Forest => "pack",
            Self::Onnx => "onnx",
            Self::Booster => "booster",
            Self::Bundle => "bundle",
        }
    }
}

/// A converted model on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) form: Form,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

impl Entry {
    /// Whether somebody has removed it.
    pub(crate) fn is_gone(&self) -> bool {
        !self.path.exists()
    }

    /// Whether `error`, met where this was opened that had just been written, tells of somebody who got at the file: what we
    /// write in a form of our own is never wrong by itself.
    pub(crate) fn was_spoilt(&self, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::InvalidArtifact => matches!(self.form, Form::Forest | Form::Bundle),
            ErrorKind::Io => self.is_gone(),
            _ => false,
        }
    }

    /// Removes an entry that turned out to be damaged.
    pub(crate) fn discard(&self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a damaged cache entry");
        }
    }
}

#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
    aside: PathBuf,
    /// Sets this process apart from others with the same number that share the folder: containers all count from 1.
    process: String,
    sequence: AtomicU64,
    quota: Quota,
    /// Held shared for as long as the cache is in use: whoever gets it alone may clean up.
    _lock: File,
}

impl Cache {
    /// Opens the cache in the folder `root`, which is made when it is missing. What lies in it should take `bytes_max` at the
    /// most.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the folder cannot be made or written.
    pub(crate) fn open(root: &Path, bytes_max: Option<u64>) -> Result<Self> {
        let unusable = |error| {
            Error::caused(ErrorKind::Io, format!("the cache directory {} cannot be used", root.display()), error)
        };
        let aside = root.join("aside");
        fs::create_dir_all(&aside).map_err(unusable)?;
        let lock = File::create(root.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {
                empty(&aside).map_err(unusable)?;
                lock.unlock().map_err(unusable)?;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        lock.lock_shared().map_err(unusable)?;
        let started_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let process = format!("{}-{started_ns}", std::process::id());
        let (sequence, quota) = (AtomicU64::new(0), Quota::new(bytes_max));
        Ok(Self { root: root.to_owned(), aside, process, sequence, quota, _lock: lock })
    }

    /// The conversion of that key, if there is one. It may be removed at any time, by another server too.
    pub(crate) fn find(&self, key: &Key) -> Option<Entry> {
        let entry = |form| {
            let path = self.path(key, form);
            let metadata = path.metadata().ok().filter(fs::Metadata::is_file)?;
            Some(Entry { key: *key, form, path, bytes: metadata.len() })
        };
        let entry = Form::ALL.into_iter().find_map(entry)?;
        self.quota.note_use(key);
        Some(entry)
    }

    /// Writes `bytes` as the conversion of `key`; whoever looks finds all of it or nothing. Where the disk is full, what is not
    /// `kept` makes room once.
    ///
    /// # Errors
    /// [`ErrorKind::Io`]; nothing is left behind.
    pub(crate) fn publish(
        &self,
        key: &Key,
        form: Form,
        bytes: &[u8],
        kept: impl FnOnce() -> HashSet<Key>,
    ) -> Result<Entry> {
        let path = self.path(key, form);
        let written = match self.write(&path, bytes) {
            Err(error) if is_full(&error) => {
                self.make_room(bytes.len() as u64, &kept());
                self.write(&path, bytes)
            }
            written => written,
        };
        written.map_err(|error| {
            Error::caused(ErrorKind::Io, format!("cannot write {} bytes to the cache", bytes.len()), error)
        })?;
        self.quota.note_write(key, bytes.len());
        Ok(Entry { key: *key, form, path, bytes: bytes.len() as u64 })
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let folder = path.parent().expect("entries lie in a folder of the cache");
        let aside = self.aside();
        let mut file = File::create_new(aside.path())?;
        file.write_all(bytes)?;
        fs::create_dir_all(folder)?;
        fs::rename(aside.path(), path)
    }

    /// A place for a file that is being written; what lies there is removed with the value.
    pub(crate) fn aside(&self) -> Aside {
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        Aside(self.aside.join(format!("{}.{number}", self.process)))
    }

    fn path(&self, key: &Key, form: Form) -> PathBuf {
        self.file(key, form.extension())
    }

    /// Where the file of that key and kind lies.
    fn file(&self, key: &Key, extension: &str) -> PathBuf {
        let name = format!("{key}.{extension}");
        self.root.join(&name[..2]).join(name)
    }
}

/// A place for a file that is being written.
#[derive(Debug)]
pub(crate) struct Aside(PathBuf);

impl Aside {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Absent once it was renamed into place, which is the usual end.
        let _ = fs::remove_file(&self.0);
    }
}

/// Whether it is room that a disk lacks.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

/// `bytes` with a checksum behind them.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&SEAL);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The bytes in front of a seal that fits them.
///
/// # Errors
/// [`ErrorKind::InvalidArtifact`] when the file was changed since it was sealed.
pub(crate) fn unseal(file: &[u8]) -> Result<&[u8]> {
    let broken = || Error::new(ErrorKind::InvalidArtifact, "damaged cache entry: its seal is broken");
    let (rest, checksum) = file.split_last_chunk::<4>().ok_or_else(broken)?;
    let bytes = rest.strip_suffix(&SEAL).ok_or_else(broken)?;
    if crc32fast::hash(bytes) == u32::from_le_bytes(*checksum) { Ok(bytes) } else { Err(broken()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Reading;

    #[test]
    fn what_is_published_survives_and_what_was_being_written_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::new("s3://bucket/prefix", "a/model.tar.gz", "etag", Reading::default());
        let left_behind = {
            let cache = Cache::open(folder.path(), None).unwrap();
            assert_eq!(cache.find(&key), None);
            cache.publish(&key, Form::Onnx, b"graph", HashSet::new).unwrap();
            let aside = cache.aside();
            fs::write(aside.path(), b"half").unwrap();
            let path = aside.path().to_owned();
            std::mem::forget(aside);
            let _second_server = Cache::open(folder.path(), None).unwrap();
            assert!(path.exists(), "a start beside a running server must not clean up");
            path
        };
        let cache = Cache::open(folder.path(), None).unwrap();
        assert!(!left_behind.exists());
        let entry = cache.find(&key).unwrap();
        assert_eq!((entry.form, fs::read(&entry.path).unwrap()), (Form::Onnx, b"graph".to_vec()));
        assert_eq!((entry.bytes, entry.is_gone()), (5, false));
        entry.discard();
        assert!(entry.is_gone());
        assert_eq!(cache.find(&key), None);
    }

    #[test]
    fn a_broken_seal_is_noticed() {
        let sealed = seal(b"model".to_vec());
        assert_eq!(unseal(&sealed).unwrap(), b"model");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(unseal(&changed).is_err());
            assert!(unseal(&sealed[..at]).is_err());
        }
    }
}
