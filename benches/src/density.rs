//! Ten thousand models behind a real S3 server, far more than fit in the memory that the kernel lets the server have:
//! popular ones are asked for all the time, and others, cold ones, beside them.

pub mod course;
pub mod goals;
pub mod phase;
pub mod streams;

use std::{fs, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::{
    arguments::Density,
    error::{Error, Result},
    fleet::{Fleet, TREES},
    group::Group,
    load::Summary,
    objects::{BUCKET, Objects},
    outcome::Outcome,
    server::{Server, Surroundings},
    table::Table,
    watch::watch,
};
pub use course::Moment;
use course::look;
pub use phase::Phase;
use streams::Streams;

/// How often the server and its group are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// The run and how it went on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Models under the prefix.
    pub models: usize,
    /// Trees of each.
    pub trees: usize,
    /// Memory that the server may take with all that it holds, in bytes.
    pub limit_bytes: u64,
    /// The exponent of Zipf's law.
    pub exponent: f64,
    /// Requests a second for popular models, and for cold ones.
    pub rates: (f64, f64),
    /// Models that are popular: half of what fits in memory.
    pub popular_models: usize,
    /// What was done, one after the other.
    pub phases: Phases,
    /// Processes that the kernel killed for want of memory.
    pub kills: u64,
    /// Whether the server still ran at the end.
    pub is_alive: bool,
    /// What was seen each second.
    pub course: Vec<Moment>,
}

/// What was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Phases {
    /// Each model but those that are to stay unseen, once; the least popular first.
    pub fill: Phase,
    /// These models after Zipf's law.
    pub mixed: Phase,
    /// The popular ones after Zipf's law, nothing else.
    pub warm: Phase,
    /// The same, and beside it models that cannot be loaded.
    pub poison: Phase,
    /// Of that phase, what became of requests for these models.
    pub poisoned: Summary,
    /// The same, and beside it models that are not in memory.
    pub cold: Phase,
    /// Of that phase, the first answers of models that were never asked for.
    pub never_seen: Summary,
    /// Of that phase, those of models that were converted and left memory.
    pub from_cache: Summary,
}

/// Runs it.
///
/// # Errors
/// When a server does not start, this machine has no memory cgroups, or the results cannot be written; and when a request
/// failed, an answer was wrong, or the kernel killed a process.
pub fn run(options: &Density) -> Result<()> {
    let stage = Stage::set(options)?;
    let figures = stage.measure(options)?;
    for table in tables(&figures) {
        println!("{table}");
    }
    Outcome::new("density", &options.out.name, &figures).write(options.out.out.as_deref())?;
    goals::hold(&figures)
}

/// What came of it: goals, what clients saw, what the server did.
#[must_use]
pub fn tables(figures: &Figures) -> [Table; 4] {
    [goals::table(figures), phase::table(figures), phase::server_table(figures), phase::steps_table(figures)]
}

/// What the measurement needs, in the order in which it goes.
struct Stage {
    server: Server,
    group: Option<Group>,
    _objects: Objects,
    fleet: Fleet,
    _folder: TempDir,
}

impl Stage {
    fn set(options: &Density) -> Result<Self> {
        let group = (!options.no_group).then(|| Group::new(options.limit)).transpose()?;
        let folder = tempfile::tempdir().map_err(Error::at("scratch folder"))?;
        let bucket: PathBuf = folder.path().join("s3").join(BUCKET);
        fs::create_dir_all(&bucket).map_err(Error::file(&bucket))?;
        eprintln!("writing {} models", options.models);
        let fleet = Fleet::write(&bucket, options.models)?;
        let objects = Objects::start(&options.s3_server, &folder.path().join("s3"))?;
        let environment = objects.environment();
        let surroundings = Surroundings { group: group.as_ref(), environment: &environment };
        let models = format!("s3://{BUCKET}");
        let limit = options.limit.to_string();
        let mut words = vec!["--models", models.as_str()];
        if group.is_none() {
            words.extend(["--memory-limit", limit.as_str()]);
        }
        let server = Server::start_in(&options.thicket, &folder.path().join("cache"), &words, surroundings)?;
        Ok(Self { server, group, _objects: objects, fleet, _folder: folder })
    }

    fn measure(mut self, options: &Density) -> Result<Figures> {
        let mut streams = Streams::new(&self.fleet, &self.server, options)?;
        let looking = look(&self.server, self.group.as_ref())?;
        let (phases, course) = watch(INTERVAL, looking, || streams.run());
        let popular_models = streams.popular();
        let kills = self.group.as_ref().map_or(Ok(0), Group::kills)?;
        let phases = phases.map_err(|error| Error::new(format!("{error}; killed by the kernel: {kills}")))?;
        Ok(Figures {
            models: options.models,
            trees: TREES,
            limit_bytes: options.limit,
            exponent: options.exponent,
            rates: (options.rate, options.cold_rate),
            popular_models,
            phases,
            kills,
            is_alive: self.server.is_alive(),
            course: course.into_iter().map(|(seconds, moment)| Moment { seconds, ..moment }).collect(),
        })
    }
}
