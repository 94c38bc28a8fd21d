//! The running server: a socket, threads that answer, a runtime for loads, and an orderly end.
//!
//! Each worker is a thread with a runtime of its own, so that a lone request is answered without waking another thread.
//! One acceptor deals connections out in turn: those that live long spread evenly.

use std::{
    future::Future,
    io,
    net::{SocketAddr, ToSocketAddrs},
    pin::pin,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::process::{getpriority_process, setpriority_process};
use thicket_engine::{Engine, source};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::{Builder, Runtime},
    sync::mpsc::{self, UnboundedSender},
    time,
};
use tracing::{debug, info, warn};

use crate::{
    compute::Compute,
    configuration::{Configuration, Console, Mode},
    emf::Emf,
    error::{Error, ErrorKind, Result},
    life::Life,
    service::Service,
    single::{self, Single},
};

mod admission;
mod farewell;
mod worker;

use admission::{Admission, Admitted};

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 1024;

/// How long accepting rests when the process has no file descriptor left.
const REST: Duration = Duration::from_millis(20);

/// How long the source rests between two questions whether it is there.
const SOURCE_REST: Duration = Duration::from_secs(1);

/// Threads that turn the loads' input and output over; the work itself is on blocking threads.
const LOAD_THREADS: usize = 2;

/// Threads that convert models and compute large predictions.
const BLOCKING_THREADS_MAX: usize = 64;

/// How much such threads yield: a worker that wakes for a probe goes before them at once, and they keep a quarter of a
/// busy processor.
const NICENESS: i32 = 5;

/// A server that has its port but answers nobody yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
    acceptor: Runtime,
    loads: Runtime,
}

