//! Predicts: rows in, a model on loan, predictions out.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, StatusCode};
use ndarray::ArrayView2;
use thicket_engine::{Engine, Lease, Output, Predictions};
use tokio::time;

use crate::{
    body::Received,
    columns::Columns,
    configuration::Compat,
    cost,
    decode::{self, Rules},
    encode::{self, Accepted, Dialect, Selector, Style},
    failure::{Class, Failure},
    matrix::Matrix,
    meter::Temperature,
    reply::{self, Reply},
    service::Service,
    single, strict, uri, width, wish,
};

/// The header in which the platform and the SDK's local mode name a model.
pub(crate) const TARGET_MODEL: &str = "x-amzn-sagemaker-target-model";

/// How often a model whose file in the cache was cut short is brought anew for one request.
const RENEWALS_MAX: usize = 3;

/// Rows of larger bodies are not counted but guessed: in all forms a number has a few bytes.
const COUNTED_BYTES_MAX: usize = 64 << 10;
const NUMBER_BYTES: usize = 8;

/// Predicts with the model `name`, which must be loaded. One that has left memory since is brought back first.
pub(crate) async fn loaded(
    service: &Service,
    name: &str,
    headers: &HeaderMap,
    body: Received,
) -> Result<Reply, Failure> {
    let (model, temperature) = lent(service, name, &body, || Engine::recall(&service.engine, name)).await?;
    let mut reply = reply::without_reason(predict(service, model, headers, body).await?);
    reply::note(&mut reply, temperature);
    Ok(reply)
}

/// Predicts with the one model, or with the one that the query's `model_name` or the target header names. A model that
/// only the header names is loaded first where there is a source.
pub(crate) async fn named_aside(
    service: &Service,
    query: &str,
    headers: &HeaderMap,
    body: Received,
) -> Result<Reply, Failure> {
    if service.single.is_some() {
        let model = service.engine.loaded(single::NAME).map_err(|error| Failure::engine(&error, single::NAME, ""))?;
        service.meter.hits.add(1);
        return predict(service, model, headers, body).await;
    }
    if let Some(name) = uri::parameter(query, "model_name") {
        return loaded(service, &name, headers, body).await;
    }
    // AWS's container does not look at the header here.
    let target = headers.get(TARGET_MODEL).filter(|_| !service.configuration.compat.is_strict());
    let Some(target) = target else { return Err(Failure::parameter_required("model_name")) };
    let name = String::from_utf8_lossy(target.as_bytes());
    if service.models().is_none() {
        return loaded(service, &name, headers, body).await;
    }
    let (model, temperature) = on_first_use(service, &name, &body).await?;
    let mut reply = reply::without_reason(predict(service, model, headers, body).await?);
    reply::note(&mut reply, temperature);
    Ok(reply)
}

/// The model `name` for a request with that body, loaded from the source when it is not in memory.
///
/// # Errors
/// [`Class::NotReady`] when the load takes longer than a request may wait; it goes on meanwhile. [`Class::Busy`] when too many
/// requests wait for models.
pub(crate) async fn on_first_use(
    service: &Service,
    name: &str,
    body: &Received,
) -> Result<(Lease, Temperature), Failure> {
    lent(service, name, body, || Engine::model(&service.engine, name)).await
}

/// The model `name` from memory, else as `load` brings it.
async fn lent<F: Future<Output = thicket_engine::Result<Lease>>>(
    service: &Service,
    name: &str,
    body: &Received,
    load: impl FnOnce() -> F,
) -> Result<(Lease, Temperature), Failure> {
    if let Ok(model) = service.engine.loaded(name) {
        service.meter.hits.add(1);
        return Ok((model, Temperature::Warm));
    }
    let _place = service.waiting.place(body.len())?;
    let asked = Instant::now();
    let waited = time::timeout(service.configuration.load_wait, load()).await;
    if !matches!(waited, Ok(Err(_))) {
        service.meter.waits.observe(asked.elapsed());
    }
    match waited {
        Ok(Ok(model)) => Ok((model, Temperature::Cold)),
        Ok(Err(error)) => Err(Failure::engine(&error, name, name)),
        Err(_) => Err(Failure::new(Class::NotReady, format!("Model {name} is not ready for inference: it is loading"))),
    }
}

