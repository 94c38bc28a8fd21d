//! The requests of each phase, and who is asked for in it.

use std::{
    collections::HashSet,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Phases, phase::Phase};
use crate::{
    arguments::Density,
    error::{Error, Result},
    fleet::{Fleet, POISONED},
    load::{Answer, Load, Summary, connection::Connection, pace::Pace, requests::Requests},
    metrics::Metrics,
    process::Tree,
    server::Server,
    zipf::sampler::Sampler,
};

/// Draws that are made before a phase, and sent again in turn.
const DRAWS: usize = 1 << 18;
/// Of so many models, one stays unseen until the end.
const UNSEEN_SHARE: u32 = 5;
/// Connections of each stream.
const CLIENTS: usize = 8;
/// The longest that a phase without a pace may take.
const PHASE_MAX: Duration = Duration::from_mins(10);
/// A page of a listing.
const PAGE: usize = 100;

/// Clients of one server and its fleet.
#[derive(Debug)]
pub struct Streams<'a> {
    fleet: &'a Fleet,
    requests: Requests,
    options: &'a Density,
    address: String,
    tree: Tree,
    start: Instant,
    /// Models by popularity, without those that are to stay unseen.
    known: Vec<u32>,
    /// Of those, how many are popular: half of what fits in memory.
    popular: usize,
}

impl<'a> Streams<'a> {
    /// Clients of `server`.
    ///
    /// # Errors
    /// When the rows for them cannot be read.
    pub fn new(fleet: &'a Fleet, server: &Server, options: &'a Density) -> Result<Self> {
        let address = server.address().to_owned();
        let known = (0..models(options)).filter(|model| !is_unseen(*model)).collect();
        let (tree, start) = (server.tree(), Instant::now());
        let requests = fleet.platform_requests()?;
        Ok(Self { fleet, requests, options, address, tree, start, known, popular: 0 })
    }

    /// How many models are popular.
    #[must_use]
    pub fn popular(&self) -> usize {
        self.popular
    }

    /// All phases, one after the other.
    ///
    /// # Errors
    /// When the server takes no connection, or does not say what it counts.
    pub fn run(&mut self) -> Result<Phases> {
        eprintln!("asking for {} models, each once", self.known.len());
        let everyone = self.known.iter().rev().copied().collect();
        let fill = self.phase(|streams| streams.once(everyone))?;
        eprintln!("Zipf's law over all of them for {} s", self.options.seconds);
        let order = self.zipf(self.known.len());
        let mixed = self.phase(|streams| streams.paced(order, streams.options.rate))?;
        self.popular = self.resident()?.len() / 2;
        self.once(self.known[..self.popular].to_vec())?;
        eprintln!("the {} most popular ones alone for {} s", self.popular, self.options.seconds);
        let order = self.zipf(self.popular);
        let warm = self.phase(|streams| streams.paced(order.clone(), streams.options.rate))?;
        eprintln!("the same beside requests for {POISONED} poisoned ones for {} s", self.options.seconds);
        let mut poisoned = Summary::default();
        let poison = self.phase(|streams| {
            let (answers, refusals) = streams.beside_poisoned(order.clone())?;
            poisoned = Summary::of(&refusals);
            Ok(answers)
        })?;
        eprintln!("the same beside {} cold ones a second for {} s", self.options.cold_rate, self.options.seconds);
        let (unseen, left) = (self.unseen(), self.left()?);
        let (mut never_seen, mut from_cache) = (Summary::default(), Summary::default());
        let cold = self.phase(|streams| {
            let (answers, first, again) = streams.beside(order, unseen, left)?;
            (never_seen, from_cache) = (Summary::of(&first), Summary::of(&again));
            Ok(answers)
        })?;
        Ok(Phases { fill, mixed, warm, poison, poisoned, cold, never_seen, from_cache })
    }

    /// Runs a phase and says what it came to.
    fn phase(&self, work: impl FnOnce(&Self) -> Result<Vec<Answer>>) -> Result<Phase> {
        let before = self.state()?;
        let answers = work(self)?;
        Ok(Phase::between(&before, &self.state()?, &answers))
    }

    fn state(&self) -> Result<(f64, Duration, Metrics)> {
        let metrics = Metrics::ask(&mut Connection::open(&self.address)?)?;
        Ok((self.start.elapsed().as_secs_f64(), self.tree.processor_time()?, metrics))
    }