impl Server {
    /// Opens the source and the cache, loads the model if there is only one, then takes the port.
    ///
    /// # Errors
    /// [`ErrorKind::Engine`] when the source, the cache or the one model cannot be used, [`ErrorKind::Io`] when the port is not to be
    /// had.
    pub fn bind(configuration: Configuration) -> Result<Self> {
        let acceptor = runtime(Builder::new_current_thread().enable_all())?;
        let mut loads = Builder::new_multi_thread();
        let loads = loads.worker_threads(LOAD_THREADS).max_blocking_threads(BLOCKING_THREADS_MAX).enable_all();
        let loads = runtime(loads.thread_name("thicket-load").on_thread_start(making_way()))?;
        let engine = engine(&configuration, &loads)?;
        let single = loads.block_on(Single::load(&engine, &configuration))?;
        let listener = {
            let _within = acceptor.enter();
            listen(&configuration.host, configuration.port)?
        };
        let address =
            listener.local_addr().map_err(|error| Error::caused(ErrorKind::Io, "the socket has no address", error))?;
        let service = Service::new(engine, single, configuration, Compute::new(loads.handle().clone()));
        Ok(Self { listener, address, service, acceptor, loads })
    }

    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown` completes. Then the server is unready, takes new connections for as long as it
    /// was told to, and lets running requests finish within the grace period. `shutdown` is polled inside a runtime,
    /// before the first connection is accepted.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when a worker's thread cannot be started.
    pub fn run(self, shutdown: impl Future<Output = ()>) -> Result<()> {
        let Self { listener, service, acceptor, loads, .. } = self;
        let admission = Admission::new(service.configuration.limits.connections_max);
        let (senders, workers) = start_workers(&service)?;
        let emf = start_emf(&service)?;
        loads.spawn(begin(
            service.engine.clone(),
            Arc::clone(&service.life),
            service.configuration.residency.preload_max,
        ));
        if service.configuration.console != Console::Off {
            let (history, meters) = (Arc::clone(&service.history), Arc::clone(&service.meters));
            loads.spawn(history.keep(meters, service.engine.clone()));
        }
        acceptor.block_on(accept(listener, admission, senders, &service, shutdown));
        for worker in workers {
            if worker.join().is_err() {
                warn!("a worker's thread panicked");
            }
        }
        if let Some(emf) = emf {
            emf.stop();
        }
        service.engine.write_popular();
        loads.shutdown_background();
        info!("stopped");
        Ok(())
    }
}

fn runtime(builder: &mut Builder) -> Result<Runtime> {
    builder.build().map_err(|error| Error::caused(ErrorKind::Io, "cannot start threads", error))
}

/// What makes a thread one before which this one and its like go: on Linux a priority is a thread's own.
fn making_way() -> impl Fn() + Send + Sync + 'static {
    let niceness = getpriority_process(None).map(|own| own + NICENESS);
    move || {
        let made = niceness.and_then(|niceness| setpriority_process(None, niceness));
        // Where a sandbox forbids it, probes are slower and answered all the same.
        made.unwrap_or_else(|error| debug!(%error, "a thread keeps its priority"));
    }
}

fn engine(configuration: &Configuration, loads: &Runtime) -> Result<Engine> {
    let failed = |what: String| move |error| Error::caused(ErrorKind::Engine, what, error);
    let mut builder = Engine::builder()
        .cache_dir(configuration.cache_dir.clone())
        .memory_limit(configuration.memory_limit_bytes)
        .heap_meter(configuration.heap_meter)
        .residency_min(configuration.residency.least)
        .idle_max(configuration.residency.idle_max)
        .refresh(configuration.freshness.refresh)
        .deleted_grace(configuration.freshness.deleted_grace)
        .cache_limit(configuration.freshness.cache_bytes_max)
        .pins(configuration.residency.pins.iter().cloned())
        .model_bytes_max(configuration.model_bytes_max)
        .reading(configuration.reading)
        .libraries(configuration.libraries.clone())
        .runtime(loads.handle().clone());
    match &configuration.mode {
        Mode::StandAlone { models } => {
            let source = loads.block_on(source::open(models));
            builder = builder.source(source.map_err(failed(format!("cannot open the models at {models}")))?);
        }
        Mode::SingleModel { .. } => builder = builder.pins([single::NAME.to_owned()]),
        Mode::Container => {}
    }
    builder.build().map_err(failed("cannot start the engine".to_owned()))
}

/// To be called within the runtime that accepts.
fn listen(host: &str, port: u16) -> Result<TcpListener> {
    let failed = |error| Error::caused(ErrorKind::Io, format!("cannot listen on {host}:{port}"), error);
    let mut addresses = (host, port).to_socket_addrs().map_err(failed)?;
    let address = addresses.next().ok_or_else(|| failed(io::Error::other("the host has no address")))?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(address).map_err(failed)?;
    socket.listen(BACKLOG).map_err(failed)
}

type Sender = UnboundedSender<Admitted>;

fn start_workers(service: &Service) -> Result<(Vec<Sender>, Vec<JoinHandle<()>>)> {
    let failed = |error| Error::caused(ErrorKind::Io, "cannot start a worker's thread", error);
    let mut workers = (Vec::new(), Vec::new());
    for number in 0..service.configuration.workers {
        let runtime = runtime(Builder::new_current_thread().enable_all())?;
        let (sender, streams) = mpsc::unbounded_channel();
        let service = service.for_another_worker();
        let thread = thread::Builder::new().name(format!("thicket-worker-{number}"));
        let work = move || runtime.block_on(worker::work(service, streams));
        workers.0.push(sender);
        workers.1.push(thread.spawn(work).map_err(failed)?);
    }
    Ok(workers)
}

fn start_emf(service: &Service) -> Result<Option<Emf>> {
    let failed = |error| Error::caused(ErrorKind::Io, "cannot start the thread of the metrics", error);
    let Some(namespace) = service.configuration.emf.clone() else { return Ok(None) };
    Emf::start(service.for_another_worker(), namespace).map(Some).map_err(failed)
}

/// Asks for the source until it answers, and then brings the models that will be asked for.
async fn begin(engine: Engine, life: Arc<Life>, preload_max: usize) {
    while let Err(error) = engine.reach_source().await {
        warn!(error = error.story(), "the source does not answer yet");
        time::sleep(SOURCE_REST).await;
    }
    life.reach_source();
    engine.preload(preload_max).await;
}

/// Deals connections out in turn until `shutdown` completes and the server has drained; dropping the senders tells the
/// workers to end.
async fn accept(
    listener: TcpListener,
    mut admission: Admission,
    senders: Vec<Sender>,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) {
    let mut turn = senders.iter().cycle();
    accept_until(&listener, &mut admission, &mut turn, shutdown).await;
    let (drain_wait, grace) = (service.configuration.drain_wait, service.configuration.grace);
    info!(drain_wait_s = drain_wait.as_secs_f64(), grace_s = grace.as_secs_f64(), "stopping");
    service.life.drain();
    accept_until(&listener, &mut admission, &mut turn, time::sleep(drain_wait)).await;
    // Whom the kernel has let in already is not turned away.
    if let Ok(listener) = listener.into_std() {
        loop {
            match listener.accept() {
                Ok((stream, _)) if stream.set_nonblocking(true).is_ok() => {
                    admission.admit(stream).into_iter().for_each(|admitted| deal(admitted, &mut turn));
                }
                Err(error) if error.kind() != io::ErrorKind::ConnectionAborted => break,
                // Who has left again says nothing of those behind.
                _ => {}
            }
        }
    }
}

async fn accept_until<'a>(
    listener: &TcpListener,
    admission: &mut Admission,
    turn: &mut impl Iterator<Item = &'a Sender>,
    end: impl Future<Output = ()>,
) {
    let mut end = pin!(end);
    let mut failures: u64 = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut end => return,
            accepted = listener.accept() => accepted.and_then(|(stream, _)| stream.into_std()),
        };
        match accepted {
            Ok(stream) => {
                if failures > 0 {
                    info!(failures, "connections can be accepted again");
                    failures = 0;
                }
                if let Some(admitted) = admission.admit(stream) {
                    deal(admitted, turn);
                }
            }
            Err(error) => {
                if failures == 0 {
                    warn!(%error, "cannot accept a connection: trying again");
                }
                failures += 1;
                time::sleep(REST).await;
            }
        }
    }
}

fn deal<'a>(admitted: Admitted, turn: &mut impl Iterator<Item = &'a Sender>) {
    if turn.next().is_none_or(|sender| sender.send(admitted).is_err()) {
        warn!("a worker has ended before its time");
    }
}

#[cfg(test)]
mod tests;
