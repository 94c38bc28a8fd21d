//! SIGTERM and SIGINT, caught from the first moment on.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing::info;

use crate::error::{Error, ErrorKind, Result};

/// What tells a server to stop. Until it [`serves`](Self::serves), a signal ends the process at once and in order:
/// nothing has been begun that would have to be finished, however long a source takes to be opened.
#[derive(Debug)]
pub(crate) struct Stop {
    asked: watch::Receiver<bool>,
    is_serving: Arc<AtomicBool>,
}

impl Stop {
    /// Catches both signals from now on, on a thread of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when they cannot be caught.
    pub(crate) fn on_signals() -> Result<Self> {
        let (ask, asked) = watch::channel(false);
        let (tell, told) = mpsc::channel();
        let is_serving = Arc::new(AtomicBool::new(false));
        let serves = Arc::clone(&is_serving);
        let work = move || catch(&tell, &ask, &serves);
        thread::Builder::new().name("thicket-signals".to_owned()).spawn(work).map_err(uncaught)?;
        told.recv().unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(uncaught)?;
        Ok(Self { asked, is_serving })
    }

    /// From now on there are requests to finish: a signal only asks.
    pub(crate) fn serves(&self) {
        self.is_serving.store(true, Ordering::Relaxed);
    }

    /// Completes at the first signal.
    pub(crate) async fn asked(mut self) {
        // An error would mean that the thread is gone, and it stays for as long as the process.
        drop(self.asked.wait_for(|&asked| asked).await);
    }
}

fn catch(tell: &mpsc::Sender<std::io::Result<()>>, ask: &watch::Sender<bool>, is_serving: &AtomicBool) {
    let caught = Builder::new_current_thread().enable_all().build().and_then(|runtime| {
        let _within = runtime.enter();
        let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok((runtime, signals))
    });
    let (runtime, (mut terminate, mut interrupt)) = match caught {
        Ok(caught) => caught,
        Err(error) => return drop(tell.send(Err(error))),
    };
    drop(tell.send(Ok(())));
    loop {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        if !is_serving.load(Ordering::Relaxed) {
            info!("stopped before anything was served");
            process::exit(0);
        }
        ask.send_replace(true);
    }
}

fn uncaught(error: std::io::Error) -> Error {
    Error::caused(ErrorKind::Io, "cannot catch signals", error)
}
