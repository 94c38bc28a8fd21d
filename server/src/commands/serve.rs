//! `thicket serve`: the endpoint, until it is told to stop.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info};

use crate::{
    arguments::Serve,
    configuration::{Configuration, LogForm, Mode},
    error::Result,
    log,
    server::Server,
};

/// Serves until SIGTERM or SIGINT.
pub(super) fn run(options: &Serve) -> Result<()> {
    let configuration = Configuration::from_environment(options)?;
    let form = configuration.log;
    log::start(form, configuration.log_level);
    let mode = configuration.mode.clone();
    let server = Server::bind(configuration)?;
    let address = server.address();
    server.run(async move {
        let stop = stop_signal();
        match mode {
            Mode::Container => info!(%address, "serving as a container"),
            Mode::StandAlone { models } => info!(%address, models, "serving alone"),
        }
        announce(address, form);
        stop.await;
    })
}

/// Completes at SIGTERM or SIGINT; both are caught from the moment this is called.
fn stop_signal() -> impl Future<Output = ()> {
    let signals =
        signal(SignalKind::terminate()).and_then(|terminate| Ok((terminate, signal(SignalKind::interrupt())?)));
    async move {
        match signals {
            Ok((mut terminate, mut interrupt)) => tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            },
            Err(error) => error!(%error, "signals cannot be caught: the server ends at once"),
        }
    }
}

/// Tells whoever started the server that the port is bound. Nobody need listen.
fn announce(address: SocketAddr, form: LogForm) {
    let message = format!("listening on http://{address}");
    let line = match form {
        LogForm::Text => message,
        LogForm::Json => serde_json::json!({ "level": "INFO", "message": message }).to_string(),
    };
    let mut stdout = io::stdout();
    drop(writeln!(stdout, "{line}").and_then(|()| stdout.flush()));
}
