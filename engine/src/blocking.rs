//! Work that blocks, where it holds nobody up: the disk, and what takes a processor for milliseconds.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::{block_in_place, spawn_blocking},
};

use crate::error::{Error, ErrorKind, Result};

/// Runs `work`, which is all that this task does meanwhile, where it may block. A panic there is an error here.
///
/// On a runtime of several threads that is this thread, whose other tasks go on elsewhere: another thread would first have
/// to wake up, and this one once more at the end, which takes longer than opening a small model.
pub(crate) async fn in_place<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    if Handle::current().runtime_flavor() != RuntimeFlavor::MultiThread {
        return aside(work).await;
    }
    block_in_place(|| catch_unwind(AssertUnwindSafe(work))).unwrap_or_else(|_| Err(broken_off()))
}

/// Runs `work` on a thread for work that blocks. A panic there is an error here.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|_| Err(broken_off()))
}

/// What panicked has told the log, by the panic's hook.
fn broken_off() -> Error {
    Error::new(ErrorKind::Internal, "work on files broke off")
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn a_panic_is_an_error_on_every_runtime() {
        for mut builder in [Builder::new_multi_thread(), Builder::new_current_thread()] {
            let runtime = builder.build().unwrap();
            let fails = runtime.block_on(async { tokio::spawn(in_place(|| -> Result<()> { panic!("tested") })).await });
            assert_eq!(fails.unwrap().unwrap_err().kind(), ErrorKind::Internal);
            assert_eq!(runtime.block_on(async { tokio::spawn(in_place(|| Ok(7))).await }).unwrap().unwrap(), 7);
        }
    }
}
