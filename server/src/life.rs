//! Where the server is in its life, for those who ask whether to send it requests.

use std::sync::atomic::{AtomicBool, Ordering};

/// The server's stage, as every thread sees it.
#[derive(Debug, Default)]
pub(crate) struct Life {
    source_reached: AtomicBool,
    draining: AtomicBool,
}

/// Whether requests should be sent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// They should.
    Ready,
    /// The source has not answered yet: a model that is not in the cache could not be loaded.
    Starting,
    /// The server is stopping: what runs is finished, and its connections are closed.
    Draining,
}

impl Life {
    pub(crate) fn readiness(&self) -> Readiness {
        if self.is_draining() {
            Readiness::Draining
        } else if self.source_reached.load(Ordering::Relaxed) {
            Readiness::Ready
        } else {
            Readiness::Starting
        }
    }

    /// Whether every answer is its connection's last.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Notes that the source has answered, or that there is none. What it does later makes nobody unready: models in
    /// memory and in the cache are served, and all servers of a source would leave together.
    pub(crate) fn reach_source(&self) {
        self.source_reached.store(true, Ordering::Relaxed);
    }

    /// Notes that the server is stopping.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_from_its_sources_first_answer_until_it_drains() {
        let life = Life::default();
        assert_eq!(life.readiness(), Readiness::Starting);
        life.reach_source();
        assert_eq!(life.readiness(), Readiness::Ready);
        life.drain();
        assert_eq!(life.readiness(), Readiness::Draining);
    }
}
