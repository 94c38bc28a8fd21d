//! A real server on a free port, spoken to in raw bytes.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use tempfile::TempDir;
use tokio::sync::oneshot;

use super::*;
use crate::arguments::Serve;

/// A running server that is stopped, and whose end is checked, when it is dropped.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<()>>>,
    _cache: TempDir,
}

impl Running {
    fn start(body_max: &str) -> Self {
        Self::start_with(Serve { body_max: Some(body_max.to_owned()), ..Serve::default() })
    }

    fn start_with(options: Serve) -> Self {
        let cache = TempDir::new().unwrap();
        let text = |text: &str| Some(text.to_owned());
        let options = Serve {
            host: text("127.0.0.1"),
            port: text("0"),
            cache_dir: text(cache.path().to_str().unwrap()),
            workers: text("2"),
            ..options
        };
        let server = Server::bind(Configuration::resolve(&options, &|_| None).unwrap()).unwrap();
        let (stop, stopped) = oneshot::channel();
        let address = server.address();
        let thread = thread::spawn(move || server.run(async { drop(stopped.await) }));
        Self { address, stop: Some(stop), thread: Some(thread), _cache: cache }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends a request that ends its connection; everything that comes back.
    fn ask(&self, head: &str, body: &[u8]) -> String {
        let mut stream = self.connect();
        let length = body.len();
        write!(stream, "{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n").unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[test]
fn answers_carry_awss_headers() {
    let server = Running::start("6MiB");
    let answer = server.ask("GET /ping HTTP/1.1", b"");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: "), "{answer}");
    for header in [
        "pragma: no-cache\r\n",
        "cache-control: no-cache; no-store, must-revalidate, private\r\n",
        "expires: Thu, 01 Jan 1970 00:00:00 UTC\r\n",
        "content-length: 26\r\n",
    ] {
        assert!(answer.contains(header), "{answer} lacks {header}");
    }
    assert_eq!(body(&answer), "{\n  \"status\": \"Healthy\"\n}\n");
}

#[test]
fn the_control_plane_refuses_as_aws_does() {
    let server = Running::start("6MiB");
    let json = "POST /models HTTP/1.1\r\ncontent-type: application/json";
    for (head, sent, status, message) in [
        ("GET /models/nope HTTP/1.1", "", "404 Not Found", "Model not found: nope"),
        ("DELETE /models/nope HTTP/1.1", "", "404 Not Found", "Model not found: nope"),
        ("PUT /models/nope HTTP/1.1", "", "404 Not Found", "Model not found: nope"),
        ("POST /models/nope/invoke HTTP/1.1", "1,2,3,4", "404 Not Found", "Model not found: nope"),
        ("POST /invocations?model_name=nope HTTP/1.1", "1", "404 Not Found", "Model not found: nope"),
        (
            "POST /invocations HTTP/1.1\r\nX-Amzn-SageMaker-Target-Model: a/b",
            "1",
            "404 Not Found",
            "Model not found: a/b",
        ),
        ("POST /invocations HTTP/1.1", "1", "400 Bad Request", "Parameter model_name is required."),
        (json, "{}", "400 Bad Request", "Parameter url is required."),
        (json, "{\"url\": \"../x\"}", "404 Not Found", "Relative path is not allowed in url: ../x"),
        (json, "{\"url\": \"/no/such\"}", "404 Not Found", "Model not found in model store: /no/such"),
    ] {
        let answer = server.ask(head, sent.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{head}: {answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{head}: {answer}");
        assert!(body(&answer).ends_with(&format!("\"message\": \"{message}\"\n}}\n")), "{head}: {answer}");
    }
}

#[test]
fn a_body_that_is_too_large_is_told_the_limit() {
    let server = Running::start("1K");
    for length in [1025, 4 << 20] {
        let answer = server.ask("POST /ping HTTP/1.1", &vec![b'1'; length]);
        assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answer}");
        assert!(body(&answer).contains("the body is larger than 1024 bytes"), "{answer}");
    }
    assert!(server.ask("POST /ping HTTP/1.1", &[b'1'; 1024]).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn a_large_body_is_refused_before_it_is_sent() {
    let server = Running::start("1K");
    let mut stream = server.connect();
    write!(stream, "POST /ping HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\n\r\n").unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
}

#[test]
fn chunks_are_counted_together() {
    let server = Running::start("1K");
    for (chunks, status) in [(16, "200"), (17, "413")] {
        let mut stream = server.connect();
        write!(stream, "POST /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n")
            .unwrap();
        for _ in 0..chunks {
            write!(stream, "40\r\n{}\r\n", "1".repeat(64)).unwrap();
        }
        write!(stream, "0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{chunks}: {answer}");
    }
}

#[test]
fn rows_arrive_alike_with_their_head_and_behind_it() {
    let model = TempDir::new().unwrap();
    std::fs::write(model.path().join("model.json"), TREE).unwrap();
    let order = format!("{{\"model_name\": \"tree\", \"url\": {:?}}}", model.path().to_str().unwrap());
    let server = Running::start("6MiB");
    let loaded = server.ask("POST /models HTTP/1.1\r\ncontent-type: application/json", order.as_bytes());
    assert!(loaded.starts_with("HTTP/1.1 200 "), "{loaded}");
    // Around what goes round hyper, in bodies of four bytes a row.
    for rows in [1, 1023, 1024, 1025, 1500] {
        let (head, sent) = ("POST /models/tree/invoke HTTP/1.1\r\ncontent-type: text/csv", "1,7\n".repeat(rows));
        let mut stream = server.connect();
        let request = format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{sent}", sent.len());
        stream.write_all(request.as_bytes()).unwrap();
        let mut together = String::new();
        stream.read_to_string(&mut together).unwrap();
        assert!(together.starts_with("HTTP/1.1 200 "), "{together}");
        assert_eq!(body(&together).split(", ").count(), rows);
        assert_eq!(body(&together), body(&server.ask(head, sent.as_bytes())));
    }
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let server = Running::start("6MiB");
    let mut stream = server.connect();
    write!(stream, "GET /ping HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    drop(server);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "the server has closed the connection");
}

/// One tree over two features, as XGBoost 1.7 writes it.
const TREE: &str = r#"{"version":[1,7,6],"learner":{
    "learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"2","num_target":"1"},
    "objective":{"name":"reg:squarederror"},
    "gradient_booster":{"name":"gbtree","model":{"tree_info":[0],"trees":[{
        "tree_param":{"size_leaf_vector":"0"},"left_children":[1,3,-1,-1,-1],"right_children":[2,4,-1,-1,-1],
        "split_indices":[0,1,0,0,0],"split_conditions":[1.5,1,2,3,4],"default_left":[0,0,0,0,0]}]}}}}"#;

/// What the server answers to rows that are sent in chunks of so many bytes.
fn ask_in_chunks(server: &Running, rows: &str, bytes: usize) -> String {
    let mut stream = server.connect();
    let head = "POST /models/tree/invoke HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: text/csv\r\naccept: text/csv";
    write!(stream, "{head}\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    for chunk in rows.as_bytes().chunks(bytes) {
        write!(stream, "{:x}\r\n", chunk.len()).unwrap();
        stream.write_all(chunk).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn rows_that_arrive_in_pieces_are_answered_as_whole_ones() {
    let model = TempDir::new().unwrap();
    std::fs::write(model.path().join("model.json"), TREE).unwrap();
    let order = format!("{{\"model_name\": \"tree\", \"url\": {:?}}}", model.path().to_str().unwrap());
    // AWS's container does not tell what is wrong with rows.
    for (compat, is_told) in [("intended", true), ("strict", false)] {
        let server = Running::start_with(Serve { compat: Some(compat.to_owned()), ..Serve::default() });
        let loaded = server.ask("POST /models HTTP/1.1\r\ncontent-type: application/json", order.as_bytes());
        assert!(loaded.starts_with("HTTP/1.1 200 "), "{loaded}");
        let one = |row: &str| body(&ask_in_chunks(&server, row, 100)).trim().to_owned();
        let (low, high) = (one("1,0.5"), one("1,7"));
        assert_ne!(low, high);
        let rows = "1,0.5\n1,7\n".repeat(20_000);
        for bytes in [1000, 30_011, 1 << 20] {
            let answer = ask_in_chunks(&server, &rows, bytes);
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            let numbers: Vec<_> = body(&answer).trim().split([',', '\n']).collect();
            assert_eq!(numbers.len(), 40_000, "{compat}, chunks of {bytes}");
            let expected = [low.as_str(), high.as_str()];
            let wrong = numbers.chunks(2).find(|&pair| pair != expected);
            assert_eq!(wrong, None, "{expected:?}, {compat}, chunks of {bytes}");
            for (wrong, complaint) in [
                (format!("{rows}1,x\n{rows}"), "row 40001, column 2: could not convert string to float: 'x'"),
                (format!("{rows}1,2,3"), "row 40001 has 3 columns, expected 2 as in row 1"),
            ] {
                let refused = ask_in_chunks(&server, &wrong, bytes);
                assert!(!refused.starts_with("HTTP/1.1 200 "), "{refused}");
                assert_eq!(refused.contains(complaint), is_told, "{refused}");
            }
        }
    }
}
