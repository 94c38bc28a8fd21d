//! What a model takes of memory: a bound before it is opened, and what it was seen to take after.

use crate::{cache::Form, governor::Reservation, model::Runtime};

/// Tells how many bytes the calling thread has taken from the heap and not given back since it began, with those that foreign
/// libraries took; `None` where the allocator does not count. Only differences matter, so it may be negative.
pub type HeapMeter = fn() -> Option<i64>;

/// The memory that a file of the cache takes at the most when it is opened.
///
/// A pack takes what it maps. Other engines copy their models: measured with networks and boosters of some megabytes, ONNX
/// Runtime keeps up to four times the file and `XGBoost` up to three times.
pub(super) fn bound(form: Form, file_bytes: u64) -> u64 {
    match form {
        Form::Forest | Form::Bundle => file_bytes,
        Form::Onnx => file_bytes * 4 + (64 << 10),
        Form::Booster => file_bytes * 3 + (64 << 10),
    }
}

/// A look at the heap before a model is opened on this thread.
pub(super) struct Before {
    meter: Option<HeapMeter>,
    bytes: Option<i64>,
}

impl Before {
    pub(super) fn look(meter: Option<HeapMeter>) -> Self {
        Self { meter, bytes: meter.and_then(|meter| meter()) }
    }

    /// Sets what was reserved to what the heap has grown by, if that is known and all that a model in `runtime` takes: sessions
    /// and boosters lie on the heap, packs are mapped.
    pub(super) fn settle(self, runtime: Runtime, reservation: &mut Reservation) {
        let after = self.meter.and_then(|meter| meter());
        let (Some(before), Some(after)) = (self.bytes, after) else { return };
        if runtime != Runtime::Forest
            && let Ok(grown_bytes) = u64::try_from(after - before)
        {
            reservation.resize(grown_bytes);
        }
    }
}
