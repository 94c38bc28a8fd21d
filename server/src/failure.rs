//! The one table from what went wrong to what a client is told: status, class and text, for the container's clients and
//! for the platform's.
//!
//! The client's text and the log's text are two texts: [`Failure::message`] never holds a path of this machine beyond
//! what the client sent, [`Failure::story`] holds everything.

use std::time::Duration;

use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use serde::Serialize;
use thicket_engine::ErrorKind as EngineErrorKind;

use crate::{
    configuration::Compat,
    error::{Error, ErrorKind},
    reply::{self, Reply},
};

mod class;
mod redact;

pub(crate) use class::Class;
use class::{Platform, Row};
use redact::without_paths;

/// Why a request is not answered as its sender hoped.
#[derive(Debug)]
pub(crate) struct Failure {
    class: Class,
    message: String,
    story: String,
    /// For how long another try is in vain, where that is known.
    retry_after: Option<Duration>,
}

/// What AWS's container says to every request that it cannot use.
const PREDICTION_FAILED: &str = "Prediction failed";

/// The body of the container's errors.
#[derive(Serialize)]
struct Envelope<'a> {
    code: u16,
    #[serde(rename = "type")]
    class: &'a str,
    message: &'a str,
}

/// The body of the platform's errors.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message<'a> {
    message: &'a str,
}

/// The body of the platform's error for what a model's container answered.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ModelError {
    error_code: &'static str,
    log_stream_arn: &'static str,
    message: String,
    original_message: String,
    original_status_code: u16,
}

impl Failure {
    /// A failure whose text is the same for the client and for the log.
    pub(crate) fn new(class: Class, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { class, story: message.clone(), message, retry_after: None }
    }

    /// No model of that name is loaded.
    pub(crate) fn model_not_found(name: &str) -> Self {
        Self::new(Class::ModelNotFound, format!("Model not found: {name}"))
    }

    /// A parameter that cannot be done without.
    pub(crate) fn parameter_required(name: &str) -> Self {
        Self::new(Class::BadRequest, format!("Parameter {name} is required."))
    }

    /// No route has that path.
    pub(crate) fn resource_not_found() -> Self {
        Self::new(Class::ResourceNotFound, "Requested resource is not found, please refer to API document.")
    }

