//! The floor of an HTTP server on hyper: reads the body, answers with bytes of a prediction's size, knows no model.
//!
//! usage: bare ANSWER

use std::{convert::Infallible, env, io, net::SocketAddr, thread};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use thicket_rivals::Result;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

fn main() -> Result<()> {
    let answer = Bytes::from(env::args().nth(1).ok_or("usage: bare ANSWER")?);
    let cores = thread::available_parallelism()?.get();
    let workers: Vec<_> = (0..cores).map(|_| worker(answer.clone())).collect();
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        println!("listening on http://{}", listener.local_addr()?);
        // Connections are dealt out in turn, so that no core serves two while another serves none.
        for worker in workers.iter().cycle() {
            let (stream, _) = listener.accept().await?;
            worker.send(stream.into_std()?)?;
        }
        Ok(())
    })
}

/// Starts a thread with a runtime of its own, which serves the connections that are sent to it.
fn worker(answer: Bytes) -> tokio::sync::mpsc::UnboundedSender<std::net::TcpStream> {
    let (sender, receiver) = unbounded_channel();
    thread::spawn(move || -> io::Result<()> {
        runtime::Builder::new_current_thread().enable_io().build()?.block_on(connections(receiver, answer))
    });
    sender
}

async fn connections(mut receiver: UnboundedReceiver<std::net::TcpStream>, answer: Bytes) -> io::Result<()> {
    while let Some(stream) = receiver.recv().await {
        stream.set_nodelay(true)?;
        let stream = TokioIo::new(TcpStream::from_std(stream)?);
        let answer = answer.clone();
        let service = service_fn(move |request| respond(request, answer.clone()));
        tokio::spawn(http1::Builder::new().serve_connection(stream, service));
    }
    Ok(())
}

async fn respond(request: Request<Incoming>, answer: Bytes) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    // A body that breaks off ends the connection anyway.
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Full::new(answer));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Ok(response)
}
