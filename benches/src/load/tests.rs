use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, OnceLock},
    thread,
    time::Instant,
};

use super::*;

const STALL: Duration = Duration::from_millis(200);

/// Serves any number of connections; once, half a second after its first request, it stands still.
fn stalling_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let stall = Arc::new(OnceLock::new());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stall = Arc::clone(&stall);
            thread::spawn(move || serve(stream.unwrap(), &stall));
        }
    });
    address
}

fn serve(mut stream: TcpStream, stall: &OnceLock<Instant>) {
    let mut request = [0; 4096];
    while stream.read(&mut request).is_ok_and(|length| length > 0) {
        let begins = *stall.get_or_init(|| Instant::now() + Duration::from_millis(500));
        let now = Instant::now();
        if (begins..begins + STALL).contains(&now) {
            thread::sleep(begins + STALL - now);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
    }
}

fn requests() -> Requests {
    Requests::new("/{model}", &[], &["a".to_owned()], vec!["1".to_owned()]).unwrap()
}

fn run(pace: Pace, clients: usize) -> Vec<Answer> {
    let load = Load { clients, pace, duration: Duration::from_millis(1500), requests_max: u64::MAX };
    let answers = load.run(&stalling_server(), &requests()).unwrap();
    assert!(answers.iter().all(Answer::is_success));
    answers
}

#[test]
fn at_a_rate_a_stall_is_in_the_latency_of_all_that_should_have_begun_meanwhile() {
    let answers = run(Pace::Rate(500.0), 1);
    assert_eq!(answers.len(), 750);
    let slow = answers.iter().filter(|answer| answer.latency > STALL / 10).count();
    assert!(slow >= 85, "a stall of 200 ms makes 100 requests late, 90 of them by more than 20 ms: {slow}");
    assert!(Summary::of(&answers).latency.p99_us > 150_000.0);
}

#[test]
fn in_a_closed_loop_a_stall_shows_once() {
    let answers = run(Pace::Closed, 1);
    let stalled = answers.iter().filter(|answer| answer.latency > STALL * 9 / 10).count();
    assert_eq!((stalled, answers.len() > 1000), (1, true), "of {}", answers.len());
    assert!(Summary::of(&answers).latency.p99_us < 20_000.0);
}

#[test]
fn a_run_ends_after_its_last_request() {
    let load = Load { clients: 3, pace: Pace::Closed, duration: Duration::from_mins(1), requests_max: 10 };
    let mut numbers: Vec<_> =
        load.run(&stalling_server(), &requests()).unwrap().iter().map(|answer| answer.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
}

#[test]
fn errors_are_counted_by_status_and_have_no_latency() {
    let latency = Duration::from_millis(1);
    let answer = |status| Answer { number: 0, begun: Duration::ZERO, latency, status, is_right: true };
    let wrong = Answer { is_right: false, ..answer(200) };
    let summary = Summary::of(&[answer(200), answer(503), answer(0), wrong, answer(503)]);
    assert_eq!((summary.latency.count, summary.errors_text().as_str()), (1, "0: 1, 200: 1, 503: 2"));
    assert!((summary.per_second - 1000.0).abs() < 1e-6);
}
