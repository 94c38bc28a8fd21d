//! How often a warm request for one row takes memory, and how much a cold model keeps: counted for the whole process by its
//! allocator.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(unsafe_code, reason = "an allocator has no safe interface")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicIsize, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use thicket_engine::{Engine, source};
use thicket_server::{arguments::Serve, configuration::Configuration, server::Server};
use thicket_tests::{houses, prefix};
use tokio::sync::oneshot;

/// The system's allocator, which counts how often it is asked, and what is taken and not given back.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicIsize = AtomicIsize::new(0);

/// Held by the test that counts.
static ALONE: Mutex<()> = Mutex::new(());

// SAFETY: the system's allocator keeps the contract, and gets every call as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: the caller's, unchanged.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: the caller's, unchanged.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(bytes.cast_signed() - layout.size().cast_signed(), Ordering::Relaxed);
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
/// How often so many are counted.
const TIMES: usize = 5;

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
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
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
    // The server takes memory beside its requests too, such as when it looks at its own, now and then: not every time.
    let counts = [(); TIMES].map(|()| {
        let before = COUNT.load(Ordering::Relaxed);
        for _ in 0..REQUESTS {
            ask(&mut stream, &request);
        }
        COUNT.load(Ordering::Relaxed) - before
    });
    drop(stream);
    drop(stop);
    running.join().unwrap().unwrap();
    let least = counts.into_iter().min().unwrap();
    assert!(least <= A_REQUEST_MAX * REQUESTS, "{REQUESTS} requests took memory {counts:?} times");
}

/// One tree over two features, as XGBoost 1.7 writes it.
const TREE: &str = r#"{"version":[1,7,6],"learner":{
    "learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"2","num_target":"1"},
    "objective":{"name":"reg:squarederror"},
    "gradient_booster":{"name":"gbtree","model":{"tree_info":[0],"trees":[{
        "tree_param":{"size_leaf_vector":"0"},"left_children":[1,3,-1,-1,-1],"right_children":[2,4,-1,-1,-1],
        "split_indices":[0,1,0,0,0],"split_conditions":[1.5,1,2,3,4],"default_left":[0,0,0,0,0]}]}}}}"#;

/// Models that were in memory, and how many of them before what is counted.
const COLD: usize = 4000;
const FIRST: usize = 1000;
/// What a model may keep that has left memory.
const A_COLD_MODEL_MAX: usize = 1 << 10;

#[test]
fn a_cold_model_keeps_next_to_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let kept = runtime.block_on(kept_by_cold_models());
    let cold = COLD - FIRST;
    assert!(kept < (cold * A_COLD_MODEL_MAX).cast_signed(), "{cold} cold models keep {kept} bytes");
}

/// Bytes that are kept of models beyond the first ones, none of which stays in memory for long.
async fn kept_by_cold_models() -> isize {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    std::fs::create_dir(&models).unwrap();
    let name = |number: usize| format!("model-{number:05}.json");
    std::fs::write(models.join(name(0)), TREE).unwrap();
    (1..COLD).for_each(|number| std::fs::hard_link(models.join(name(0)), models.join(name(number))).unwrap());
    let source = source::open(models.to_str().unwrap()).await.unwrap();
    let builder = Engine::builder().source(source).cache_dir(folder.path().join("cache")).memory_limit(Some(64 << 10));
    let engine = builder.residency_min(Duration::ZERO).build().unwrap();
    let mut before = 0;
    for number in 0..COLD {
        if number == FIRST {
            before = BYTES.load(Ordering::Relaxed);
        }
        engine.model(&name(number)).await.unwrap();
    }
    assert!(engine.models_count() < FIRST, "{} models are in memory", engine.models_count());
    BYTES.load(Ordering::Relaxed) - before
}
