//! Artifacts in a directory of this machine: served in place, never copied.

mod walk;

use std::{
    fs::{self, Metadata},
    io::{Error as IoError, ErrorKind as IoErrorKind},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Answer, Fetched, Page, Source, Version, name::is_name};
use crate::{
    blocking,
    error::{Error, ErrorKind, Result},
};

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

/// What changes whenever a file's bytes may have: a file that was replaced has another inode, one that was rewritten
/// another time.
fn state(metadata: &Metadata) -> String {
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
mod tests {
    use std::{fs::File, os::unix::fs::symlink};

    use super::{super::name::PARTS_MAX, *};

    /// A root of its own for each test: a folder of models, and one file beside it that is out of bounds.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[&str]) -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            fs::write(tree.0.path().join("secret"), "secret").unwrap();
            fs::create_dir(tree.root()).unwrap();
            for file in files {
                tree.write(file, "model");
            }
            tree
        }

        fn root(&self) -> PathBuf {
            self.0.path().join("root")
        }

        fn write(&self, file: &str, text: &str) {
            let path = self.root().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        async fn open(&self) -> Directory {
            Directory::open(self.root()).await.unwrap()
        }
    }

    async fn fetch(source: &Directory, name: &str) -> Result<Fetched> {
        source.fetch(name, Path::new("/nowhere/aside"), 100).await
    }

    #[tokio::test]
    async fn files_are_fetched_in_place() {
        let tree = Tree::new(&["Houston/model.tar.gz", "bare-model"]);
        let source = tree.open().await;
        let root = tree.root().canonicalize().unwrap();
        for name in ["Houston/model.tar.gz", "bare-model"] {
            let fetched = fetch(&source, name).await.unwrap();
            assert_eq!(fetched.path, root.join(name));
            assert_eq!(fetched.version, source.version(name).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_directory_with_model_files_is_an_artifact() {
        let tree = Tree::new(&["whole/xgboost-model", "whole/features.json", "archives/a.tar.gz", "archives/b.TGZ"]);
        fs::create_dir(tree.root().join("empty")).unwrap();
        let source = tree.open().await;
        let fetched = fetch(&source, "whole").await.unwrap();
        assert!(fetched.path.ends_with("root/whole"));
        for name in ["archives", "empty"] {
            assert_eq!(fetch(&source, name).await.unwrap_err().kind(), ErrorKind::NotFound, "{name}");
        }
        tree.write("whole/features.json", "more");
        assert_ne!(source.version("whole").await.unwrap(), fetched.version);
    }

    #[tokio::test]
    async fn a_changed_file_has_another_version() {
        let tree = Tree::new(&["model"]);
        let source = tree.open().await;
        let first = source.version("model").await.unwrap();
        let time = File::open(tree.root().join("model")).unwrap().metadata().unwrap().modified().unwrap();
        tree.write("new", "label");
        let new = File::options().write(true).open(tree.root().join("new")).unwrap();
        new.set_modified(time).unwrap();
        fs::rename(tree.root().join("new"), tree.root().join("model")).unwrap();
        let second = source.version("model").await.unwrap();
        assert_ne!(first, second, "same size and time, another file");
        new.set_modified(time + std::time::Duration::from_nanos(1)).unwrap();
        assert_ne!(second, source.version("model").await.unwrap());
    }

    #[tokio::test]
    async fn nothing_outside_or_hidden_is_found() {
        let tree = Tree::new(&["model", ".hidden", ".git/model", "inner/model"]);
        let link = |target: &str, name: &str| symlink(target, tree.root().join(name)).unwrap();
        link("../secret", "escape");
        link("..", "parent");
        link("inner/model", "inside");
        link("loop", "loop");
        let source = tree.open().await;
        let long = "a/".repeat(400) + "a";
        for name in ["", ".", "..", "../secret", "inner/../model", "escape", "parent/secret", ".hidden", ".git/model"] {
            assert_eq!(fetch(&source, name).await.unwrap_err().kind(), ErrorKind::NotFound, "{name}");
        }
        for name in ["none", "model/x", "inner\\model", "a\0", "inner/", "//", long.as_str(), &"a".repeat(300)] {
            assert_eq!(fetch(&source, name).await.unwrap_err().kind(), ErrorKind::NotFound, "{name}");
        }
        assert_eq!(fetch(&source, "loop").await.unwrap_err().kind(), ErrorKind::SourceUnavailable);
        assert!(fetch(&source, "inside").await.unwrap().path.ends_with("inner/model"));
        let names: Vec<_> = source.list().await.unwrap().into_iter().map(|listed| listed.name).collect();
        assert_eq!(names, ["inner/model", "inside", "model"]);
    }

    #[tokio::test]
    async fn listing_is_sorted_and_sized() {
        let tree = Tree::new(&["b/model.tar.gz", "a.tgz", "b-2/model.tar.gz"]);
        let deep = vec!["d"; PARTS_MAX].join("/");
        tree.write(&deep, "deep");
        tree.write(&format!("{}/d/too-deep", deep.rsplit_once('/').unwrap().0.to_owned() + "/e"), "too deep");
        let source = tree.open().await;
        let listed = source.list().await.unwrap();
        for listed in &listed {
            assert_eq!(listed.version, source.version(&listed.name).await.ok(), "{}", listed.name);
        }
        let expected = [("a.tgz", 5), ("b-2/model.tar.gz", 5), ("b/model.tar.gz", 5), (deep.as_str(), 4)];
        let listed: Vec<_> = listed.iter().map(|listed| (listed.name.as_str(), listed.bytes)).collect();
        assert_eq!(listed, expected);
    }

    #[tokio::test]
    async fn pages_of_any_length_are_the_whole_list() {
        let files = ["a/b/c", "a/b-c", "a/d", "a-b", "a.b/c", "b/1", "b/2", "b/3", "c", "d/e/f/g"];
        let tree = Tree::new(&files);
        for folder in ["a/b/empty", "b/2-empty", "empty-1/empty", "empty-2", "z"] {
            fs::create_dir_all(tree.root().join(folder)).unwrap();
        }
        let source = tree.open().await;
        let whole = source.list().await.unwrap();
        let mut expected = files.map(str::to_owned);
        expected.sort();
        assert_eq!(whole.iter().map(|listed| listed.name.clone()).collect::<Vec<_>>(), expected);
        for artifacts_max in 1..=files.len() + 1 {
            let (mut listed, mut next) = (Vec::new(), None);
            loop {
                let page = source.page(next.as_deref(), artifacts_max).await.unwrap();
                assert!(page.artifacts.len() <= artifacts_max);
                listed.extend(page.artifacts);
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
            assert_eq!(listed, whole, "{artifacts_max}");
        }
        for next in ["", "a/", "a/b", "zz", "../secret", "\0"] {
            let page = source.page(Some(next), 100).await.unwrap();
            let follow: Vec<_> = whole.iter().filter(|listed| listed.name.as_str() > next).cloned().collect();
            assert_eq!((page.artifacts, page.next), (follow, None), "{next}");
        }
    }

    #[tokio::test]
    async fn sizes_are_capped() {
        let tree = Tree::new(&[]);
        tree.write("large", &"x".repeat(101));
        tree.write("whole/one", &"x".repeat(60));
        tree.write("whole/two", &"x".repeat(60));
        let source = tree.open().await;
        for name in ["large", "whole"] {
            let error = fetch(&source, name).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArtifact);
            assert!(error.to_string().contains("100"), "{error}");
        }
        for file in 0..=MODEL_FILES_MAX {
            tree.write(&format!("many/{file}"), "");
        }
        assert_eq!(fetch(&source, "many").await.unwrap_err().kind(), ErrorKind::InvalidArtifact);
    }

    #[tokio::test]
    async fn only_a_directory_opens() {
        let tree = Tree::new(&["file"]);
        for path in ["file", "none", "file/below"] {
            let error = Directory::open(tree.root().join(path)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{path}");
        }
    }
}
