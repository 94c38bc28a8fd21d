//! From a request to its response: the body is taken in, the route's handler is called, and whatever goes wrong is told
//! to the client and to the log.

use std::{
    any::Any,
    future::{self, Future},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
};

use http::{HeaderValue, Request, request::Parts};
use hyper::body::{Body, Incoming};
use thicket_engine::micros;
use tracing::{debug, error};

use crate::{
    ahead::Ahead,
    body, console, control,
    conversation::Conversation,
    failure::{Class, Failure},
    invoke, meter, platform,
    reply::{self, Reply},
    route::{Kind, Route},
    service::Service,
    wire,
};

/// Answers the next request of a conversation, come what may.
pub(crate) async fn answer(service: &Service, conversation: &Conversation, request: Request<Incoming>) -> Reply {
    let id = service.identities.next();
    let (head, body) = request.into_parts();
    let route = Route::of(&head.method, head.uri.path(), service.models().is_some());
    let kind = route.as_ref().map_or(Kind::Unknown, Route::kind);
    let metered = service.meter.begin(kind);
    let for_platform = service.models().is_some() && head.uri.path().starts_with("/endpoints/");
    let handled = match conversation.begin() {
        Some(refusal) => Ok(Err(refusal)),
        None => unwinding(pin!(handle(service, conversation, &head, route, body))).await,
    };
    conversation.end();
    let outcome = handled.unwrap_or_else(|panic| Err(panicked(service, panic.as_ref())));
    let mut reply = outcome.unwrap_or_else(|failure| {
        let compat = service.configuration.compat;
        let reply = match &service.single {
            Some(_) => failure.to_single_model(),
            None if for_platform => failure.to_platform(compat),
            None => failure.to_container(compat),
        };
        log(&failure, &reply, &head, &id);
        reply
    });
    count(metered, kind, &reply, &id);
    if for_platform {
        reply.headers_mut().insert("x-amzn-requestid", id);
    } else {
        reply::finish(&mut reply, id);
    }
    if service.life.is_draining() {
        reply::end_connection(&mut reply);
    }
    reply
}

async fn handle(
    service: &Service,
    conversation: &Conversation,
    head: &Parts,
    route: Result<Route<'_>, Failure>,
    body: Incoming,
) -> Result<Reply, Failure> {
    let share = service.bodies.share();
    let ahead = || match &route {
        Ok(route) if route.kind().is_invocation() => Ahead::of(&head.headers, &service.ahead),
        _ => Ahead::default(),
    };
    let body = body::receive(body, conversation, service.configuration.body_bytes_max, share, ahead).await?;
    service.meter.received_bytes.add(body.len() as u64);
    let (headers, query) = (&head.headers, head.uri.query().unwrap_or_default());
    let route = route?;
    if service.single.is_some() {
        route.check_for_one_model(&head.method)?;
    }
    match route {
        Route::Ping => Ok(control::status("Healthy")),
        Route::Ready => Ok(control::readiness(service)),
        Route::Document => Ok(control::document()),
        Route::Metrics => Ok(control::metrics(service)),
        Route::Console => console::page(service, head),
        Route::ConsoleState => console::state(service, head, query).await,
        Route::List => control::list(service, query).await,
        Route::Load => control::load(service, query, headers, &body).await,
        Route::Describe(name) => control::describe(service, &name),
        Route::Unload(name) => control::unload(service, &name).await,
        Route::Scale(name) => control::scale(service, &name, query),
        Route::Invoke(name) => invoke::loaded(service, &name, headers, body).await,
        Route::Invocations => invoke::named_aside(service, query, headers, body).await,
        Route::ExecutionParameters => Ok(control::execution_parameters(service)),
        Route::Endpoint(endpoint) => platform::invocations(service, &endpoint, headers, body).await,
    }
}

/// Runs a future, where it lies, so that its panic ends itself and not the connection's task.
async fn unwinding<F: Future>(mut future: Pin<&mut F>) -> Result<F::Output, Box<dyn Any + Send>> {
    future::poll_fn(|context| {
        // Nothing of the future is used again after it has panicked.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => std::task::Poll::Ready(Err(panic)),
        }
    })
    .await
}

fn panicked(service: &Service, panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
    let story = format!("a request's handler panicked ({} since the start): {text}", service.count_panic());
    Failure::new(Class::Internal, story).reworded(Class::Internal, "Internal failure")
}

/// Counts an answer, and logs it for who wants to see each.
fn count(request: meter::Request<'_>, kind: Kind, reply: &Reply, id: &HeaderValue) {
    let (status, sent_bytes) = (reply.status(), reply.body().size_hint().lower());
    let is_prediction = kind.is_invocation() && status.is_success();
    let duration = request.end(status, is_prediction.then(|| reply::temperature(reply)), sent_bytes);
    debug!(
        request_id = id.to_str().unwrap_or_default(),
        route = kind.name(),
        status = status.as_u16(),
        duration_us = micros(duration),
        sent_bytes,
        "request answered"
    );
}

fn log(failure: &Failure, reply: &Reply, head: &Parts, id: &HeaderValue) {
    let (status, method, path) = (reply.status().as_u16(), head.method.as_str(), head.uri.path());
    let (id, reason) = (id.to_str().unwrap_or_default(), failure.story());
    if failure.is_ours() {
        error!(request_id = id, status, method, path, reason, "request failed");
    } else if method == wire::STAND_IN_METHOD {
        debug!(request_id = id, status, reason, "refused before it was a request");
    } else {
        debug!(request_id = id, status, method, path, reason, "request refused");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_outcome() {
        assert_eq!(unwinding(pin!(async { 7 })).await.unwrap(), 7);
        let panics = pin!(async {
            tokio::task::yield_now().await;
            panic!("as this test wants");
        });
        let panic: Result<(), _> = unwinding(panics).await;
        assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"as this test wants"));
    }
}
