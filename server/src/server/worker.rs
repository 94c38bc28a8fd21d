//! One worker: a thread's share of the connections, from handshake to farewell.

use std::{convert::Infallible, io, sync::Arc};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::mpsc::UnboundedReceiver};
use tracing::{debug, warn};

use super::{
    admission::Admitted,
    farewell::{Farewell, Guest},
};
use crate::{conversation::Conversation, dispatch, meter::Connection, service::Service, wire::Wire};

/// The headers that hyper reads unless it is told otherwise.
const FIELDS_MAX_OF_HYPER: usize = 100;

/// Serves the connections that come in until there are no more to come, then lets running requests finish.
pub(super) async fn work(service: Service, mut admitted: UnboundedReceiver<Admitted>) {
    let grace = service.configuration.grace;
    let service = Arc::new(service);
    let farewell = Farewell::new();
    while let Some(admitted) = admitted.recv().await {
        drop(tokio::spawn(serve(Arc::clone(&service), admitted, farewell.guest())));
    }
    if !farewell.bid(grace).await {
        warn!("the grace period is over: requests are abandoned");
    }
}

async fn serve(service: Arc<Service>, admitted: Admitted, guest: Guest) {
    let _connection = Connection::open(&service.meter);
    let Admitted { stream, permit } = admitted;
    let conversation = Arc::<Conversation>::default();
    let limits = service.configuration.limits;
    let wire = match ready_made(stream) {
        Ok(stream) => Wire::new(stream, limits, Arc::clone(&conversation)),
        Err(error) => return debug!(%error, "a connection was lost before its first request"),
    };
    let answer = service_fn(|request| {
        let (service, conversation) = (Arc::clone(&service), Arc::clone(&conversation));
        async move { Ok::<_, Infallible>(dispatch::answer(&service, &conversation, request).await) }
    });
    // The wire has checked heads and their arrival: hyper need not stop the time, and its own limits are never met.
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_header_size(limits.head_bytes_max);
    // A number of its own makes hyper clear as many places for each head.
    if limits.fields_max > FIELDS_MAX_OF_HYPER {
        builder.max_headers(limits.fields_max);
    }
    let connection = builder.serve_connection(TokioIo::new(wire), answer);
    if let Err(error) = guest.stay(connection, &conversation).await {
        debug!(%error, "a connection ended badly");
    }
    drop(permit);
}

fn ready_made(stream: std::net::TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    TcpStream::from_std(stream)
}
