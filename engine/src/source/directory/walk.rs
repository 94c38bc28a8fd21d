//! The files below a directory in the order of their names, a page at a time: however many there are, no more of them are
//! in memory than a page has for each level of folders.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::{self, DirEntry},
    io::Error as IoError,
};

use super::{
    super::{
        Listed, Page, Version,
        name::{PARTS_MAX, is_name},
    },
    Directory,
    state::state,
    unreached,
};
use crate::error::Result;

/// What lies ahead, in the order in which it is come by: by its path, where a folder's ends with `/`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ahead {
    path: String,
    what: What,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    File,
    /// A folder, from behind that path in it on.
    Folder {
        folder: String,
        behind: Option<String>,
    },
}

/// At most `artifacts_max` files whose names come behind `next`.
pub(super) fn page(source: &Directory, next: Option<&str>, artifacts_max: usize) -> Result<Page> {
    let next = next.unwrap_or_default();
    let whole = Ahead { path: String::new(), what: What::Folder { folder: String::new(), behind: None } };
    let mut ahead = BinaryHeap::from([Reverse(whole)]);
    let mut artifacts: Vec<Listed> = Vec::new();
    while artifacts.len() < artifacts_max {
        let Some(Reverse(Ahead { path, what })) = ahead.pop() else { return Ok(Page { artifacts, next: None }) };
        match what {
            What::File => artifacts.extend(listed(source, path)),
            What::Folder { folder, behind } => match open(source, &folder, behind.as_deref(), next, artifacts_max) {
                Ok(found) => ahead.extend(found.into_iter().map(Reverse)),
                Err(cause) if folder.is_empty() => return Err(unreached(&source.root, cause)),
                Err(cause) => tracing::warn!(directory = folder, %cause, "cannot list a directory of models"),
            },
        }
    }
    let next = artifacts.last().filter(|_| !ahead.is_empty()).map(|listed| listed.name.clone());
    Ok(Page { artifacts, next })
}

/// The file as an artifact, if it is one.
fn listed(source: &Directory, name: String) -> Option<Listed> {
    let (_, metadata) = source.file(&source.root.join(&name))?;
    Some(Listed { name, bytes: metadata.len(), version: Some(Version(state(&metadata))) })
}

/// The first things in a folder behind both paths, and where there are more than `count`, the rest of the folder.
fn open(
    source: &Directory,
    folder: &str,
    behind: Option<&str>,
    next: &str,
    count: usize,
) -> Result<Vec<Ahead>, IoError> {
    let mut first = BinaryHeap::new();
    let mut has_more = false;
    for entry in fs::read_dir(source.root.join(folder))? {
        let Some(found) = ahead(&entry?, folder)? else { continue };
        let is_listed = found.path.as_str() <= next && !(found.is_folder() && next.starts_with(&found.path));
        if is_listed || behind.is_some_and(|behind| found.path.as_str() <= behind) {
            continue;
        }
        first.push(found);
        if first.len() > count {
            has_more = true;
            first.pop();
        }
    }
    let mut found = first.into_sorted_vec();
    if let Some(last) = found.last().filter(|_| has_more) {
        let path = last.path.clone();
        found.push(Ahead { path: path.clone(), what: What::Folder { folder: folder.to_owned(), behind: Some(path) } });
    }
    Ok(found)
}

/// What an entry of a folder is to a walk; nothing where names do not lead there.
fn ahead(entry: &DirEntry, folder: &str) -> Result<Option<Ahead>, IoError> {
    let name = entry.file_name();
    let path = name.to_str().map(|name| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") });
    let Some(path) = path.filter(|path| is_name(path)) else { return Ok(None) };
    if !entry.file_type()?.is_dir() {
        return Ok(Some(Ahead { path, what: What::File }));
    }
    let is_shallow = path.split('/').count() < PARTS_MAX;
    let what = What::Folder { folder: path.clone(), behind: None };
    Ok(is_shallow.then(|| Ahead { path: path + "/", what }))
}

impl Ahead {
    fn is_folder(&self) -> bool {
        matches!(self.what, What::Folder { .. })
    }
}
