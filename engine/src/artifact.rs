//! Artifacts: what training published, opened and checked but not yet understood.
//!
//! An artifact is a directory, a bare model file, or a `tar` archive, gzipped or not. Only the regular files at its top
//! count, as in AWS's containers; nothing is ever written to disk, and every size is bounded before it is read.

mod gzip;

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Component, Path},
};

use crate::error::{Error, ErrorKind, Result};
use gzip::Members;

/// Bounds on what an artifact may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that all its files may have together, unpacked.
    pub bytes_max: u64,
    /// The most entries an archive or a directory may have.
    pub entries_max: usize,
    /// How many bytes an archive may unpack to for each of its own, beyond the first MiB.
    pub ratio_max: u64,
}

impl Default for Limits {
    /// 256 MiB, 1,000 entries, 200 : 1.
    fn default() -> Self {
        Self { bytes_max: 256 << 20, entries_max: 1_000, ratio_max: 200 }
    }
}

impl Limits {
    /// What an archive may unpack to with everything in it that does not count.
    fn archive_bytes_max(&self) -> u64 {
        self.bytes_max.saturating_mul(2).saturating_add(1 << 20)
    }
}

/// What a gzip stream begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The longest name of an entry that counts, in bytes: file systems have no longer ones.
const NAME_BYTES_MAX: usize = 255;

/// The most bytes for which room is made before they are there: what an archive announces may be a lie.
const ROOM_MAX: u64 = 16 << 20;

/// One file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelFile {
    /// Its name without folders.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Reads the files of the artifact at `path`, sorted by name. Names that start with a dot are left out.
///
/// # Errors
/// [`ErrorKind::NotFound`] when nothing lies there, [`ErrorKind::InvalidArtifact`] with the place when it holds no file,
/// breaks a limit or is damaged, [`ErrorKind::Io`] when it cannot be read.
pub(crate) fn read(path: &Path, limits: &Limits) -> Result<Vec<ModelFile>> {
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::caused(ErrorKind::NotFound, "no artifact lies there", error),
        _ => Error::caused(ErrorKind::Io, "cannot read the artifact", error),
    })?;
    let mut files = if metadata.is_dir() {
        read_directory(path, limits)?
    } else if metadata.is_file() {
        read_file(path, limits)?
    } else {
        return Err(invalid("it is neither a file nor a directory".to_owned()));
    };
    if files.is_empty() {
        return Err(invalid("it holds no model file".to_owned()));
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// What the files of the artifact at `path` take together, as far as it says so before it is read: 0 where it cannot be read.
/// An archive that was packed in several parts tells of the last.
pub(crate) fn announced_bytes(path: &Path) -> u64 {
    let told = || -> io::Result<u64> {
        let metadata = fs::metadata(path)?;
        if metadata.is_dir() {
            return fs::read_dir(path)?.map(|entry| Ok(fs::metadata(entry?.path())?.len())).sum();
        }
        let mut file = File::open(path)?;
        let (mut magic, mut size) = ([0; 2], [0; 4]);
        file.read_exact(&mut magic)?;
        if magic != GZIP {
            return Ok(metadata.len());
        }
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut size)?;
        Ok(u64::from(u32::from_le_bytes(size)).max(metadata.len()))
    };
    told().unwrap_or(0)
}

fn read_directory(path: &Path, limits: &Limits) -> Result<Vec<ModelFile>> {
    let mut files = Vec::new();
    let mut budget = Budget::new(limits.bytes_max);
    for (index, entry) in fs::read_dir(path).map_err(unreadable)?.enumerate() {
        if index >= limits.entries_max {
            return Err(too_many(limits));
        }
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(visible_name) else { continue };
        // Follows links, as AWS's containers do: what is read is judged by its content.
        if fs::metadata(&path).map_err(unreadable)?.is_file() {
            let file = File::open(&path).map_err(unreadable)?;
            let announced = file.metadata().map_err(unreadable)?.len();
            let bytes = budget.read(file, announced, &name)?;
            files.push(ModelFile { name, bytes });
        }
    }
    Ok(files)
}

