//! The crates' arrows: what may use what, and what must not be known where.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeSet, fs};

use thicket_tests::root;

/// The crates that a crate's manifest depends on, outside tests.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names = dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Those of them that are ours.
fn arrows(folder: &str) -> BTreeSet<String> {
    dependencies(folder).into_iter().filter(|name| name.starts_with("thicket-")).collect()
}

#[test]
fn crate_arrows_point_one_way() {
    let check = |folder: &str, expected: &[&str]| {
        assert_eq!(arrows(folder), expected.iter().map(|&name| name.to_owned()).collect(), "{folder}");
    };
    check("converters", &[]);
    check("engine", &["thicket-converters"]);
    check("server", &["thicket-engine"]);
}

/// Lines of the crate's sources, outside its tests, that hold one of `words`.
fn lines_with(folder: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut ahead = vec![root().join(folder).join("src")];
    while let Some(path) = ahead.pop() {
        if path.is_dir() {
            ahead.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        let holds = |line: &&str| words.iter().any(|word| line.contains(word));
        found.extend(code.lines().filter(is_code).filter(holds).map(|line| format!("{}: {line}", path.display())));
    }
    found
}

#[test]
fn the_engine_knows_no_http_and_no_environment() {
    assert_eq!(lines_with("engine", &["env::var"]), Vec::<String>::new());
    let dependencies = dependencies("engine");
    for name in ["clap", "http", "hyper", "hyper-util"] {
        assert!(!dependencies.contains(name), "the engine depends on {name}");
    }
}

#[test]
fn the_converters_know_no_files_no_maps_and_no_registry() {
    assert_eq!(lines_with("converters", &["std::fs", "memmap", "dashmap", "tokio"]), Vec::<String>::new());
}

#[test]
fn unsafe_code_lies_in_a_few_listed_files() {
    let listed = [
        "engine/src/map",
        "engine/src/kernel/walk",
        "engine/src/kernel/batch.rs:",
        "engine/src/kernel/avx2.rs:",
        "engine/src/kernel/avx512.rs:",
        "engine/src/kernel/doubled.rs:",
        "engine/src/kernel/words.rs:",
        "engine/src/kernel/tables",
        "engine/src/onnxruntime",
        "engine/src/xgboost",
        "server/src/csv/vector.rs:",
    ];
    for folder in ["engine", "server"] {
        let lines = lines_with(folder, &["unsafe {", "unsafe impl", "unsafe fn"]);
        let is_listed = |line: &String| listed.iter().any(|name| line.contains(name));
        assert_eq!(lines.iter().find(|line| !is_listed(line)), None);
    }
    assert_eq!(lines_with("server", &["deny(unsafe_code)"]).len(), 1, "server/src/lib.rs does not deny it");
    for (folder, root) in [("converters", "lib.rs"), ("tests", "lib.rs"), ("benches", "lib.rs")] {
        assert_eq!(lines_with(folder, &["forbid(unsafe_code)"]).len(), 1, "{folder}/src/{root} does not forbid it");
    }
}
