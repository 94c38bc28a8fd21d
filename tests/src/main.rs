//! `thicket-campaign FORM COUNT SEED`: reads damaged files of one form and prints how that went, one file after another.
//!
//! A process of its own, so that whoever starts it can bound its memory and survive its end. The file that is being read
//! lies in `target/campaign/FORM`; it stays there when reading it kills the process or panics.

#![allow(clippy::unwrap_used, reason = "a broken fixture may end a test")]

mod corpus;

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use ndarray::Array2;
use thicket_engine::{Model, Output};
use thicket_tests::{Random, root};

/// The longest that one file may take.
const FILE_TIME_MAX: Duration = Duration::from_secs(1);

/// The widest rows that are predicted: wider models are opened only.
const FEATURES_MAX: usize = 1 << 20;

#[derive(Default)]
struct Figures {
    accepted: usize,
    panics: usize,
    slow: usize,
    slowest: Duration,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [form, count, seed] = &arguments[..] else {
        eprintln!("usage: thicket-campaign {} COUNT SEED", corpus::FORMS.join("|"));
        return ExitCode::from(2);
    };
    let (count, seed) = (count.parse().unwrap(), seed.parse().unwrap());
    let scratch = root().join("target/campaign").join(form);
    fs::create_dir_all(scratch.parent().unwrap()).unwrap();
    let figures = campaign(form, count, seed, &scratch);
    let Figures { accepted, panics, slow, slowest } = figures;
    println!(
        "{form:<8}{count:>7} files, {accepted:>5} accepted, {panics} panics, {slow} over 1 s, slowest {:>4} ms, peak {:>4} MiB",
        slowest.as_millis(),
        peak_mib(),
    );
    ExitCode::from(u8::from(panics + slow > 0))
}

fn campaign(form: &str, count: u64, seed: u64, scratch: &Path) -> Figures {
    let files = corpus::files(form, scratch);
    let mut figures = Figures::default();
    for copy in 0..count {
        let mut random = Random::new((seed << 32) + copy + 1);
        let mut bytes = files[random.below(files.len())].clone();
        let other = &files[random.below(files.len())];
        corpus::damage(form, &mut bytes, other, &mut random);
        fs::write(scratch, &bytes).unwrap();
        let start = Instant::now();
        let outcome =
            catch_unwind(AssertUnwindSafe(|| corpus::open(form, &bytes, scratch).is_ok_and(|model| use_model(&model))));
        let took = start.elapsed();
        figures.slowest = figures.slowest.max(took);
        figures.slow += usize::from(took > FILE_TIME_MAX);
        figures.accepted += usize::from(outcome.as_ref().is_ok_and(|&accepted| accepted));
        figures.panics += usize::from(outcome.is_err());
        if outcome.is_err() || took > FILE_TIME_MAX {
            fs::copy(scratch, scratch.with_extension(copy.to_string())).unwrap();
        }
    }
    figures
}

/// Predicts a row of ones and one that is missing altogether.
fn use_model(model: &Model) -> bool {
    let features = model.features().unwrap_or(0);
    if features <= FEATURES_MAX {
        for value in [1.0, f32::NAN] {
            let rows = Array2::from_elem((1, features), value);
            let predictions = model.predict(rows.view(), Output::Value).unwrap();
            assert_eq!(predictions.values.len(), predictions.columns);
        }
    }
    true
}

/// The most memory that this process has had so far.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