fn read_file(path: &Path, limits: &Limits) -> Result<Vec<ModelFile>> {
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let head = peek(&mut file)?;
    if head.starts_with(&GZIP) {
        let packed_bytes = file.get_ref().metadata().map_err(unreadable)?.len();
        // What is packed counts too: zeros behind the stream unpack to nothing, however many they are.
        if packed_bytes > limits.archive_bytes_max() {
            return Err(invalid(format!("it has {packed_bytes} bytes, far more than a model archive does")));
        }
        let unpacked_max = limits.ratio_max.saturating_mul(packed_bytes).saturating_add(1 << 20);
        return read_archive(Members::new(file), limits, unpacked_max.min(limits.archive_bytes_max()));
    }
    if head.get(257..262) == Some(b"ustar") {
        return read_archive(file, limits, limits.archive_bytes_max());
    }
    let name = path.file_name().unwrap_or(OsStr::new("model")).to_string_lossy().into_owned();
    let announced = file.get_ref().metadata().map_err(unreadable)?.len();
    let bytes = Budget::new(limits.bytes_max).read(file, announced, &name)?;
    Ok(vec![ModelFile { name, bytes }])
}

/// The first bytes, left in place for whoever reads next.
fn peek(file: &mut BufReader<File>) -> Result<&[u8]> {
    io::BufRead::fill_buf(file).map_err(unreadable)
}

/// Reads the regular files at the top of a `tar` stream that may unpack to at most `unpacked_max` bytes.
fn read_archive(stream: impl Read, limits: &Limits, unpacked_max: u64) -> Result<Vec<ModelFile>> {
    let mut files = Vec::new();
    let mut names = BTreeSet::new();
    let mut budget = Budget::new(limits.bytes_max);
    let mut archive = tar::Archive::new(Bounded { stream, left: unpacked_max });
    for (index, entry) in archive.entries().map_err(damaged)?.enumerate() {
        if index >= limits.entries_max {
            return Err(too_many(limits));
        }
        let entry = entry.map_err(damaged)?;
        let Some(name) = top_level_name(&entry)? else { continue };
        if !names.insert(name.clone()) {
            return Err(invalid(format!("the archive holds {name:?} twice")));
        }
        let announced = entry.size();
        let bytes = budget.read(entry, announced, &name)?;
        files.push(ModelFile { name, bytes });
    }
    // The checksum of a gzip stream stands at its end, which `tar` does not read.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)?;
    Ok(files)
}

/// The name of a regular file at the top of an archive; `None` for entries that do not count.
///
/// Links and devices are refused wherever they are, as are paths that lead out of the archive.
fn top_level_name(entry: &tar::Entry<'_, impl Read>) -> Result<Option<String>> {
    let path = entry.path().map_err(damaged)?;
    let kind = entry.header().entry_type();
    let shown = path.display().to_string();
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part),
            _ => return Err(invalid(format!("the archive's entry {shown:?} leads out of it"))),
        }
    }
    if !kind.is_file() && !kind.is_dir() {
        return Err(invalid(format!("the archive's entry {shown:?} is neither a file nor a directory")));
    }
    match parts[..] {
        [name] if name.len() > NAME_BYTES_MAX => {
            Err(invalid(format!("the archive has an entry with a name of {} bytes", name.len())))
        }
        [name] if kind.is_file() => Ok(visible_name(name)),
        _ => Ok(None),
    }
}

fn visible_name(name: &OsStr) -> Option<String> {
    let name = name.to_string_lossy();
    (!name.starts_with('.')).then(|| name.into_owned())
}

/// What is left of the bytes that an artifact's files may have together.
struct Budget {
    bytes_max: u64,
    left: u64,
}

impl Budget {
    fn new(bytes_max: u64) -> Self {
        Self { bytes_max, left: bytes_max }
    }

    /// Reads all of `stream`, which the artifact calls `name` and which should have `announced` bytes, or fails once the
    /// budget is spent.
    fn read(&mut self, stream: impl Read, announced: u64, name: &str) -> Result<Vec<u8>> {
        let room = announced.min(self.left).min(ROOM_MAX);
        let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        let taken = stream.take(self.left.saturating_add(1)).read_to_end(&mut bytes);
        taken.map_err(|error| Error::caused(ErrorKind::InvalidArtifact, format!("cannot read {name:?}"), error))?;
        match self.left.checked_sub(bytes.len() as u64) {
            Some(left) => self.left = left,
            None => return Err(invalid(format!("its files have more than {} bytes together", self.bytes_max))),
        }
        Ok(bytes)
    }
}

/// A stream that fails once it has given more than it may.
struct Bounded<R> {
    stream: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "it unpacks to far more bytes than a model archive does")
        })?;
        Ok(count)
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArtifact, message)
}

