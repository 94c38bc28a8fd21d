//! The end of a worker's connections: those at work finish, idle ones are closed, and none over a request that has
//! begun to arrive.

use std::{future, pin::pin, task::Poll, time::Duration};

use hyper_util::server::graceful::GracefulConnection;
use tokio::{sync::watch, task::coop::unconstrained, time};

use crate::conversation::Conversation;

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
    /// Serves the connection to its end, or until the farewell and the end of the request that is under way then. Of a
    /// request whose head is unfinished the connection does not know: the conversation does.
    pub(super) async fn stay<C: GracefulConnection>(mut self, connection: C, conversation: &Conversation) -> C::Output {
        let mut connection = pin!(connection);
        let ear = self.0.clone();
        let mut farewell = pin!(unconstrained(self.0.changed()));
        let mut stage = Stage::Greeted;
        future::poll_fn(|context| {
            loop {
                // The connection comes first: bytes that have arrived make it a busy one.
                if let Poll::Ready(output) = connection.as_mut().poll(context) {
                    return Poll::Ready(output);
                }
                // Asked once, whatever the task has done in its turn, the farewell wakes it; to see whether it was bidden costs less.
                if stage == Stage::Greeted {
                    stage = if farewell.as_mut().poll(context).is_ready() { Stage::Bidden } else { Stage::Open };
                }
                if stage == Stage::Open && ear.has_changed().unwrap_or(true) {
                    stage = Stage::Bidden;
                }
                if stage != Stage::Bidden || conversation.is_arriving() {
                    return Poll::Pending;
                }
                connection.as_mut().graceful_shutdown();
                stage = Stage::Ending;
            }
        })
        .await
    }
}

/// Where a connection stands with the farewell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The task is not known to the farewell yet.
    Greeted,
    Open,
    /// The farewell was heard; a request that is arriving holds the connection open.
    Bidden,
    /// No request is read but for the one that is under way.
    Ending,
}
