//! What handlers have at hand: the engine, the configuration and what requests leave to each other.

use std::{sync::Arc, time::SystemTime};

use thicket_engine::Engine;

use crate::{
    budget::Budget,
    buffers::Buffers,
    compute::Compute,
    configuration::{Configuration, Mode},
    history::History,
    identity::Identities,
    life::Life,
    meter::{Meter, Meters},
    single::Single,
    waiting::Waiting,
};

/// Numbers that are read before their bodies are whole may take so much less than bodies.
const AHEAD_SHARE: usize = 8;

/// One worker's view of the server; the engine, the meters and the stage of life are
/// everybody's.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) engine: Engine,
    /// The one model, in single-model mode.
    pub(crate) single: Option<Arc<Single>>,
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) compute: Compute,
    /// What bodies may take together.
    pub(crate) bodies: Arc<Budget>,
    /// What numbers may take together that are read before their bodies are whole.
    pub(crate) ahead: Arc<Budget>,
    /// Who may wait for models.
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) buffers: Buffers,
    pub(crate) identities: Identities,
    pub(crate) life: Arc<Life>,
    /// This worker's numbers.
    pub(crate) meter: Arc<Meter>,
    /// Everybody's.
    pub(crate) meters: Arc<Meters>,
    /// The server's recent past.
    pub(crate) history: Arc<History>,
    pub(crate) started: SystemTime,
}

impl Service {
    /// The first worker's service.
    pub(crate) fn new(engine: Engine, single: Option<Single>, configuration: Configuration, compute: Compute) -> Self {
        let bodies = Budget::new(
            configuration.limits.bodies_bytes_max,
            engine.memory().limit_bytes,
            configuration.body_bytes_max,
        );
        let waiting = Waiting::new(configuration.limits.connections_max, bodies.bytes_max());
        let configuration = Arc::new(configuration);
        let meters = Arc::<Meters>::default();
        let meter = meters.meter();
        let (buffers, identities) = (Buffers::default(), Identities::default());
        let single = single.map(Arc::new);
        Self {
            engine,
            single,
            configuration,
            compute,
            ahead: Arc::new(Budget::of(bodies.bytes_max() / AHEAD_SHARE)),
            bodies: Arc::new(bodies),
            waiting,
            buffers,
            identities,
            life: Arc::default(),
            meter,
            meters,
            history: Arc::default(),
            started: SystemTime::now(),
        }
    }

    /// Another worker's service.
    pub(crate) fn for_another_worker(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            single: self.single.clone(),
            configuration: Arc::clone(&self.configuration),
            compute: self.compute.clone(),
            bodies: Arc::clone(&self.bodies),
            ahead: Arc::clone(&self.ahead),
            waiting: Arc::clone(&self.waiting),
            buffers: Buffers::default(),
            identities: Identities::default(),
            life: Arc::clone(&self.life),
            meter: self.meters.meter(),
            meters: Arc::clone(&self.meters),
            history: Arc::clone(&self.history),
            started: self.started,
        }
    }

    /// Where models come from, in stand-alone mode.
    pub(crate) fn models(&self) -> Option<&str> {
        match &self.configuration.mode {
            Mode::StandAlone { models } => Some(models),
            Mode::Container | Mode::SingleModel { .. } => None,
        }
    }

    /// Counts a panic; the number of them since the start.
    pub(crate) fn count_panic(&self) -> u64 {
        self.meter.panics.add(1);
        self.meters.totals().panics
    }
}
