//! Damaged files of every form, read by a process that may take 256 MiB: none kills it, none takes a second.
//!
//! `THICKET_CAMPAIGN_FILES` says how many (1,500), `THICKET_CAMPAIGN_SEED` which ones.

use std::{env, process::Command};

use thicket_tests::root;

/// Bounds of the process: address space in KiB, and seconds of processor time, so that a file without end ends.
const LIMITS: &str = "ulimit -v 262144 && ulimit -t 900 && exec \"$0\" \"$@\"";

const FORMS: [&str; 7] = ["json", "ubjson", "legacy", "pickle", "onnx", "pack", "archive"];

fn number(variable: &str, usual: usize) -> usize {
    env::var(variable).map_or(usual, |number| number.parse().expect("a whole number"))
}

#[test]
fn no_damaged_file_hurts() {
    let count = number("THICKET_CAMPAIGN_FILES", 1500).div_ceil(FORMS.len());
    let seed = number("THICKET_CAMPAIGN_SEED", 1);
    let mut faults = Vec::new();
    for form in FORMS {
        let mut command = Command::new("sh");
        command.args(["-c", LIMITS, env!("CARGO_BIN_EXE_thicket-campaign"), form]);
        command.args([count.to_string(), seed.to_string()]).env("MALLOC_ARENA_MAX", "1");
        let output = command.output().expect("every system has a shell");
        print!("{}", String::from_utf8_lossy(&output.stdout));
        if !output.status.success() {
            let path = root().join("target/campaign").join(form);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            faults.push(format!("{form}: {}, see {}*\n{said}", output.status, path.display()));
        }
    }
    assert!(faults.is_empty(), "seed {seed}:\n{}", faults.join("\n"));
}