fn too_many(limits: &Limits) -> Error {
    invalid(format!("it has more than {} entries", limits.entries_max))
}

fn unreadable(error: io::Error) -> Error {
    Error::caused(ErrorKind::Io, "cannot read the artifact", error)
}

fn damaged(error: io::Error) -> Error {
    Error::caused(ErrorKind::InvalidArtifact, "damaged archive", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    use tar::{EntryType, Header};

    fn entry(builder: &mut tar::Builder<Vec<u8>>, path: &str, kind: EntryType, bytes: &[u8]) {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    }

    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, bytes) in entries {
            entry(&mut builder, path, *kind, bytes);
        }
        builder.into_inner().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read_bytes(bytes: &[u8]) -> Result<Vec<ModelFile>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        read(file.path(), &Limits { bytes_max: 1 << 16, entries_max: 10, ratio_max: 4 })
    }

    fn refused(bytes: &[u8], place: &str) {
        let story = read_bytes(bytes).expect_err("a bad artifact was accepted").story();
        assert!(story.contains(place), "{story} lacks {place}");
    }

    #[test]
    fn an_archive_gives_its_visible_files_sorted() {
        let file = EntryType::Regular;
        let tar = archive(&[
            ("./b", file, b"two"),
            ("a", file, b"one"),
            ("._a", file, b"resource fork"),
            ("code", EntryType::Directory, b""),
            ("code/inference.py", file, b"import os"),
        ]);
        for bytes in [gzip(&tar), tar] {
            let names: Vec<_> = read_bytes(&bytes).unwrap().into_iter().map(|file| (file.name, file.bytes)).collect();
            assert_eq!(names, [("a".to_owned(), b"one".to_vec()), ("b".to_owned(), b"two".to_vec())]);
        }
    }

    #[test]
    fn what_an_artifact_unpacks_to_is_told_before_it_is_read() {
        let announced = |bytes: &[u8]| {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), bytes).unwrap();
            announced_bytes(file.path())
        };
        let tar = archive(&[("m", EntryType::Regular, &[0; 5000])]);
        assert_eq!((announced(&tar), announced(&gzip(&tar))), (tar.len() as u64, tar.len() as u64));
        assert_eq!((announced(b"model"), announced(b"")), (5, 0));
        assert_eq!(announced(&[&gzip(&tar)[..], &[0; 4]].concat()), gzip(&tar).len() as u64 + 4);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("one"), b"one").unwrap();
        fs::write(folder.path().join("three"), b"three").unwrap();
        assert_eq!((announced_bytes(folder.path()), announced_bytes(Path::new("/nowhere/at all"))), (8, 0));
    }

    #[test]
    fn hostile_archives_are_refused_by_name() {
        let file = EntryType::Regular;
        refused(&archive(&[("../evil", file, b"x")]), "../evil");
        refused(&archive(&[("/etc/passwd", file, b"x")]), "/etc/passwd");
        refused(&archive(&[("link", EntryType::Symlink, b"")]), "\"link\" is neither");
        refused(&archive(&[("hard", EntryType::Link, b"")]), "\"hard\" is neither");
        refused(&archive(&[("null", EntryType::Char, b"")]), "\"null\" is neither");
        refused(&archive(&[("m", file, b"x"), ("./m", file, b"y")]), "twice");
        refused(&archive(&[("m", file, &vec![0; 1 << 17])]), "more than 65536 bytes");
        refused(&archive(&vec![("m", EntryType::Directory, &b""[..]); 11]), "more than 10 entries");
        refused(&archive(&[("code/m", file, b"x")]), "no model file");
        refused(&gzip(&archive(&[("code/m", file, &vec![0; 3 << 20])])), "far more bytes");
        let gzipped = gzip(&archive(&[("m", file, b"model")]));
        refused(&gzipped[..gzipped.len() / 2], "damaged archive");
        refused(&gzipped[..gzipped.len() - 1], "damaged archive");
        refused(&[&gzipped[..gzipped.len() - 8], &[0; 8]].concat(), "damaged archive");
        let mut header = Header::new_ustar();
        header.set_size(300);
        header.set_entry_type(EntryType::XHeader);
        header.set_cksum();
        let pax = format!("300 path={}\n", "n".repeat(290));
        let mut long = tar::Builder::new(Vec::new());
        long.append(&header, pax.as_bytes()).unwrap();
        entry(&mut long, "m", file, b"model");
        refused(&long.into_inner().unwrap(), "a name of 290 bytes");
    }
}
