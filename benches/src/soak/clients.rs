//! Clients that let models come, answer and go: each a thread with a connection and models of its own.

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
};

use serde_json::json;

use super::mode::Mode;
use crate::{
    error::{Error, Result},
    fleet::Fleet,
    load::{connection::Connection, requests::Requests},
};

/// All clients, and what they have to complain about.
#[derive(Debug)]
pub struct Clients {
    connections: Vec<Connection>,
    cycle: Cycle,
    complaints: Mutex<BTreeMap<String, u64>>,
}

/// What a client does again and again.
#[derive(Debug)]
struct Cycle {
    mode: Mode,
    requests: Requests,
    /// By the model's number.
    loads: Vec<Vec<u8>>,
    unloads: Vec<Vec<u8>>,
}

impl Clients {
    /// So many clients of the server at `address`, for the models of `fleet` that lie in `folder`, a multiple of `count`.
    ///
    /// # Errors
    /// When the server does not take so many connections.
    pub fn new(address: &str, count: usize, mode: Mode, fleet: &Fleet, folder: &Path) -> Result<Self> {
        let connections = (0..count).map(|_| Connection::open(address)).collect::<Result<_>>()?;
        let names = fleet.names();
        let cycle = Cycle {
            mode,
            requests: match mode {
                Mode::Container => fleet.container_requests()?,
                Mode::StandAlone => fleet.platform_requests()?,
            },
            loads: names.iter().map(|name| load(name, &folder.join(name))).collect(),
            unloads: names.iter().map(|name| unload(name)).collect(),
        };
        Ok(Self { connections, cycle, complaints: Mutex::default() })
    }

    /// Runs the cycles of these numbers, each client those of its own.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn run(&mut self, cycles: Range<u64>) -> Result<()> {
        let (cycle, complaints, clients) = (&self.cycle, &self.complaints, self.connections.len());
        thread::scope(|scope| {
            for (first, connection) in cycles.clone().zip(&mut self.connections) {
                let numbers = (first..cycles.end).step_by(clients);
                let work = move || {
                    let failed = numbers.flat_map(|number| cycle.run(number, connection));
                    count(complaints, failed);
                };
                thread::Builder::new().spawn_scoped(scope, work).map_err(Error::at("thread"))?;
            }
            Ok(())
        })
    }

    /// Lets everything go that is in memory.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn unload_all(&self, connection: &mut Connection) -> Result<()> {
        for unload in &self.cycle.unloads {
            let status = connection.exchange(unload).map_err(Error::at("DELETE /models"))?;
            if !matches!(status, 200 | 404) {
                count(&self.complaints, [format!("unloading everything: {status}")]);
            }
        }
        Ok(())
    }

    /// What was not as it should be, and how often.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        complaints.iter().map(|(text, times)| format!("{text} ({times} times)")).collect()
    }
}

fn count(complaints: &Mutex<BTreeMap<String, u64>>, texts: impl IntoIterator<Item = String>) {
    for text in texts {
        *complaints.lock().unwrap_or_else(PoisonError::into_inner).entry(text).or_default() += 1;
    }
}

impl Cycle {
    /// One cycle; what was wrong with it.
    fn run(&self, number: u64, connection: &mut Connection) -> Vec<String> {
        let (model, mut invocation) = (self.requests.model(number), Vec::new());
        self.requests.write(number, &mut invocation);
        let (load, unload) = (self.loads[model].as_slice(), self.unloads[model].as_slice());
        let invoke = ("invoke", invocation.as_slice());
        let steps = match self.mode {
            Mode::Container => vec![("load", load), invoke, ("unload", unload)],
            Mode::StandAlone => vec![invoke],
        };
        steps.into_iter().filter_map(|(step, bytes)| self.complaint(number, step, connection.get(bytes))).collect()
    }

    fn complaint(&self, number: u64, step: &str, answer: io::Result<(u16, Vec<u8>)>) -> Option<String> {
        match answer {
            Err(error) => Some(format!("{step}: {error}")),
            Ok((200, body)) if step == "invoke" && !self.requests.is_right(number, &body) => {
                Some(format!("{step}: a wrong answer"))
            }
            Ok((200, _)) => None,
            Ok((status, _)) => Some(format!("{step}: status {status}")),
        }
    }
}

/// The platform's request to load what lies at `path`.
fn load(name: &str, path: &Path) -> Vec<u8> {
    let body = json!({ "model_name": name, "url": path }).to_string();
    let head = "POST /models HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json";
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn unload(name: &str) -> Vec<u8> {
    format!("DELETE /models/{name} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").into_bytes()
}
