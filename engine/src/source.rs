//! Where artifacts lie: the seam between the engine and whatever stores models.

use std::{fmt, future::Future, path::PathBuf, pin::Pin, sync::Arc};

use crate::error::{Error, ErrorKind, Result};

pub mod directory;
mod name;
#[cfg(feature = "s3")]
pub mod s3;

/// What a source's calls return: a boxed future, so that sources of every kind fit one registry.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// One state of one artifact: it changes whenever the artifact's bytes may have changed.
///
/// An `ETag`, or size, time of change and inode; opaque to everyone but the source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub String);

/// One artifact as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name by which the source hands it out: its path below the prefix.
    pub name: String,
    /// Size as stored, in bytes.
    pub bytes: u64,
    /// Which state of the artifact lies there, the same as [`Source::version`] gives, where the listing tells.
    pub version: Option<Version>,
}

/// A part of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Sorted by name.
    pub artifacts: Vec<Listed>,
    /// What to ask for the next page with; nothing where this is the last one.
    pub next: Option<String>,
}

/// An artifact within reach of the file system.
#[derive(Debug)]
pub struct Fetched {
    /// A file (an archive or a bare model) or a directory.
    pub path: PathBuf,
    /// Which state of the artifact this is.
    pub version: Version,
}

/// A store of artifacts, addressed by name: the path below a prefix, `/` between its parts.
///
/// Names come from requests and are hostile: a source answers [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for
/// any that it would not list itself.
pub trait Source: Send + Sync + fmt::Debug {
    /// Identifies the store in logs and in cache keys, such as `s3://bucket/prefix`.
    fn location(&self) -> String;

    /// Which state of the artifact `name` lies there now.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none,
    /// [`SourceUnavailable`](crate::ErrorKind::SourceUnavailable) when the store does not say, and
    /// [`SourceUnreachable`](crate::ErrorKind::SourceUnreachable) when it would say nothing of any other artifact either.
    fn version<'a>(&'a self, name: &'a str) -> Answer<'a, Version>;

    /// Brings the artifact `name` within reach: in place where it is a local file already, else streamed into the new
    /// file `aside`, which the caller removes.
    ///
    /// # Errors
    /// As [`version`](Self::version), and [`InvalidArtifact`](crate::ErrorKind::InvalidArtifact) for an object of more
    /// than `bytes_max` bytes.
    fn fetch<'a>(&'a self, name: &'a str, aside: &'a std::path::Path, bytes_max: u64) -> Answer<'a, Fetched>;

    /// Whether the store answers at all, found out as cheaply and as soon as it can be.
    ///
    /// # Errors
    /// [`SourceUnreachable`](crate::ErrorKind::SourceUnreachable) when it does not, and
    /// [`SourceUnavailable`](crate::ErrorKind::SourceUnavailable) when it lets nobody in.
    fn reach(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// At most `artifacts_max` artifacts of those in the store, sorted by name: the first ones, or those behind the page whose
    /// `next` is given. A page may have fewer although others follow.
    ///
    /// # Errors
    /// [`SourceUnavailable`](crate::ErrorKind::SourceUnavailable) and
    /// [`SourceUnreachable`](crate::ErrorKind::SourceUnreachable) when the store does not say, and
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when nothing has such a `next`.
    fn page<'a>(&'a self, next: Option<&'a str>, artifacts_max: usize) -> Answer<'a, Page>;

    /// How many questions for a [`version`](Self::version) cost as much as a page of the listing, where that tells versions.
    fn page_cost(&self) -> Option<usize> {
        None
    }

    /// Every artifact in the store, sorted by name.
    ///
    /// # Errors
    /// As [`page`](Self::page).
    fn list(&self) -> Answer<'_, Vec<Listed>> {
        Box::pin(async {
            let (mut listed, mut next) = (Vec::new(), None);
            loop {
                let page = self.page(next.as_deref(), usize::MAX).await?;
                listed.extend(page.artifacts);
                next = page.next;
                if next.is_none() {
                    return Ok(listed);
                }
            }
        })
    }
}

/// Opens the store at `location`: `s3://bucket/prefix`, or a directory's path, with or without `file://` before it.
///
/// # Errors
/// [`ErrorKind::NotFound`] when no directory lies there, [`ErrorKind::Unsupported`] for a location of another kind, and
/// [`ErrorKind::SourceUnavailable`] when the store cannot be reached.
pub async fn open(location: &str) -> Result<Arc<dyn Source>> {
    match location.split_once("://") {
        None => Ok(Arc::new(directory::Directory::open(location).await?)),
        Some(("file", path)) => Ok(Arc::new(directory::Directory::open(path).await?)),
        #[cfg(feature = "s3")]
        Some(("s3", _)) => Ok(Arc::new(s3::S3::open(location).await?)),
        Some((scheme, _)) => {
            let message = format!("models cannot be served from `{scheme}://`, only from a directory or `s3://`");
            Err(Error::new(ErrorKind::Unsupported, message))
        }
    }
}

/// The error for an artifact that is larger than its caller allows.
fn too_large(name: &str, bytes: u64, bytes_max: u64) -> Error {
    let message = format!("the artifact `{name}` has {bytes} bytes, and at most {bytes_max} are allowed");
    Error::new(ErrorKind::InvalidArtifact, message)
}
