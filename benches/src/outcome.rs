//! What a measurement leaves behind: a JSON file that also says on what machine, when and with which command.

use std::{env, fs, path::Path, thread};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::error::{Error, Result};

/// A measurement's figures and how they came about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome<T> {
    /// What was measured: the subcommand.
    pub kind: String,
    /// What this run is called among others of its kind.
    pub name: String,
    /// Where and how.
    pub circumstances: Circumstances,
    /// The figures.
    pub results: T,
}

/// Where and how something was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Circumstances {
    /// The command line.
    pub command: String,
    /// Universal time when the figures were written.
    pub date: String,
    /// The processor's name.
    pub processor: String,
    /// Processors that threads could run on.
    pub processors: usize,
}

impl Circumstances {
    fn here() -> Self {
        Self {
            command: env::args().collect::<Vec<_>>().join(" "),
            date: date(OffsetDateTime::now_utc()),
            processor: processor(),
            processors: thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// When and on what, in a few words.
    pub(crate) fn machine(&self) -> String {
        format!("{}, {} × {}", self.date, self.processors, self.processor)
    }
}

impl<T: Serialize> Outcome<T> {
    /// The figures of a run of that name, measured here and now.
    pub fn new(kind: &str, name: &str, results: T) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned(), circumstances: Circumstances::here(), results }
    }

    /// Writes `KIND-NAME.json` into `folder`, which is made if it is not there; nothing without a folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, folder: Option<&Path>) -> Result<()> {
        let Some(folder) = folder else { return Ok(()) };
        fs::create_dir_all(folder).map_err(Error::file(folder))?;
        let path = folder.join(format!("{}-{}.json", self.kind, self.name));
        let text = serde_json::to_string_pretty(self).map_err(Error::at(path.display()))?;
        fs::write(&path, text + "\n").map_err(Error::file(&path))
    }
}

fn date(now: OffsetDateTime) -> String {
    let (date, hour, minute) = (now.date(), now.hour(), now.minute());
    format!("{date} {hour:02}:{minute:02} UTC")
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or("unknown", |(_, name)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        Outcome::new("kernels", "today", vec![1, 2]).write(Some(folder.path())).unwrap();
        let text = fs::read(folder.path().join("kernels-today.json")).unwrap();
        let outcome: Outcome<Vec<u32>> = serde_json::from_slice(&text).unwrap();
        assert_eq!((outcome.results, outcome.kind.as_str()), (vec![1, 2], "kernels"));
        assert!(outcome.circumstances.processors > 0 && outcome.circumstances.date.ends_with(" UTC"));
    }
}
