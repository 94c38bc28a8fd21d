//! What happens when the source does not answer: everybody is told, and one question after another finds out when it does
//! again.

use std::{
    convert::Infallible,
    future,
    sync::{Arc, Weak, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::Shared;
use crate::{
    error::{Error, ErrorKind, Result},
    outage,
    source::{Answer, Source},
};

/// How long an answer may take until it is asked whether there is anybody.
const PATIENCE: Duration = Duration::from_secs(1);

impl Shared {
    /// What the source answers, or its silence: at once where that is known already, and as soon as anybody knows.
    pub(super) async fn answer<'a, T>(
        self: &Arc<Self>,
        source: &Arc<dyn Source>,
        question: impl FnOnce() -> Answer<'a, T>,
    ) -> Result<T> {
        if let Some(error) = self.outage.standing() {
            return Err(error);
        }
        let answered = tokio::select! {
            biased;
            answered = question() => answered,
            error = self.outage.begins() => return Err(error),
            never = self.doubt(source) => match never {},
        };
        answered.inspect_err(|error| self.note_outage(source, error))
    }

    /// Finds out whether the source answers anybody, when it lets somebody wait for long. Never completes.
    async fn doubt(self: &Arc<Self>, source: &Arc<dyn Source>) -> Infallible {
        sleep(PATIENCE).await;
        if !self.is_doubting.swap(true, Ordering::AcqRel) {
            let (shared, source) = (Arc::clone(self), Arc::clone(source));
            self.runtime.spawn(async move {
                let reached = source.reach().await;
                shared.is_doubting.store(false, Ordering::Release);
                if let Err(error) = reached {
                    shared.note_outage(&source, &error);
                }
            });
        }
        future::pending().await
    }

    /// Sets the mark if the source answers nobody, and has it taken away when it does.
    pub(super) fn note_outage(self: &Arc<Self>, source: &Arc<dyn Source>, error: &Error) {
        if error.kind() != ErrorKind::SourceUnreachable || !self.outage.set(error, Duration::ZERO) {
            return;
        }
        tracing::warn!(error = error.story(), "the source does not answer: what was used last is served");
        self.runtime.spawn(probe(Arc::downgrade(self), Arc::clone(source)));
    }
}

/// Asks until the source answers, or nobody has the engine any more.
async fn probe(shared: Weak<Shared>, source: Arc<dyn Source>) {
    let began = Instant::now();
    for pause in outage::pauses() {
        let reached = source.reach().await;
        let Some(shared) = shared.upgrade() else { return };
        match reached {
            Err(error) if error.kind() == ErrorKind::SourceUnreachable => drop(shared.outage.set(&error, pause)),
            _ => {
                tracing::info!(after_ms = began.elapsed().as_millis(), "the source answers again");
                return shared.outage.end();
            }
        }
        drop(shared);
        sleep(pause).await;
    }
}
