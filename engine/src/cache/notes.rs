//! What is noted in the cache beside conversions: which of them was used last of a model, and which models are popular.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::PathBuf,
};

use super::{Cache, Entry, Key};
use crate::error::{Error, ErrorKind, Result};

/// A key is a digest of 256 bits in hexadecimal.
const KEY_BYTES: u64 = 64;
/// Longer lists of popular models are not read.
const POPULAR_BYTES_MAX: u64 = 16 << 20;

impl Cache {
    /// Notes `entry` as what was used last under `latest`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`]; what was noted before still is then.
    pub(crate) fn note_latest(&self, latest: &Key, entry: &Entry) -> Result<()> {
        self.quota.note_use(latest);
        if self.latest(latest).is_some_and(|noted| noted == entry.key) {
            return Ok(());
        }
        let text = entry.key.to_string();
        self.write(&self.pointer(latest), text.as_bytes()).map_err(unwritten)?;
        self.quota.note_write(latest, text.len());
        Ok(())
    }

    /// Forgets what was used last under `latest`: it is no more.
    pub(crate) fn forget_latest(&self, latest: &Key) {
        // Absent unless it was used, which is the usual case.
        let _ = fs::remove_file(self.pointer(latest));
    }

    /// The key of what was used last under `latest`.
    pub(crate) fn latest(&self, latest: &Key) -> Option<Key> {
        let mut text = String::new();
        File::open(self.pointer(latest)).ok()?.take(KEY_BYTES + 1).read_to_string(&mut text).ok()?;
        Key::parse(&text)
    }

    fn pointer(&self, latest: &Key) -> PathBuf {
        self.file(latest, "latest")
    }

    /// Writes which models of the source at `location` are popular.
    ///
    /// # Errors
    /// [`ErrorKind::Io`]; what was written before is still there then.
    pub(crate) fn write_popular(&self, location: &str, text: &[u8]) -> Result<()> {
        self.write(&self.popular(location), text).map_err(unwritten)
    }

    /// What was written of the source at `location`, if it is not more than can be true.
    pub(crate) fn read_popular(&self, location: &str) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let file = File::open(self.popular(location)).ok()?;
        file.take(POPULAR_BYTES_MAX + 1).read_to_end(&mut text).ok()?;
        (text.len() as u64 <= POPULAR_BYTES_MAX).then_some(text)
    }

    fn popular(&self, location: &str) -> PathBuf {
        self.root.join(format!("{}.popular", Key::of_source(location)))
    }
}

fn unwritten(error: io::Error) -> Error {
    Error::caused(ErrorKind::Io, "cannot write to the cache", error)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{cache::Form, reading::Reading};

    #[test]
    fn what_was_used_last_is_known_and_a_damaged_note_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), None).unwrap();
        let [first, second] = ["1", "2"].map(|version| Key::new("s3://bucket", "a", version, Reading::default()));
        let latest = Key::of_latest("s3://bucket", "a", Reading::default());
        assert_eq!(cache.latest(&latest), None);
        for key in [&first, &second, &second] {
            let entry = cache.publish(key, Form::Onnx, b"graph", HashSet::new).unwrap();
            cache.note_latest(&latest, &entry).unwrap();
            assert_eq!(cache.latest(&latest).as_ref(), Some(key));
        }
        for text in ["", "../../../etc/passwd", &first.to_string()[1..], &format!("{first}0")] {
            fs::write(cache.pointer(&latest), text).unwrap();
            assert_eq!(cache.latest(&latest), None);
        }
        cache.forget_latest(&latest);
        assert!(!cache.pointer(&latest).exists());
    }
}
