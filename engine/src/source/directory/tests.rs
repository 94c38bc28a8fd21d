//! A directory as a source, on a real file system.

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
