//! How much room the cache takes on disk, and what is removed when that is too much: what nobody has used for longest.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use super::{Cache, Key};

/// Files take whole blocks.
const BLOCK_BYTES: u64 = 4096;
/// What is removed at once beyond what is too much, as a part of what may be there: one in so many. Looking at all files is
/// worth it then.
const REMOVED_SHARE: u64 = 16;

/// The account of what lies in the cache. Others may write to the folder, so that it is drawn up anew before anything is
/// removed.
#[derive(Debug)]
pub(super) struct Quota {
    bytes_max: Option<u64>,
    bytes: AtomicU64,
    /// What was there at the start is part of it.
    is_whole: AtomicBool,
    /// When this process used what last, in milliseconds of Unix time; of everything else the file's times tell.
    uses: Mutex<HashMap<Key, u64>>,
}

/// A file that may be removed.
struct Held {
    key: Key,
    path: PathBuf,
    bytes: u64,
    used_ms: u64,
}

impl Quota {
    pub(super) fn new(bytes_max: Option<u64>) -> Self {
        Self { bytes_max, bytes: AtomicU64::new(0), is_whole: AtomicBool::new(false), uses: Mutex::default() }
    }

    /// Notes that a file of that key is used now.
    pub(super) fn note_use(&self, key: &Key) {
        if self.bytes_max.is_some() {
            let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
            self.uses().insert(*key, u64::try_from(now_ms).unwrap_or(u64::MAX));
        }
    }

    /// Notes that a file was written.
    pub(super) fn note_write(&self, key: &Key, bytes: usize) {
        self.note_use(key);
        self.bytes.fetch_add(on_disk(bytes as u64), Ordering::Relaxed);
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<Key, u64>> {
        // Each entry is whole or not there: a panic elsewhere does not spoil them.
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// Whether there may be more in the cache than there should.
    pub(crate) fn is_over_quota(&self) -> bool {
        let Quota { bytes_max, bytes, is_whole, .. } = &self.quota;
        bytes_max
            .is_some_and(|bytes_max| !is_whole.load(Ordering::Relaxed) || bytes.load(Ordering::Relaxed) > bytes_max)
    }

    /// Removes what is too much, but nothing that is `kept`.
    pub(crate) fn keep_quota(&self, kept: &HashSet<Key>) {
        let Some(bytes_max) = self.quota.bytes_max else { return };
        self.remove(kept, |bytes| match bytes.checked_sub(bytes_max) {
            None | Some(0) => 0,
            Some(excess_bytes) => excess_bytes + bytes_max / REMOVED_SHARE,
        });
    }

    /// Removes what takes at least so many bytes on a disk that is full, as far as there is that much that is not `kept`.
    pub(crate) fn make_room(&self, needed_bytes: u64, kept: &HashSet<Key>) {
        self.remove(kept, |bytes| on_disk(needed_bytes).max(bytes / REMOVED_SHARE));
    }

    /// Removes of the files that take `bytes` those that nobody has used for longest, until `excess_bytes(bytes)` are gone.
    fn remove(&self, kept: &HashSet<Key>, excess_bytes: impl FnOnce(u64) -> u64) {
        // What is written from here on may count twice, until the next time.
        self.quota.bytes.store(0, Ordering::Relaxed);
        let mut held = match self.held() {
            Ok(held) => held,
            Err(error) => return tracing::warn!(%error, "cannot look through the cache"),
        };
        let bytes: u64 = held.iter().map(|file| file.bytes).sum();
        let excess_bytes = excess_bytes(bytes);
        held.retain(|file| !kept.contains(&file.key));
        held.sort_unstable_by_key(|file| file.used_ms);
        let (mut removed, mut removed_bytes) = (0, 0);
        for file in held {
            if removed_bytes >= excess_bytes {
                break;
            }
            match fs::remove_file(&file.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %file.path.display(), %error, "cannot remove a file of the cache");
                }
                // Another server that shares the folder may have removed it.
                _ => (removed, removed_bytes) = (removed + 1, removed_bytes + file.bytes),
            }
        }
        self.quota.bytes.fetch_add(bytes - removed_bytes, Ordering::Relaxed);
        self.quota.is_whole.store(true, Ordering::Relaxed);
        if removed > 0 {
            tracing::info!(files = removed, removed_bytes, bytes, "conversions were removed to make room on disk");
        }
    }

