//! What operators are shown: a page, and the state that it asks for again and again. Both only look: no model is touched,
//! and none counts a request.

use http::{
    HeaderName, HeaderValue, Method, StatusCode,
    header::{CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    request::Parts,
};

use crate::{
    configuration::Console,
    failure::{Class, Failure},
    reply::{self, Reply},
    service::Service,
};

mod page;
mod query;
mod rows;
mod state;

use query::Query;
use state::View;

static RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The page.
///
/// # Errors
/// Where the console is not shown.
pub(crate) fn page(service: &Service, head: &Parts) -> Result<Reply, Failure> {
    check(service, head)?;
    let page = page::page(&service.identities.next());
    let mut reply = reply::with_body(StatusCode::OK, HeaderValue::from_static("text/html; charset=utf-8"), page.html);
    reply.headers_mut().insert(CONTENT_SECURITY_POLICY, page.policy);
    Ok(protected(reply))
}

/// What the page shows, as JSON.
///
/// # Errors
/// Where the console is not shown, and for a query that cannot be used.
pub(crate) async fn state(service: &Service, head: &Parts, query: &str) -> Result<Reply, Failure> {
    check(service, head)?;
    let query = Query::of(query)?;
    let view = View::of(service);
    // Thousands of models take milliseconds to sort.
    let json = service.compute.look(move || view.json(&query)).await?;
    let content_type = HeaderValue::from_static("application/json");
    Ok(protected(reply::with_body(StatusCode::OK, content_type, json)))
}

fn check(service: &Service, head: &Parts) -> Result<(), Failure> {
    let console = service.configuration.console;
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    match console {
        Console::Off => Err(Failure::resource_not_found()),
        _ if head.method != Method::GET && head.method != Method::HEAD => Err(Failure::method_not_allowed()),
        _ if console.answers(host) => Ok(()),
        _ => Err(Failure::new(
            Class::ResourceNotFound,
            "The console is shown under the names and addresses of loopback only; --console on shows it everywhere.",
        )),
    }
}

/// For browsers: no other site reads it, and its type is what it says.
fn protected(mut reply: Reply) -> Reply {
    let headers = reply.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(&RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    reply
}
