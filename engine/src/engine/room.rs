//! Room in memory for a model: granted where there is some, else made by letting others go.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::Shared;
use crate::{
    cache::Key,
    error::{Error, ErrorKind, Result},
    governor::{Admission, Reservation, policy},
    reason::Reason,
    slot::Loaded,
};

/// Of the budget, the part that is made free at once: one in so many.
const ROOM_SHARE: u64 = 256;

/// How long a load waits for models that were evicted and are still on loan, or that are on their way in.
const DRAIN_MAX: Duration = Duration::from_secs(5);

impl Shared {
    /// Reserves `bytes`, evicting models that are worth less until they fit.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`].
    pub(super) async fn reserve(&self, bytes: u64, spared: Option<&Key>) -> Result<Reservation> {
        let _one_at_a_time = self.admission.lock().await;
        let deadline = Instant::now() + DRAIN_MAX;
        loop {
            let (changed, has_arrivals) = (self.governor.changed(), self.governor.has_arrivals());
            match self.governor.admit(bytes) {
                Admission::Granted(reservation) => return Ok(reservation),
                Admission::Full { missing_bytes } if missing_bytes > 0 && self.evict(missing_bytes, spared) => continue,
                // What leaves gives it back, and what has been granted and is not in memory yet may leave once it is.
                Admission::Full { missing_bytes } if missing_bytes == 0 || has_arrivals => {}
                Admission::Full { .. } | Admission::Never => return Err(self.out_of_memory(bytes)),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            timeout(left, changed).await.map_err(|_| self.out_of_memory(bytes))?;
        }
    }

    /// Takes out models that give back `missing_bytes` together once their last lease is dropped, if there are such.
    fn evict(&self, missing_bytes: u64, spared: Option<&Key>) -> bool {
        let models = self.registry.appraised();
        let mut residents: Vec<_> = models.iter().map(|loaded| loaded.resident()).collect();
        for (resident, loaded) in residents.iter_mut().zip(&models) {
            resident.is_pinned |= spared == Some(&loaded.key);
        }
        let victims = |bytes| policy::victims(&residents, bytes, self.residency_min);
        // Room for a few models costs one look at all that are there, as room for one does.
        let share_bytes = if spared.is_some() { 0 } else { self.governor.memory().limit_bytes / ROOM_SHARE };
        let room_bytes = missing_bytes.max(share_bytes);
        let victims = victims(room_bytes).or_else(|| victims(missing_bytes));
        for victim in victims.iter().flatten() {
            self.let_go(&models[*victim], Reason::Room);
        }
        victims.is_some()
    }

    pub(super) fn note_departure(&self, loaded: &Loaded, reason: Reason) {
        self.counters.departures(reason).add_one();
        self.departures.note(loaded, reason);
    }

    fn out_of_memory(&self, bytes: u64) -> Error {
        let memory = self.governor.memory();
        Error::new(
            ErrorKind::OutOfMemory,
            format!(
                "the model needs {bytes} bytes of memory; models take {} of {} bytes, and none of them can leave",
                memory.used_bytes, memory.limit_bytes
            ),
        )
    }
}
