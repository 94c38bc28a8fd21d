//! Looks at something again and again while something else goes on.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// Runs `work`, and `look` every `interval` until it is done, and once more then; what was seen, with the seconds since
/// the start. A look that fails is left out.
///
/// # Panics
/// When `look` does.
pub fn watch<T, S: Send>(
    interval: Duration,
    mut look: impl FnMut() -> Option<S> + Send,
    work: impl FnOnce() -> T,
) -> (T, Vec<(f64, S)>) {
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let looking = scope.spawn(move || {
            let (start, mut seen) = (Instant::now(), Vec::new());
            loop {
                let ended = is_done.recv_timeout(interval) != Err(RecvTimeoutError::Timeout);
                seen.extend(look().map(|state| (start.elapsed().as_secs_f64(), state)));
                if ended {
                    return seen;
                }
            }
        });
        let result = work();
        drop(done);
        (result, looking.join().expect("looking does not panic"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_at_until_the_end_and_once_then() {
        let (wait, enough) = mpsc::channel();
        let mut looks = 0;
        let look = || {
            looks += 1;
            let _ = wait.send(looks);
            Some(looks)
        };
        let ((), seen) = watch(Duration::from_millis(1), look, || while enough.recv().unwrap() < 5 {});
        assert!(seen.len() > 5 && seen.is_sorted_by_key(|(seconds, _)| *seconds));
    }
}
