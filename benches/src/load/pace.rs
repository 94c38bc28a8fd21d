//! When requests begin.
//!
//! At a rate, request `n` begins `n / rate` seconds after the start whether or not others were answered: its latency
//! counts from there, so a server that stands still makes all requests slow that should have begun meanwhile. A closed
//! loop would not have sent them and would never tell ("coordinated omission").

use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// When requests begin.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// Each client's next one as soon as its last one is answered.
    Closed,
    /// So many a second.
    Rate(f64),
}

/// A pace from its start on.
#[derive(Debug)]
pub struct Schedule {
    pace: Pace,
    start: Instant,
    duration: Duration,
}

impl Schedule {
    /// Starts now. Requests begin for `duration`; at a rate that the server cannot keep up with, those that are still to be
    /// sent after twice that time are not sent.
    #[must_use]
    pub fn new(pace: Pace, duration: Duration) -> Self {
        Self { pace, start: Instant::now(), duration }
    }

    /// Waits until request `number` is to begin and returns that time; nothing when it is not to begin any more.
    #[must_use]
    pub fn begin(&self, number: u64) -> Option<Instant> {
        let now = Instant::now();
        let Pace::Rate(per_second) = self.pace else {
            return (now < self.start + self.duration).then_some(now);
        };
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 requests")]
        let offset = Duration::from_secs_f64(number as f64 / per_second);
        if offset >= self.duration || now >= self.start + self.duration * 2 {
            return None;
        }
        let begin = self.start + offset;
        thread::sleep(begin.saturating_duration_since(now));
        Some(begin)
    }

    /// How long after the start `instant` is.
    #[must_use]
    pub fn since_start(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.start)
    }
}

/// Lets this thread wake when it is due and not up to 50 µs later, where the kernel allows it.
pub fn sharpen_timers() {
    let Ok(task) = fs::read_link("/proc/thread-self") else { return };
    let Some(id) = task.file_name() else { return };
    // Where this is refused, latencies at a rate are a little longer.
    let _ = fs::write(format!("/proc/{}/timerslack_ns", id.display()), "1");
}