    /// Each of these models once, as fast as it goes.
    fn once(&self, order: Vec<u32>) -> Result<Vec<Answer>> {
        let requests_max = order.len() as u64;
        let load = Load { clients: CLIENTS / 2, pace: Pace::Closed, duration: PHASE_MAX, requests_max };
        load.run(&self.address, &self.requests.clone().in_order(order))
    }

    /// These models in turn, at a pace.
    fn paced(&self, order: Vec<u32>, rate: f64) -> Result<Vec<Answer>> {
        self.paced_at_most(order, rate, u64::MAX)
    }

    /// Each of these models once, at a pace.
    fn paced_once(&self, order: Vec<u32>, rate: f64) -> Result<Vec<Answer>> {
        let requests_max = order.len() as u64;
        self.paced_at_most(order, rate, requests_max)
    }

    fn paced_at_most(&self, order: Vec<u32>, rate: f64, requests_max: u64) -> Result<Vec<Answer>> {
        let duration = Duration::from_secs_f64(self.options.seconds);
        let load = Load { clients: CLIENTS, pace: Pace::Rate(rate), duration, requests_max };
        load.run(&self.address, &self.requests.clone().in_order(order))
    }

    /// Popular models, and beside them those of `unseen` and of `left`, each once: the answers of each.
    fn beside(
        &self,
        order: Vec<u32>,
        unseen: Vec<u32>,
        left: Vec<u32>,
    ) -> Result<(Vec<Answer>, Vec<Answer>, Vec<Answer>)> {
        let half = self.options.cold_rate / 2.0;
        thread::scope(|scope| {
            let never_seen = scope.spawn(|| self.paced_once(unseen, half));
            let from_cache = scope.spawn(|| self.paced_once(left, half));
            let popular = self.paced(order, self.options.rate)?;
            Ok((popular, joined(never_seen)?, joined(from_cache)?))
        })
    }

    /// Popular models, and beside them those that cannot be loaded: the answers of each.
    fn beside_poisoned(&self, order: Vec<u32>) -> Result<(Vec<Answer>, Vec<Answer>)> {
        let requests = self.fleet.poisoned_requests()?;
        let duration = Duration::from_secs_f64(self.options.seconds);
        let pace = Pace::Rate(self.options.cold_rate);
        let load = Load { clients: CLIENTS, pace, duration, requests_max: u64::MAX };
        thread::scope(|scope| {
            let poisoned = scope.spawn(|| load.run(&self.address, &requests));
            let popular = self.paced(order, self.options.rate)?;
            Ok((popular, joined(poisoned)?))
        })
    }

    /// Draws from the first `count` of the known models.
    fn zipf(&self, count: usize) -> Vec<u32> {
        let mut sampler = Sampler::new(count, self.options.exponent, 1);
        (0..DRAWS).map(|_| self.known[sampler.draw()]).collect()
    }

    fn unseen(&self) -> Vec<u32> {
        (0..models(self.options)).filter(|&model| is_unseen(model)).collect()
    }

    /// Models that were converted and are not in memory.
    fn left(&self) -> Result<Vec<u32>> {
        let resident = self.resident()?;
        Ok(self.known.iter().copied().filter(|model| !resident.contains(model)).collect())
    }

    /// Models in memory.
    fn resident(&self) -> Result<HashSet<u32>> {
        // A connection for every time: between two phases one would be idle for longer than a server allows.
        let mut control = Connection::open(&self.address)?;
        let (mut resident, mut page) = (HashSet::new(), String::new());
        loop {
            let head = format!("GET /models?limit={PAGE}{page} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
            let (_, body) = control.get(head.as_bytes()).map_err(Error::at("/models"))?;
            let listing: Value = serde_json::from_slice(&body).map_err(Error::at("/models"))?;
            let models = listing["models"].as_array().into_iter().flatten();
            resident.extend(models.filter_map(|model| self.fleet.number(model["modelName"].as_str()?)));
            let Some(token) = listing["nextPageToken"].as_str() else { return Ok(resident) };
            page = format!("&next_page_token={token}");
        }
    }
}

fn joined(thread: thread::ScopedJoinHandle<'_, Result<Vec<Answer>>>) -> Result<Vec<Answer>> {
    thread.join().expect("a load does not panic")
}

fn models(options: &Density) -> u32 {
    u32::try_from(options.models).unwrap_or(u32::MAX)
}

fn is_unseen(model: u32) -> bool {
    model % UNSEEN_SHARE == UNSEEN_SHARE - 1
}
