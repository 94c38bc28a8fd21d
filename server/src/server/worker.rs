//! One worker: a thread's share of the connections, from handshake to farewell.

use std::{convert::Infallible, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::mpsc::UnboundedReceiver};
use tracing::{debug, warn};

use super::farewell::{Farewell, Guest};
use crate::{dispatch, service::Service};

/// How long a request's head may take to arrive, and how long a connection may wait for its next request: longer than the
/// minute for which load balancers keep connections, so that it is they who close them.
const HEAD_ARRIVAL: Duration = Duration::from_secs(65);

/// The largest head of a request.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Serves the connections that come in until there are no more to come, then lets running requests finish.
pub(super) async fn work(service: Service, mut streams: UnboundedReceiver<std::net::TcpStream>) {
    let grace = service.configuration.grace;
    let service = Arc::new(service);
    let farewell = Farewell::new();
    while let Some(stream) = streams.recv().await {
        let stream = stream.set_nodelay(true).and_then(|()| TcpStream::from_std(stream));
        match stream {
            Ok(stream) => drop(tokio::spawn(serve(Arc::clone(&service), stream, farewell.guest()))),
            Err(error) => debug!(%error, "a connection was lost before its first request"),
        }
    }
    if !farewell.bid(grace).await {
        warn!("the grace period is over: requests are abandoned");
    }
}

async fn serve(service: Arc<Service>, stream: TcpStream, guest: Guest) {
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(dispatch::answer(&service, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_ARRIVAL)
        .max_header_size(HEAD_BYTES_MAX)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = guest.stay(connection).await {
        debug!(%error, "a connection ended badly");
    }
}
