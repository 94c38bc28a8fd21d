//! Requests in numbers over kept connections: in a closed loop, or at a rate.
//!
//! Each client is a thread with a connection of its own that blocks: nothing is cheaper for few clients.

pub mod connection;
pub mod pace;
pub mod requests;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    distribution::Distribution,
    error::{Error, Result},
};
use connection::Connection;
use pace::{Pace, Schedule};
use requests::Requests;

/// Bytes of stack that a client needs.
const STACK_BYTES: usize = 256 << 10;

/// A run: who sends how, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Connections, each of which has one request under way at the most.
    pub clients: usize,
    /// When requests begin.
    pub pace: Pace,
    /// How long requests begin.
    pub duration: Duration,
    /// How many begin at the most.
    pub requests_max: u64,
}

/// One request's fate.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Its number.
    pub number: u64,
    /// When it was to begin, from the start of the run.
    pub begun: Duration,
    /// From then until the whole answer was there.
    pub latency: Duration,
    /// The answer's status; 0 when the connection broke.
    pub status: u16,
    /// Whether it said what it should.
    pub is_right: bool,
}

impl Answer {
    /// Whether all went well: the status says so, and the answer is right.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status) && self.is_right
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Latencies of the requests that were answered well.
    pub latency: Distribution,
    /// Such answers a second.
    pub per_second: f64,
    /// All other answers by status: 0 where the connection broke, 200 where another answer would have been right.
    pub errors: BTreeMap<u16, usize>,
}

impl Load {
    /// Runs it against the server at `address`. Answers come in no order.
    ///
    /// # Errors
    /// When a connection cannot be opened at the start, or no thread.
    ///
    /// # Panics
    /// When a client does.
    pub fn run(&self, address: &str, requests: &Requests) -> Result<Vec<Answer>> {
        let connections = (0..self.clients).map(|_| Connection::open(address)).collect::<Result<Vec<_>>>()?;
        let schedule = Schedule::new(self.pace, self.duration);
        let (next, answers) = (AtomicU64::new(0), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for mut connection in connections {
                let (schedule, next, answers) = (&schedule, &next, &answers);
                let client = move || {
                    let own = self.client(&mut connection, requests, schedule, next);
                    answers.lock().expect("no client panics with the lock").extend(own);
                };
                let builder = thread::Builder::new().stack_size(STACK_BYTES);
                builder.spawn_scoped(scope, client).map_err(Error::at("thread"))?;
            }
            Ok(())
        })?;
        Ok(answers.into_inner().expect("no client panics with the lock"))
    }

    fn client(
        &self,
        connection: &mut Connection,
        requests: &Requests,
        schedule: &Schedule,
        next: &AtomicU64,
    ) -> Vec<Answer> {
        pace::sharpen_timers();
        let (mut answers, mut bytes) = (Vec::new(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.requests_max {
                return answers;
            }
            requests.write(number, &mut bytes);
            let Some(begun) = schedule.begin(number) else { return answers };
            let (status, body) = connection.get(&bytes).unwrap_or_default();
            let latency = begun.elapsed();
            let is_right = !(200..300).contains(&status) || requests.is_right(number, &body);
            answers.push(Answer { number, begun: schedule.since_start(begun), latency, status, is_right });
        }
    }
}

impl Summary {
    /// What `answers` come to.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 answers")]
    pub fn of(answers: &[Answer]) -> Self {
        let end = answers.iter().map(|answer| answer.begun + answer.latency).max().unwrap_or_default();
        let good = answers.iter().filter(|answer| answer.is_success());
        let latency = Distribution::of(good.map(|answer| answer.latency).collect());
        let mut errors = BTreeMap::new();
        for answer in answers.iter().filter(|answer| !answer.is_success()) {
            *errors.entry(answer.status).or_default() += 1;
        }
        let per_second = if end > Duration::ZERO { latency.count as f64 / end.as_secs_f64() } else { 0.0 };
        Self { latency, per_second, errors }
    }

    /// The errors for a table: `503: 12`.
    #[must_use]
    pub fn errors_text(&self) -> String {
        let texts: Vec<_> = self.errors.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
    }
}

#[cfg(test)]
mod tests;
