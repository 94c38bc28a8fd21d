//! `thicket serve`: the endpoint, until it is told to stop.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use thicket_engine::HeapMeter;
use tracing::info;

use crate::{
    arguments::Serve,
    configuration::{Configuration, LogForm, Mode},
    error::Result,
    files, log,
    server::Server,
    stop::Stop,
};

/// Serves until SIGTERM or SIGINT.
pub(super) fn run(options: &Serve, heap_meter: HeapMeter) -> Result<()> {
    let mut configuration = Configuration::from_environment(options)?;
    configuration.heap_meter = Some(heap_meter);
    let form = configuration.log;
    log::start(form, configuration.log_level);
    let stop = Stop::on_signals()?;
    configuration.limits.connections_max = files::allow(configuration.limits.connections_max);
    let (mode, because) = (configuration.mode.clone(), configuration.because);
    let server = Server::bind(configuration)?;
    let address = server.address();
    stop.serves();
    server.run(async move {
        match mode {
            Mode::Container => info!(%address, because, "serving as a container of many models"),
            Mode::SingleModel { model } => {
                info!(%address, because, model = %model.display(), "serving as a container of one model");
            }
            Mode::StandAlone { models } => info!(%address, because, models, "serving alone"),
        }
        announce(address, form);
        stop.asked().await;
    })
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
