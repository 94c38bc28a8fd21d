//! What happens to conversions on disk that are too many: those go that nobody has used for longest. Ends with the engine.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use tokio::{task::spawn_blocking, time::sleep};

use super::Shared;

/// How often it is looked after the cache.
const PERIOD: Duration = Duration::from_secs(1);
/// Between two times at which something is removed, so many times as long as the first one took: where what is too much
/// cannot leave, looking for it costs little.
const REST: u32 = 50;

/// Keeps the cache to its quota for as long as somebody has the engine.
pub(super) async fn keep_quota(shared: Weak<Shared>) {
    loop {
        sleep(PERIOD).await;
        let Some(shared) = shared.upgrade() else { return };
        if !shared.cache.is_over_quota() {
            continue;
        }
        let (began, inner) = (Instant::now(), Arc::clone(&shared));
        // Whether all of it went well is for the log.
        drop(spawn_blocking(move || inner.cache.keep_quota(&inner.keys())).await);
        drop(shared);
        sleep(began.elapsed() * REST).await;
    }
}