/// Predicts with a model on loan.
pub(crate) async fn predict(
    service: &Service,
    model: Lease,
    headers: &HeaderMap,
    body: Received,
) -> Result<Reply, Failure> {
    let refused = |error| Failure::input(&error);
    let (compat, style) = (service.configuration.compat, service.configuration.style);
    if compat.is_strict() {
        strict::check(headers).map_err(refused)?;
    }
    let accepted = Accepted::of(headers, &service.configuration.accept_default, style.dialect);
    let Accepted { form: answer_form, content_type } = accepted.map_err(refused)?;
    let rows_form = decode::Form::of(decode::content_type(headers)).map_err(refused)?;
    // AWS's container does not look at the header that holds a wish.
    let output = if compat.is_strict() { Output::Value } else { wish::output(headers).map_err(refused)? };
    let selector = service.single.as_ref().map_or(Ok(None), |single| single.selector(output))?;
    // What was read ahead is in a matrix of its own.
    let matrix = if body.ahead.is_nothing() { service.buffers.take() } else { Matrix::default() };
    let rules = service.configuration.rows;
    let mut job = Job { model, body, rows_form, rules, answer_form, output, selector, style, compat, matrix };
    let mut renewals = 0;
    let answer = loop {
        let answer;
        if job.is_heavy() {
            (answer, job) = elsewhere(service, job).await?;
        } else {
            answer = job.run();
        }
        if !job.model.is_damaged() || renewals == RENEWALS_MAX {
            break answer;
        }
        renewals += 1;
        let name = job.model.name().to_owned();
        let renewed = service.engine.renew(job.model).await;
        job.model = renewed.map_err(|error| Failure::engine(&error, &name, &name))?;
    };
    service.buffers.give_back(job.matrix);
    Ok(reply::with_body(StatusCode::OK, content_type, answer?))
}

/// Does a heavy job where it holds nobody up.
async fn elsewhere(service: &Service, mut job: Job) -> Result<(Result<Vec<u8>, Failure>, Job), Failure> {
    let (name, cost) = (job.model.name().to_owned(), job.cost(job.rows()));
    service.compute.run(&name, cost, move || (job.run(), job)).await
}

/// Everything that one prediction needs, so that it can be done on any thread.
struct Job {
    model: Lease,
    body: Received,
    rows_form: decode::Form,
    rules: Rules,
    answer_form: encode::Form,
    output: Output,
    selector: Option<Arc<Selector>>,
    style: Style,
    compat: Compat,
    matrix: Matrix,
}

impl Job {
    /// Whether the work is for other threads: one row never is, but for its contributions.
    fn is_heavy(&self) -> bool {
        let is_long = || {
            let rows = self.rows();
            rows > 1 && self.cost(rows) > cost::INLINE_MAX
        };
        self.output == Output::Contributions || self.body.len() > COUNTED_BYTES_MAX || is_long()
    }

    /// How many rows there are at the most, or about.
    fn rows(&self) -> usize {
        if self.body.len() <= COUNTED_BYTES_MAX {
            return self.rows_form.rows_max(&self.body);
        }
        self.body.len() / NUMBER_BYTES / self.model.features().unwrap_or(1).max(1)
    }

    fn cost(&self, rows: usize) -> Duration {
        let walks = if self.output == Output::Contributions { cost::CONTRIBUTION_WALKS } else { 1 };
        let walks = rows.saturating_mul(self.model.trees().unwrap_or(cost::OTHER_ENGINES_WALKS)).saturating_mul(walks);
        cost::of(self.rows_form, self.body.len(), rows, walks)
    }

    fn run(&mut self) -> Result<Vec<u8>, Failure> {
        let ahead = mem::take(&mut self.body.ahead);
        if !ahead.finish(&self.body, &mut self.matrix) {
            let columns = Columns::of(&self.model);
            let read = self.rows_form.read(&self.body, columns, self.rules, &mut self.matrix);
            read.map_err(|error| Failure::input(&error))?;
        }
        let predictions = width::predict(&self.model, &self.matrix, self.compat, |rows| self.predict(rows))?;
        Ok(match &self.selector {
            Some(selector) => selector.write(self.answer_form, &predictions, self.style),
            None => self.answer_form.write(&predictions, self.width(&predictions), self.style),
        })
    }

    /// AWS's server of one model lets an ensemble's members vote on classes, that of many never does.
    fn predict(&self, rows: ArrayView2<'_, f32>) -> thicket_engine::Result<Predictions> {
        match (self.style.dialect, self.output) {
            (Dialect::SingleModel, Output::Value) => self.model.vote(rows),
            (_, output) => self.model.predict(rows, output),
        }
    }

    /// How many numbers of a row belong together.
    fn width(&self, predictions: &Predictions) -> usize {
        match self.output {
            Output::Contributions => self.matrix.columns + 1,
            _ => predictions.columns,
        }
    }
}
