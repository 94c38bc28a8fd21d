//! Converted models on disk: immutable files that are written aside and renamed into place.
//!
//! Nothing waits for the disk: whoever opens a file checks its checksum, and what a loss of power tore is converted anew.
//!
//! A file's name is a digest of where its artifact lies, the artifact's version, how it was read and the version of what converted it, so
//! a file is right for as long as it exists, across restarts and crashes. Whatever a crash left half written lies in a
//! folder that the next start empties.

mod notes;

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};

use crate::{
    error::{Error, ErrorKind, Result},
    pack::format,
    reading::Reading,
};

/// Raised when a conversion of the same artifact comes out differently.
const CONVERSION: u32 = 3;
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
    pub(crate) form: Form,
    pub(crate) path: PathBuf,
}

impl Entry {
    /// Removes an entry that turned out to be damaged.
    pub(crate) fn discard(&self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a damaged cache entry");
        }
    }
}

/// The name of a conversion: one state of one artifact, converted by this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// The key of `version` of the artifact `name` of the source at `location`, as `reading` has it.
    pub(crate) fn new(location: &str, name: &str, version: &str, reading: Reading) -> Self {
        let mut digest = Sha256::new();
        for part in [location, name, version] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        digest.update(reading.code());
        digest.update(CONVERSION.to_le_bytes());
        digest.update(format::VERSION.to_le_bytes());
        Self(hex(&digest.finalize()))
    }

    /// The key of what was used last of the artifact `name`, whatever its version.
    pub(crate) fn of_latest(location: &str, name: &str, reading: Reading) -> Self {
        // No source has such a version.
        Self::new(location, name, "\0latest", reading)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
    aside: PathBuf,
    /// Sets this process apart from others with the same number that share the folder: containers all count from 1.
    process: String,
    sequence: AtomicU64,
    /// Held shared for as long as the cache is in use: whoever gets it alone may clean up.
    _lock: File,
}

impl Cache {
    /// Opens the cache in the folder `root`, which is made when it is missing.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the folder cannot be made or written.
    pub(crate) fn open(root: &Path) -> Result<Self> {
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
        Ok(Self { root: root.to_owned(), aside, process, sequence: AtomicU64::new(0), _lock: lock })
    }

    /// The conversion of that key, if there is one.
    pub(crate) fn find(&self, key: &Key) -> Option<Entry> {
        let entry = |form| Entry { form, path: self.path(key, form) };
        Form::ALL.into_iter().map(entry).find(|entry| entry.path.is_file())
    }

    /// Writes `bytes` as the conversion of `key`; whoever looks finds all of it or nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Io`]; nothing is left behind.
    pub(crate) fn publish(&self, key: &Key, form: Form, bytes: &[u8]) -> Result<Entry> {
        let path = self.path(key, form);
        self.write(&path, bytes).map_err(|error| {
            Error::caused(ErrorKind::Io, format!("cannot write {} bytes to the cache", bytes.len()), error)
        })?;
        Ok(Entry { form, path })
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
        self.root.join(&key.0[..2]).join(format!("{}.{}", key.0, form.extension()))
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
    use thicket_converters::BestIteration;

    #[test]
    fn what_is_published_survives_and_what_was_being_written_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::new("s3://bucket/prefix", "a/model.tar.gz", "etag", Reading::default());
        let left_behind = {
            let cache = Cache::open(folder.path()).unwrap();
            assert_eq!(cache.find(&key), None);
            cache.publish(&key, Form::Onnx, b"graph").unwrap();
            let aside = cache.aside();
            fs::write(aside.path(), b"half").unwrap();
            let path = aside.path().to_owned();
            std::mem::forget(aside);
            let _second_server = Cache::open(folder.path()).unwrap();
            assert!(path.exists(), "a start beside a running server must not clean up");
            path
        };
        let cache = Cache::open(folder.path()).unwrap();
        assert!(!left_behind.exists());
        let entry = cache.find(&key).unwrap();
        assert_eq!((entry.form, fs::read(&entry.path).unwrap()), (Form::Onnx, b"graph".to_vec()));
        entry.discard();
        assert_eq!(cache.find(&key), None);
    }

    #[test]
    fn keys_differ_when_any_part_does() {
        let keys = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("a", "b", "d")];
        let readings = [true, false].map(|ensemble| {
            [BestIteration::AsToday, BestIteration::Legacy].map(|best_iteration| Reading { ensemble, best_iteration })
        });
        let keys = keys
            .iter()
            .flat_map(|(l, n, v)| readings.as_flattened().iter().map(|reading| Key::new(l, n, v, *reading).0));
        assert_eq!(keys.collect::<std::collections::HashSet<_>>().len(), 16);
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
