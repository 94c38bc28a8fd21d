//! The end of a worker's connections: those at work finish, idle ones are closed, and none over a request that has
//! arrived.

use std::{pin::pin, time::Duration};

use hyper_util::server::graceful::GracefulConnection;
use tokio::{sync::watch, time};

/// How long idle connections are left open: a request that was on its way when the server was told to stop has arrived
/// by then, and its answer asks the client to close.
const LINGER: Duration = Duration::from_millis(100);

/// What a worker says to all of its connections at the end.
#[derive(Debug)]
pub(super) struct Farewell(watch::Sender<()>);

/// One connection's ear for it.
#[derive(Debug)]
pub(super) struct Guest(watch::Receiver<()>);

impl Farewell {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// To be kept for as long as the connection.
    pub(super) fn guest(&self) -> Guest {
        Guest(self.0.subscribe())
    }

    /// Ends all connections; whether that took no longer than `grace`.
    pub(super) async fn bid(self, grace: Duration) -> bool {
        if time::timeout(LINGER.min(grace), self.0.closed()).await.is_ok() {
            return true;
        }
        self.0.send_replace(());
        time::timeout(grace, self.0.closed()).await.is_ok()
    }
}

impl Guest {
    /// Serves the connection to its end, or until the farewell and the end of the request that is under way then.
    pub(super) async fn stay<C: GracefulConnection>(mut self, connection: C) -> C::Output {
        let mut connection = pin!(connection);
        tokio::select! {
            // The connection comes first: bytes that have arrived make it a busy one.
            biased;
            output = &mut connection => return output,
            _ = self.0.changed() => {}
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    }
}
