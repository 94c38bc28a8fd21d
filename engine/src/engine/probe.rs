//! What happens when the source does not answer: everybody is told, and one question after another finds out when it does
//! again.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Instant,
};

use tokio::time::sleep;

use super::Shared;
use crate::{
    error::{Error, ErrorKind, Result},
    outage::{self, Tally},
    source::{Answer, Source},
};

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
        let _asked = self.outage.question();
        let answered = tokio::select! {
            biased;
            answered = question() => answered,
            error = self.outage.begins() => return Err(error),
        };
        answered.inspect_err(|error| self.note_outage(source, error))
    }

    /// Has it found out whether the source answers anybody, when it has let everybody wait since the last look.
    pub(super) fn doubt(self: &Arc<Self>, tally: &mut Tally) {
        if let Some(source) = self.source.as_ref().filter(|_| self.outage.is_silent_since(tally)) {
            self.find_out(source);
        }
    }

    /// Has it found out whether the source answers anybody, when it did not answer somebody.
    pub(super) fn note_outage(self: &Arc<Self>, source: &Arc<dyn Source>, error: &Error) {
        if error.kind() == ErrorKind::SourceUnreachable {
            self.find_out(source);
        }
    }

    fn find_out(self: &Arc<Self>, source: &Arc<dyn Source>) {
        if !self.outage.is_asked.swap(true, Ordering::AcqRel) {
            self.runtime.spawn(ask(Arc::downgrade(self), Arc::clone(source)));
        }
    }
}

/// Asks until the source answers, or nobody has the engine any more. Whether one artifact or all are out of reach is not known
/// before the first answer: it is this that sets the mark.
async fn ask(shared: Weak<Shared>, source: Arc<dyn Source>) {
    let began = Instant::now();
    for pause in outage::pauses() {
        let reached = source.reach().await;
        let Some(shared) = shared.upgrade() else { return };
        match reached {
            Err(error) if error.kind() == ErrorKind::SourceUnreachable => {
                if shared.outage.set(&error, pause) {
                    tracing::warn!(error = error.story(), "the source does not answer: what was used last is served");
                }
            }
            _ => {
                if shared.outage.end() {
                    tracing::info!(after_ms = began.elapsed().as_millis(), "the source answers again");
                }
                return shared.outage.is_asked.store(false, Ordering::Release);
            }
        }
        drop(shared);
        sleep(pause).await;
    }
}
