//! Models that are loaded, invoked and let go again and again, on many connections at once: every answer is right, and in
//! the end the server holds what it held after it had warmed up.

pub mod clients;
pub mod holdings;
pub mod mode;

use std::{fs, thread, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    arguments::Soak,
    error::{Error, Result},
    fleet::Fleet,
    load::connection::Connection,
    metrics::Metrics,
    outcome::Outcome,
    server::{Server, Surroundings},
    table::{Table, short},
};
use clients::Clients;
use holdings::Holdings;
use mode::Mode;

/// Models of each client, which come and go.
const MODELS_EACH: usize = 4;
/// What a model takes, about. All together may take as much as one model of every second client.
const MODEL_BYTES: usize = 96 << 10;
/// Parts of the cycles after each of which the server is looked at while nobody asks for anything. After the first it is warm.
const ROUNDS: u64 = 10;
const LAST_ROUND: u64 = ROUNDS - 1;
/// How long the server has to put away what only a busy one needs, such as threads.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of one mode.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// In which the server ran.
    pub mode: Mode,
    /// Cycles, each of which has a request at least that loads its model.
    pub cycles: u64,
    /// Loads that the server counted.
    pub loads: f64,
    /// Models that left memory to make room.
    pub evictions: f64,
    /// What the server held after each round, when nobody asked for anything.
    pub holdings: Vec<Holdings>,
    /// What was wrong; nothing.
    pub complaints: Vec<String>,
}

/// Runs the cycles, half of them in each mode, on a server each.
///
/// # Errors
/// When the server does not start, an answer is not what it should be, or the server holds more in the end; with
/// `--planted` when it does not.
///
/// # Panics
/// When a client does.
pub fn run(options: &Soak) -> Result<()> {
    // Side by side: each waits at its end until threads that have nothing to do any more have gone.
    let figures = thread::scope(|scope| {
        let modes = Mode::ALL.map(|mode| scope.spawn(move || soak(options, mode)));
        modes.into_iter().map(|mode| mode.join().expect("a soak does not panic")).collect::<Result<Vec<_>>>()
    })?;
    print!("{}", table(&figures));
    Outcome::new("soak", &options.out.name, &figures).write(options.out.out.as_deref())?;
    let complaints =
        figures.iter().flat_map(|one| one.complaints.iter().map(move |text| format!("{}: {text}", one.mode)));
    let complaints: Vec<_> = complaints.collect();
    match (options.planted, complaints.is_empty()) {
        (false, true) => Ok(()),
        (true, false) if complaints.iter().all(|text| text.contains(holdings::GREW)) => {
            println!("the planted leak was noticed: {}", complaints.join("; "));
            Ok(())
        }
        (true, true) => Err(Error::new("the planted leak was not noticed")),
        (_, false) => Err(Error::new(complaints.join("; "))),
    }
}

fn soak(options: &Soak, mode: Mode) -> Result<Figures> {
    let clients = options.clients.get();
    let folder = tempfile::tempdir().map_err(Error::at("scratch folder"))?;
    let models = folder.path().join("models");
    fs::create_dir(&models).map_err(Error::file(&models))?;
    let fleet = Fleet::write(&models, clients * MODELS_EACH)?;
    let limit = (clients.div_ceil(2) * MODEL_BYTES).to_string();
    let mut words = vec!["--memory-limit", limit.as_str()];
    let shown = models.to_string_lossy();
    words.extend(mode.options(&shown));
    let surroundings = Surroundings { environment: &mode.environment(), ..Surroundings::default() };
    let server = Server::start_in(&options.thicket, &folder.path().join("cache"), &words, surroundings)?;
    let mut clients = Clients::new(server.address(), clients, mode, &fleet, &models)?;
    let (mut holdings, cycles) = (Vec::new(), options.cycles / Mode::ALL.len() as u64);
    for round in 0..ROUNDS {
        clients.run(cycles * round / ROUNDS..cycles * (round + 1) / ROUNDS)?;
        clients.unload_all(&mut Connection::open(server.address())?)?;
        holdings.push(match (round, holdings.first()) {
            (0, _) => Holdings::steady(server.pid(), PATIENCE)?,
            (LAST_ROUND, Some(warm)) => Holdings::settled(server.pid(), warm, PATIENCE)?,
            _ => Holdings::of(server.pid())?,
        });
    }
    let metrics = Metrics::ask(&mut Connection::open(server.address())?)?;
    let loads = |result| metrics.of(&format!("thicket_loads_total{{result=\"{result}\"}}"));
    let mut complaints = clients.complaints();
    complaints.extend(holdings::growth(&holdings));
    Ok(Figures {
        mode,
        cycles,
        loads: loads("converted") + loads("cached"),
        evictions: metrics.of("thicket_evictions_total{reason=\"room\"}"),
        holdings,
        complaints,
    })
}

/// Each mode, and what the server held after the first and the last round.
#[must_use]
pub fn table(figures: &[Figures]) -> Table {
    let headings = ["mode", "cycles", "loads", "evictions", "heap MiB", "files", "threads", "mappings", "complaints"];
    let mut table = Table::new(&headings);
    for one in figures {
        let (Some(first), Some(last)) = (one.holdings.first(), one.holdings.last()) else { continue };
        let both = |of: &dyn Fn(&Holdings) -> String| format!("{} → {}", of(first), of(last));
        table.row([
            one.mode.to_string(),
            one.cycles.to_string(),
            short(one.loads),
            short(one.evictions),
            both(&|held| short(held.heap_mib())),
            both(&|held| held.files.to_string()),
            both(&|held| held.threads.to_string()),
            both(&|held| held.mappings.to_string()),
            one.complaints.len().to_string(),
        ]);
    }
    table
}
