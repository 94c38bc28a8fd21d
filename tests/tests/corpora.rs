//! Every file of the corpora that fuzzing starts from, through its reader.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests, and rows are rounded to f32")]

#[path = "../../fuzz/src/readers.rs"]
pub mod readers;

use std::{
    fs,
    time::{Duration, Instant},
};

use readers::READERS;
use thicket_server::{csv, matrix};
use thicket_tests::{repair, root};

/// The longest that one file may take.
const FILE_TIME_MAX: Duration = Duration::from_secs(1);

/// Reads each file of one corpus; returns how many there are and how many of them were accepted.
fn replay(name: &str, reader: readers::Reader) -> (usize, usize) {
    let (mut files, mut accepted) = (0, 0);
    for entry in fs::read_dir(root().join("fuzz/corpus").join(name)).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        println!("{}", path.display());
        let start = Instant::now();
        accepted += usize::from(reader(&bytes));
        assert!(start.elapsed() < FILE_TIME_MAX, "{} took {:?}", path.display(), start.elapsed());
        files += 1;
    }
    (files, accepted)
}

#[test]
fn every_corpus_is_read_and_means_something() {
    for (name, reader) in READERS {
        let (files, accepted) = replay(name, reader);
        assert!(accepted >= 3 && accepted * 2 >= files, "{name}: {accepted} of {files} accepted, see fuzz/seeds.py");
    }
}

#[test]
fn every_corpus_has_a_reader() {
    let corpora = fs::read_dir(root().join("fuzz/corpus")).unwrap().map(|entry| entry.unwrap().file_name());
    let known = |name: &std::ffi::OsString| READERS.iter().any(|reader| name == reader.0);
    assert_eq!(corpora.filter(|name| !known(name)).count(), 0);
}
