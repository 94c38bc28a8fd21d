//! Read-only memory: files mapped where they lie, and bytes moved into a mapping of their own.
//!
//! Both give their memory back to the system exactly when they are dropped, whatever the allocator does. A mapped file that
//! is cut short reads as zeros from there on, and its map says so.

#![allow(unsafe_code)]

use std::{fs::File, io, ops::Deref, path::Path};

use memmap2::{Mmap, MmapOptions};

mod watch;

use watch::Watch;

/// Read-only bytes, aligned to a page.
#[derive(Debug)]
pub(crate) struct Map {
    /// Dropped first: what lies at these addresses next is another's.
    watch: Option<Watch>,
    bytes: Mmap,
    end: End,
}

/// The last bytes that are not all 0, and where they lie. They are lost wherever a file is cut short and anything but zeros
/// is, and most likely others where it was written to.
#[derive(Debug, Default)]
struct End {
    at: usize,
    bytes: [u8; 8],
}

impl Map {
    /// Maps the whole of the file at `path`. Its pages come as they are read, several at once, which takes less time than to have
    /// all of them brought beforehand, page by page.
    ///
    /// Only for files that nobody writes to after they were published: the cache's own.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: the caller names a file of the cache, and the cache only ever renames finished files into place and
        // unlinks them: neither changes the bytes behind a mapping. That somebody else cuts the file short is noticed.
        let bytes = unsafe { Mmap::map(&file) }?;
        let watch = Watch::over(&bytes)?;
        let end = End::of(&bytes);
        Ok(Self { watch: Some(watch), bytes, end })
    }

    /// Copies `bytes` into an anonymous mapping.
    pub(crate) fn copy(bytes: &[u8]) -> io::Result<Self> {
        let mut map = MmapOptions::new().len(bytes.len()).populate().map_anon()?;
        map.copy_from_slice(bytes);
        Ok(Self { watch: None, bytes: map.make_read_only()?, end: End::default() })
    }

    /// Whether the file was cut short since it was mapped: whatever was read from it before this is asked may then have been
    /// zeros.
    pub(crate) fn is_damaged(&self) -> bool {
        let Some(watch) = &self.watch else { return false };
        let end = self.bytes.get(self.end.at..).and_then(<[u8]>::first_chunk::<8>);
        // SAFETY: it is a reference's. The bytes are read anew, as what lies there may have changed.
        let is_there = end.is_none_or(|end| unsafe { (&raw const *end).read_volatile() } == self.end.bytes);
        watch.is_damaged() || !is_there
    }
}

impl End {
    /// Of files of fewer bytes there is none: no file of the cache is so short.
    fn of(file: &[u8]) -> Self {
        let last = file.iter().rposition(|&byte| byte != 0).unwrap_or(0);
        let at = last.min(file.len().saturating_sub(8));
        file[at..].first_chunk().map_or_else(Self::default, |bytes| Self { at, bytes: *bytes })
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn a_file_that_is_cut_short_reads_as_zeros_from_there_on_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let map = |name: &str| {
            std::fs::write(folder.path().join(name), vec![7; 40_000]).unwrap();
            Map::file(&folder.path().join(name)).unwrap()
        };
        let (cut, whole) = (map("cut"), map("whole"));
        OpenOptions::new().write(true).open(folder.path().join("cut")).unwrap().set_len(10_000).unwrap();
        assert!(cut.is_damaged());
        for _ in 0..2 {
            assert!(cut[..10_000].iter().all(|&byte| byte == 7));
            assert!(cut[10_000..].iter().all(|&byte| byte == 0));
            assert!(cut.is_damaged());
        }
        assert!(whole.iter().all(|&byte| byte == 7) && !whole.is_damaged());
    }

    #[test]
    fn it_is_noticed_also_where_no_page_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes = [vec![7; 100], vec![0; 100]].concat();
        std::fs::write(&path, &bytes).unwrap();
        let map = Map::file(&path).unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(100).unwrap();
        assert!(!map.is_damaged() && *map == *bytes, "only zeros are gone, and read as zeros");
        file.set_len(99).unwrap();
        assert!(map.is_damaged());
    }

    #[test]
    fn places_are_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 100]).unwrap();
        for _ in 0..3000 {
            let map = Map::file(&path).unwrap();
            assert!(map.iter().all(|&byte| byte == 7) && !map.is_damaged());
            if map[0] == 7 {
                std::fs::write(&path, []).unwrap();
                assert_eq!((map[0], map.is_damaged()), (0, true));
            }
            drop(map);
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, [7; 100]).unwrap();
        }
    }
}
