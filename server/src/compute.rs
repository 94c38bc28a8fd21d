//! Moves work that would hold up a worker's other connections onto threads of its own.

use std::{num::NonZero, panic, sync::Arc, thread::available_parallelism, time::Duration};

use tokio::{runtime::Handle, sync::Semaphore};

use crate::{
    failure::{Class, Failure},
    turns::Turns,
};

/// Work that may be waiting or running at once; more is refused.
const JOBS_MAX: usize = 256;

/// Looks of operators at the server that are worked out at once; more wait for each other.
const LOOKS_MAX: usize = 1;

/// The way to the compute threads.
#[derive(Clone, Debug)]
pub(crate) struct Compute {
    runtime: Handle,
    jobs: Arc<Semaphore>,
    /// One for each job that runs: more at once than there are processors would be no sooner done, and would keep the
    /// threads that answer from theirs.
    turns: Turns,
    looks: Arc<Semaphore>,
}

impl Compute {
    /// Compute threads are the blocking threads of `runtime`.
    pub(crate) fn new(runtime: Handle) -> Self {
        let looks = Arc::new(Semaphore::new(LOOKS_MAX));
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self { runtime, jobs: Arc::new(Semaphore::new(JOBS_MAX)), turns: Turns::new(processors), looks }
    }

    /// What `job`, which is for `model` and should take `cost`, returns once a thread has had time for it. A panic of it
    /// goes on in the caller.
    ///
    /// # Errors
    /// [`Class::Busy`], at once, when too much is waiting already.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        model: &str,
        cost: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let full = |_| Failure::new(Class::Busy, format!("No worker is available to serve request: {model}"));
        let permit = Arc::clone(&self.jobs).try_acquire_owned().map_err(full)?;
        let turn = self.turns.take(cost).await;
        let job = move || {
            let _held = (permit, turn);
            job()
        };
        self.outcome(job).await
    }

    /// What `job`, which is for an operator and short, returns: it takes no turn behind predictions, and there is one of
    /// its kind at a time.
    ///
    /// # Errors
    /// [`Class::Busy`] when the server ends.
    pub(crate) async fn look<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let permit = Arc::clone(&self.looks).acquire_owned().await.map_err(|_| shutting_down())?;
        let job = move || {
            let _held = permit;
            job()
        };
        self.outcome(job).await
    }

    async fn outcome<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        self.runtime.spawn_blocking(job).await.map_err(|error| match error.try_into_panic() {
            Ok(panic) => panic::resume_unwind(panic),
            Err(_) => shutting_down(),
        })
    }
}

fn shutting_down() -> Failure {
    Failure::new(Class::Busy, "The server is shutting down")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_beyond_the_bound_is_refused_in_the_words_of_aws() {
        let compute = Compute::new(Handle::current());
        assert_eq!(compute.run("reg", Duration::ZERO, || 7).await.unwrap(), 7);
        let all = u32::try_from(JOBS_MAX).unwrap();
        let permits = Arc::clone(&compute.jobs).acquire_many_owned(all).await.unwrap();
        let refused = compute.run("reg", Duration::ZERO, || 7).await.unwrap_err();
        assert_eq!((refused.class(), refused.story()), (Class::Busy, "No worker is available to serve request: reg"));
        drop(permits);
        assert_eq!(compute.run("reg", Duration::ZERO, || 7).await.unwrap(), 7);
    }
}
