//! `thicket top`: a running server in a terminal, drawn anew every second.
//!
//! It shows what the console's page shows, and asks the same question. The terminal is driven by what `rustix` knows of it
//! and a dozen escape sequences: one screen of text needs no more.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
    sync::mpsc::UnboundedReceiver,
    time::{self, MissedTickBehavior},
};

use crate::error::{Error, ErrorKind, Result};

mod answer;
mod client;
mod line;
mod picture;
mod sorting;
mod terminal;
mod words;

use answer::Answer;
use client::Client;
use line::Line;
use picture::Loss;
use sorting::Sorting;
use terminal::{Size, Terminal};

/// From one picture to the next.
const PERIOD: Duration = Duration::from_secs(1);

/// Models in a picture that is printed once, and on the highest screen.
const ROWS_ONCE: usize = 20;
const ROWS_MAX: usize = 200;

/// Shows the server at `url`: once where that is wanted or nobody looks, else until it is told to end.
///
/// # Errors
/// [`ErrorKind::Usage`] for another kind of address, [`ErrorKind::Io`] when the terminal cannot be used, and once also when
/// the server does not answer.
pub(crate) fn run(url: &str, once: bool) -> Result<()> {
    let client = Client::of(url)?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::caused(ErrorKind::Io, "cannot start threads", error))?;
    if once || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return runtime.block_on(print(&client));
    }
    let (mut terminal, keys) = Terminal::take().map_err(of_terminal)?;
    runtime.block_on(Top::new(client).show(&mut terminal, keys)).map_err(of_terminal)
}

fn of_terminal(error: io::Error) -> Error {
    Error::caused(ErrorKind::Io, "cannot use the terminal", error)
}

/// One picture without escape sequences, as wide as it is.
async fn print(client: &Client) -> Result<()> {
    let answer = client.ask(Sorting::default(), ROWS_ONCE).await?;
    let lines = picture::whole(client.name(), &answer, Sorting::default());
    let text: String = lines.iter().map(|line| line.plain() + "\n").collect();
    let written = io::stdout().lock().write_all(text.as_bytes());
    written.map_err(|error| Error::caused(ErrorKind::Io, "cannot write to standard output", error))
}

/// What is shown, and how.
#[derive(Debug)]
struct Top {
    client: Client,
    sorting: Sorting,
    /// The last answer there was.
    answer: Option<Answer>,
    /// Since when there has been none, and why.
    lost: Option<(Instant, String)>,
}

/// What happens while a picture is shown.
enum Event {
    Tick,
    Resize,
    Key(u8),
    End,
}

/// Whether a key ends it.
fn ends(key: u8) -> bool {
    matches!(key, b'q' | b'Q' | terminal::CTRL_C)
}

impl Top {
    fn new(client: Client) -> Self {
        Self { client, sorting: Sorting::default(), answer: None, lost: None }
    }

    /// Shows pictures until a key or a signal ends it.
    async fn show(mut self, terminal: &mut Terminal, mut keys: UnboundedReceiver<u8>) -> io::Result<()> {
        let mut ticks = time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut resized = signal(SignalKind::window_change())?;
        let (mut terminated, mut interrupted, mut hung_up) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?);
        loop {
            let event = tokio::select! {
                biased;
                _ = terminated.recv() => Event::End,
                _ = interrupted.recv() => Event::End,
                _ = hung_up.recv() => Event::End,
                key = keys.recv() => key.map_or(Event::End, Event::Key),
                _ = resized.recv() => Event::Resize,
                _ = ticks.tick() => Event::Tick,
            };
            match event {
                Event::End => return Ok(()),
                Event::Key(key) if ends(key) => return Ok(()),
                Event::Key(key) => match self.sorting.after(key) {
                    Some(sorting) => self.sorting = sorting,
                    None => continue,
                },
                Event::Resize => {
                    terminal.draw(&self.lines(terminal.size()))?;
                    continue;
                }
                Event::Tick => {}
            }
            // No end is kept waiting by a server that does not answer, and no key.
            let answer = loop {
                let asking = self.client.ask(self.sorting, terminal.size().rows.min(ROWS_MAX));
                tokio::select! {
                    biased;
                    _ = terminated.recv() => return Ok(()),
                    _ = interrupted.recv() => return Ok(()),
                    _ = hung_up.recv() => return Ok(()),
                    key = keys.recv() => match key.filter(|key| !ends(*key)) {
                        Some(key) => self.sorting = self.sorting.after(key).unwrap_or(self.sorting),
                        None => return Ok(()),
                    },
                    answer = asking => break answer,
                }
            };
            self.take(answer);
            terminal.draw(&self.lines(terminal.size()))?;
        }
    }

    fn take(&mut self, answer: Result<Answer>) {
        match answer {
            Ok(answer) => (self.answer, self.lost) = (Some(answer), None),
            Err(error) => {
                let since = self.lost.take().map_or_else(Instant::now, |(since, _)| since);
                self.lost = Some((since, error.story()));
            }
        }
    }

    fn lines(&self, size: Size) -> Vec<Line> {
        let loss = self.lost.as_ref().map(|(since, because)| Loss { age: since.elapsed(), because });
        picture::screen(self.client.name(), self.answer.as_ref(), loss, self.sorting, size)
    }
}