    /// Every file that this cache, or another one of this folder, has written.
    fn held(&self) -> io::Result<Vec<Held>> {
        let mut held = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let path = entry?.path();
            if is_folder(&path) {
                for entry in fs::read_dir(&path)? {
                    held.extend(file(entry?.path()));
                }
            } else {
                held.extend(file(path));
            }
        }
        let mut uses = self.quota.uses();
        for file in &mut held {
            file.used_ms = file.used_ms.max(uses.get(&file.key).copied().unwrap_or(0));
        }
        let there: HashSet<Key> = held.iter().map(|file| file.key).collect();
        uses.retain(|key, _| there.contains(key));
        Ok(held)
    }
}

/// Whether files of the cache lie in the folder at that path.
fn is_folder(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.len() == 2) && path.is_dir()
}

/// The file at `path`, if it is one of the cache's.
fn file(path: PathBuf) -> Option<Held> {
    let key = Key::parse(path.file_stem()?.to_str()?)?;
    let metadata = path.metadata().ok().filter(Metadata::is_file)?;
    let ms = |s: i64, ns: i64| u64::try_from(s.saturating_mul(1000) + ns / 1_000_000).unwrap_or(0);
    let used_ms = ms(metadata.mtime(), metadata.mtime_nsec()).max(ms(metadata.atime(), metadata.atime_nsec()));
    Some(Held { key, path, bytes: on_disk(metadata.len()), used_ms })
}

fn on_disk(bytes: u64) -> u64 {
    bytes.max(1).next_multiple_of(BLOCK_BYTES)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{cache::Form, reading::Reading};

    fn key(number: u32) -> Key {
        Key::new("s3://bucket", &number.to_string(), "1", Reading::default())
    }

    /// A cache of ten conversions of which the first was used last, long ago.
    fn cache(folder: &Path, bytes_max: Option<u64>) -> Cache {
        let cache = Cache::open(folder, bytes_max).unwrap();
        for number in 0..10 {
            let entry = cache.publish(&key(number), Form::Onnx, &[0; 4000], HashSet::new).unwrap();
            let time = SystemTime::now() - Duration::from_secs(1000 + u64::from(number));
            let times = fs::FileTimes::new().set_accessed(time).set_modified(time);
            fs::File::options().write(true).open(entry.path).unwrap().set_times(times).unwrap();
        }
        cache
    }

    fn left(cache: &Cache) -> Vec<u32> {
        (0..10).filter(|&number| cache.path(&key(number), Form::Onnx).exists()).collect()
    }

    #[test]
    fn what_was_used_least_recently_goes_until_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        drop(cache(folder.path(), None));
        let cache = Cache::open(folder.path(), Some(6 * BLOCK_BYTES)).unwrap();
        assert!(cache.is_over_quota(), "nobody has looked yet");
        cache.find(&key(9)).unwrap();
        cache.keep_quota(&HashSet::from([key(8)]));
        assert_eq!(left(&cache), [0, 1, 2, 8, 9]);
        assert!(!cache.is_over_quota());
        for number in 10..12 {
            cache.publish(&key(number), Form::Onnx, &[0; 1], HashSet::new).unwrap();
        }
        assert!(cache.is_over_quota());
        cache.keep_quota(&HashSet::new());
        assert_eq!(left(&cache), [0, 1, 9]);
    }

    #[test]
    fn without_a_quota_room_is_made_only_when_it_must_be() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), None);
        assert!(!cache.is_over_quota());
        cache.keep_quota(&HashSet::new());
        assert_eq!(left(&cache).len(), 10);
        cache.make_room(2 * BLOCK_BYTES, &HashSet::from([key(9)]));
        assert_eq!(left(&cache), [0, 1, 2, 3, 4, 5, 6, 9]);
        cache.make_room(u64::MAX / 2, &HashSet::new());
        assert_eq!(left(&cache), Vec::<u32>::new());
    }

    #[test]
    fn only_the_caches_own_files_are_counted_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), Some(1)).unwrap();
        let others = ["README", "ab/notes.txt", "aside/4711.0", "abc/0000.pack"];
        for other in others {
            fs::create_dir_all(folder.path().join(other).parent().unwrap()).unwrap();
            fs::write(folder.path().join(other), [0; 9000]).unwrap();
        }
        cache.write_popular("s3://bucket", b"[]").unwrap();
        cache.keep_quota(&HashSet::new());
        assert_eq!(cache.read_popular("s3://bucket"), None);
        assert!(others.iter().all(|other| folder.path().join(other).exists()));
    }
}
