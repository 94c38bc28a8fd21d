//! How fast model files become packs, verification included, and how long it takes to open these.

use std::{
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use thicket_engine::offline;

use crate::{
    arguments::Conversion,
    distribution::micros,
    error::{Error, Result},
    latency,
    outcome::Outcome,
    sample::Sample,
    table::{Table, short},
};

/// One model file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// Its path.
    pub file: String,
    /// Its length in bytes.
    pub bytes: usize,
    /// What comes of it, in bytes.
    pub pack_bytes: usize,
    /// From the file to a pack that is verified: the median.
    pub converted_us: f64,
    /// Millions of the file's bytes a second in the fastest round.
    pub mb_per_s: f64,
    /// From the pack in the cache to a model that predicts: the median.
    pub opened_us: f64,
}

impl Figure {
    /// Converts the file and opens what comes of it, both so often.
    fn of(path: &Path, rounds: usize) -> Result<Self> {
        let bytes =
            usize::try_from(path.metadata().map_err(Error::file(path))?.len()).map_err(Error::at(path.display()))?;
        let convert = || offline::to_pack(black_box(path)).map_err(Error::at(path.display()));
        let pack_bytes = convert()?.len();
        let mut conversions = Sample::default();
        for _ in 0..rounds {
            let start = Instant::now();
            black_box(convert()?);
            conversions.push(start.elapsed());
        }
        let conversions = conversions.sorted();
        let opened_us = micros(opened(path, rounds)?.sorted().quantile(0.5));
        let converted_us = micros(conversions.quantile(0.5));
        let mb_per_s = mb_per_s(bytes, conversions.quantile(0.0));
        Ok(Self { file: path.display().to_string(), bytes, pack_bytes, converted_us, mb_per_s, opened_us })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a file has fewer than 2^52 bytes")]
fn mb_per_s(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / time.as_secs_f64() / 1e6
}

/// Opens the file's pack from a cache again and again.
fn opened(path: &Path, rounds: usize) -> Result<Sample> {
    let runtime = tokio::runtime::Runtime::new().map_err(Error::at("runtime"))?;
    let cache = tempfile::tempdir().map_err(Error::at("scratch folder"))?;
    let path = path.canonicalize().map_err(Error::file(path))?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(Error::new(format!("{}: no name of a model", path.display())));
    };
    let opened = async { latency::opened(folder, &[name], rounds, cache.path()).await };
    runtime.block_on(opened).map_err(Error::at(path.display()))
}

/// Measures every file.
///
/// # Errors
/// When a file is no model that becomes a pack, or the results cannot be written.
pub fn run(options: &Conversion) -> Result<()> {
    let figure = |path| Figure::of(path, options.rounds.get());
    let figures = options.files.iter().map(|path| figure(path)).collect::<Result<Vec<_>>>()?;
    print!("{}", table(&figures));
    Outcome::new("conversion", &options.out.name, figures).write(options.out.out.as_deref())
}

/// The figures as a table.
#[must_use]
pub fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new(&["file", "bytes", "pack bytes", "converted, µs", "MB/s", "opened, µs"]);
    for figure in figures {
        let times = [figure.converted_us, figure.mb_per_s, figure.opened_us].map(short);
        let sizes = [figure.bytes, figure.pack_bytes].map(|bytes| bytes.to_string());
        table.row([figure.file.clone()].into_iter().chain(sizes).chain(times));
    }
    table
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::large;

    #[test]
    fn a_file_is_converted_and_its_pack_opened() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in large::files() {
            let path = folder.path().join(name);
            fs::write(&path, &bytes).unwrap();
            let figure = Figure::of(&path, 2).unwrap();
            assert!(figure.bytes == bytes.len() && figure.pack_bytes > 100_000, "{figure:?}");
            assert!(figure.mb_per_s > 0.0 && figure.converted_us > figure.opened_us, "{figure:?}");
            assert!(table(&[figure]).to_string().contains(name));
        }
    }

    #[test]
    fn a_file_that_is_no_model_is_told_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        fs::write(&path, "1,2\n").unwrap();
        let error = Figure::of(&path, 1).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
    }
}