    /// A route has that path, but not for that method.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(Class::MethodNotAllowed, "Requested method is not allowed, please refer to API document.")
    }

    /// A body, a content type or an accept header that cannot be served.
    pub(crate) fn input(error: &Error) -> Self {
        let story = error.story();
        let (class, message) = match error.kind() {
            ErrorKind::EmptyBody => (Class::EmptyBody, story.clone()),
            ErrorKind::UnknownAccept => (Class::NotAcceptable, story.clone()),
            ErrorKind::UnknownOutput => (Class::BadPayload, story.clone()),
            ErrorKind::UnknownContentType | ErrorKind::InvalidRows => (Class::UnsupportedMediaType, story.clone()),
            ErrorKind::UnfitRows => (Class::BadPayload, format!("Unable to evaluate payload provided: {story}")),
            _ => (Class::Internal, "Internal failure".to_owned()),
        };
        Self { class, message, story, retry_after: None }
    }

    /// What the engine says about the model `name`, which the client called `sent`.
    pub(crate) fn engine(error: &thicket_engine::Error, name: &str, sent: &str) -> Self {
        use EngineErrorKind as K;
        let story = error.story();
        let (class, message) = match error.kind() {
            K::NotFound => (Class::ModelNotFound, format!("Model not found in model store: {sent}")),
            K::NotLoaded => (Class::ModelNotFound, format!("Model not found: {name}")),
            K::AlreadyLoaded => (Class::Conflict, format!("Model {name} is already registered.")),
            K::InvalidInput => {
                (Class::BadPayload, format!("Unable to evaluate payload provided: {}", without_paths(&story, sent)))
            }
            K::InvalidArtifact | K::Unsupported | K::LibraryMissing => {
                (Class::LoadFailed, format!("Unable to load model: {}", without_paths(&story, sent)))
            }
            K::OutOfMemory => (Class::OutOfMemory, format!("System out of memory: {}", without_paths(&story, sent))),
            K::SourceUnavailable | K::SourceUnreachable => (Class::Busy, "The model store is unavailable".to_owned()),
            _ => (Class::Internal, "Internal failure".to_owned()),
        };
        Self { class, message, story, retry_after: error.retry_after() }
    }

    /// What a ready model says when it does not answer: the rows do not fit, or it lacks the output that was asked for.
    pub(crate) fn prediction(error: &thicket_engine::Error) -> Self {
        let failure = Self::engine(error, "", "");
        match error.kind() {
            EngineErrorKind::Unsupported => failure.reworded(Class::BadPayload, error.to_string()),
            _ => failure,
        }
    }

    /// The same failure told to the client in other words.
    pub(crate) fn reworded(self, class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), ..self }
    }

    /// What kind of thing went wrong.
    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// Whether this is to be put right on this side of the wire, whatever status AWS or the platform gives it.
    pub(crate) fn is_ours(&self) -> bool {
        let is_theirs = matches!(self.class, Class::JsonSyntax | Class::NotImplemented | Class::VersionNotSupported);
        !is_theirs && self.class.row().0.is_server_error()
    }

    /// The text for the log.
    pub(crate) fn story(&self) -> &str {
        &self.story
    }

    /// The row of this failure's class and the client's text.
    fn told(&self, compat: Compat) -> (Row, &str) {
        match self.class.strict_row().filter(|_| compat.is_strict()) {
            Some(row) => (row, PREDICTION_FAILED),
            None => (self.class.row(), &self.message),
        }
    }

    /// The answer to a client of the container.
    pub(crate) fn to_container(&self, compat: Compat) -> Reply {
        let ((status, class, _), message) = self.told(compat);
        if class.is_empty() {
            return reply::bare(status, "");
        }
        self.timed(reply::json(status, &Envelope { code: status.as_u16(), class, message }))
    }

    /// The answer to a client of a server of one model: its text as it is. AWS's says that it is HTML, which a text that
    /// repeats what a client sent must not be.
    pub(crate) fn to_single_model(&self) -> Reply {
        let (status, class, _) = self.class.row();
        if class.is_empty() {
            return reply::bare(status, "");
        }
        let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
        self.timed(reply::with_body(status, content_type, self.message.clone()))
    }

    /// The answer to a client of the platform, in one of the shapes that boto3 turns into its exceptions.
    pub(crate) fn to_platform(&self, compat: Compat) -> Reply {
        let ((original, class, platform), message) = self.told(compat);
        let (status, error_type) = platform.row();
        let mut reply = match platform {
            _ if class.is_empty() => return reply::bare(original, ""),
            Platform::Model => reply::compact_json(status, &ModelError::of(original, class, message)),
            _ => reply::compact_json(status, &Message { message }),
        };
        if !error_type.is_empty() {
            reply.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(error_type));
        }
        self.timed(reply)
    }

    /// The answer with the time after which another try makes sense, where all that is wrong is the time: in whole seconds,
    /// and one where nothing is known.
    fn timed(&self, mut reply: Reply) -> Reply {
        if matches!(self.class, Class::Busy | Class::NotReady) {
            let pause = self.retry_after.unwrap_or_default();
            let seconds = (pause.as_secs() + u64::from(pause.subsec_nanos() > 0)).max(1);
            reply.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        reply
    }
}

impl ModelError {
    /// What the platform makes of the container's answer.
    fn of(status: StatusCode, class: &str, message: &str) -> Self {
        let code = status.as_u16();
        let body = reply::pretty(&Envelope { code, class, message });
        let (side, error_code) = if status.is_client_error() {
            ("client", "CLIENT_ERROR_FROM_MODEL")
        } else {
            ("server", "INTERNAL_FAILURE_FROM_MODEL")
        };
        Self {
            error_code,
            log_stream_arn: "",
            message: format!("Received {side} error ({code}) from model with message \"{body}\"."),
            original_message: body,
            original_status_code: code,
        }
    }
}

#[cfg(test)]
mod tests;
