//! Read-only memory: files mapped where they lie, and bytes moved into a mapping of their own.
//!
//! Both give their memory back to the system exactly when they are dropped, whatever the allocator does.

#![allow(unsafe_code)]

use std::{fs::File, io, ops::Deref, path::Path};

use memmap2::{Mmap, MmapOptions};

/// Read-only bytes, aligned to a page.
#[derive(Debug)]
pub(crate) struct Map(Mmap);

impl Map {
    /// Maps the whole of the file at `path`, all of which is about to be read.
    ///
    /// Only for files that nobody changes after they were published: the cache's own.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: the caller names a file of the cache, and the cache only ever renames finished files into place and
        // unlinks them: neither changes the bytes behind a mapping.
        let map = unsafe { MmapOptions::new().populate().map(&file) }?;
        Ok(Self(map))
    }

    /// Copies `bytes` into an anonymous mapping.
    pub(crate) fn copy(bytes: &[u8]) -> io::Result<Self> {
        let mut map = MmapOptions::new().len(bytes.len()).populate().map_anon()?;
        map.copy_from_slice(bytes);
        Ok(Self(map.make_read_only()?))
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
