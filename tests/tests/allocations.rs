//! How often a warm request for one row takes memory, counted for the whole process by its allocator.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(unsafe_code, reason = "an allocator has no safe interface")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use thicket_server::{arguments::Serve, configuration::Configuration, server::Server};
use thicket_tests::{houses, prefix};
use tokio::sync::oneshot;

/// The system's allocator, which counts how often it is asked.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator keeps the contract, and gets every call as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's, unchanged.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's, unchanged.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's, unchanged.
        unsafe { System.realloc(place, layout, bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Five are those of any handler on hyper: two for its read buffer, the body's channel, two for the map of headers. Three are
/// the empty reason phrase, the others the request's identifier, the predictions, the answer's text and its owner.
const A_REQUEST_MAX: usize = 12;

const REQUESTS: usize = 500;

/// Sends a request and reads the answer, which is shorter than the buffer and comes at once.
fn ask(stream: &mut TcpStream, request: &[u8]) {
    let mut answer = [0; 2048];
    stream.write_all(request).unwrap();
    let bytes = stream.read(&mut answer).unwrap();
    assert!(answer[..bytes].starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer[..bytes]));
}

fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {content_type}\r\ncontent-length: {length}");
    format!("{head}\r\n\r\n{body}").into_bytes()
}

#[test]
fn a_warm_request_for_one_row_takes_little_memory() {
    let cache = tempfile::tempdir().unwrap();
    let text = |text: &str| Some(text.to_owned());
    let options = Serve {
        host: text("127.0.0.1"),
        port: text("0"),
        workers: text("1"),
        cache_dir: text(cache.path().to_str().unwrap()),
        ..Serve::default()
    };
    let server = Server::bind(Configuration::resolve(&options, &|_| None).unwrap()).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let running = thread::spawn(move || server.run(async { drop(stopped.await) }));
    let city = &houses()[0];
    let artifact = prefix().canonicalize().unwrap().join(&city.target);
    let order = serde_json::json!({"model_name": "city", "url": artifact}).to_string();
    ask(&mut stream, &post("/models", "application/json", &order));
    let row = city.rows[0].iter().map(f32::to_string).collect::<Vec<_>>().join(",");
    let request = post("/models/city/invoke", "text/csv", &row);
    for _ in 0..REQUESTS {
        ask(&mut stream, &request);
    }
    let before = COUNT.load(Ordering::Relaxed);
    for _ in 0..REQUESTS {
        ask(&mut stream, &request);
    }
    let count = COUNT.load(Ordering::Relaxed) - before;
    drop(stream);
    drop(stop);
    running.join().unwrap().unwrap();
    assert!(count <= A_REQUEST_MAX * REQUESTS, "{REQUESTS} requests took memory {count} times");
}
