//! Which handler a method and a path lead to.

use std::borrow::Cow;

use http::Method;
use memchr::memchr;

use crate::{
    failure::{Class, Failure},
    uri,
};

mod kind;

pub(crate) use kind::Kind;

/// What a request asks for; names are decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// Whether the server lives.
    Ping,
    /// Whether requests should be sent here.
    Ready,
    /// What there is to ask for.
    Document,
    /// Numbers for whoever watches.
    Metrics,
    /// The page for operators.
    Console,
    /// What that page shows.
    ConsoleState,
    /// Every loaded model.
    List,
    /// Load a model.
    Load,
    /// One loaded model.
    Describe(Cow<'a, str>),
    /// Unload a model.
    Unload(Cow<'a, str>),
    /// Change a model's workers, of which there are none to change.
    Scale(Cow<'a, str>),
    /// Predict with the model of that name.
    Invoke(Cow<'a, str>),
    /// Predict with the model that a parameter or a header names.
    Invocations,
    /// What batch transform should send.
    ExecutionParameters,
    /// Predict as a client of the platform.
    Endpoint(Cow<'a, str>),
}

impl<'a> Route<'a> {
    /// The route of `method` and `path`, split before it is decoded: a name may hold any character. Platform routes
    /// exist only where thicket is the `platform`.
    ///
    /// # Errors
    /// With what AWS's front end says to unknown paths and methods.
    pub(crate) fn of(method: &Method, path: &'a str, platform: bool) -> Result<Self, Failure> {
        // What is asked for most needs no more than a look at both ends.
        let name = path.strip_prefix("/models/").and_then(|rest| rest.strip_suffix("/invoke"));
        match name.filter(|name| !name.is_empty() && memchr(b'/', name.as_bytes()).is_none()) {
            Some(name) => Ok(Self::invoke(method, decoded(name)?)),
            None => Self::by_segments(method, path, platform),
        }
    }

    /// [`of`](Self::of) of any path.
    fn by_segments(method: &Method, path: &'a str, platform: bool) -> Result<Self, Failure> {
        let mut segments = path.strip_prefix('/').unwrap_or(path).trim_end_matches('/').split('/');
        let parts = [segments.next(), segments.next(), segments.next(), segments.next()];
        match parts {
            [Some("ping"), None, ..] => Ok(Self::Ping),
            [Some("ready"), None, ..] => Ok(Self::Ready),
            [Some("metrics"), None, ..] => match *method {
                Method::GET | Method::HEAD => Ok(Self::Metrics),
                _ => Err(Failure::method_not_allowed()),
            },
            [Some("console"), None, ..] => Ok(Self::Console),
            [Some("console"), Some("state"), None, _] => Ok(Self::ConsoleState),
            [Some("models"), None, ..] => Self::models(method),
            [Some("models"), Some(name), None, _] => Self::model(method, decoded(name)?),
            [Some("models"), Some(name), Some("invoke"), None] | [Some("predictions"), Some(name), None, _] => {
                Ok(Self::invoke(method, decoded(name)?))
            }
            [Some("invocations"), None, ..] => Ok(Self::Invocations),
            [Some("execution-parameters"), None, ..] => Self::execution_parameters(method),
            [Some("endpoints"), Some(name), Some("invocations"), None] if platform => match *method {
                Method::POST => Ok(Self::Endpoint(decoded(name)?)),
                _ => Err(Failure::method_not_allowed()),
            },
            [Some(name), Some("predict"), None, _] => Ok(Self::invoke(method, decoded(name)?)),
            [Some("api-description"), None, ..] => Ok(Self::Document),
            [Some(""), None, ..] if *method == Method::OPTIONS => Ok(Self::Document),
            [Some(""), None, ..] => Err(Failure::method_not_allowed()),
            _ => Err(Failure::resource_not_found()),
        }
    }

    /// What is counted together with this route.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Ping => Kind::Ping,
            Self::Ready => Kind::Ready,
            Self::Metrics => Kind::Metrics,
            Self::Console | Self::ConsoleState => Kind::Console,
            Self::Document | Self::List | Self::Describe(_) | Self::Scale(_) | Self::ExecutionParameters => {
                Kind::Control
            }
            Self::Load => Kind::Load,
            Self::Unload(_) => Kind::Unload,
            Self::Invoke(_) | Self::Invocations => Kind::Invoke,
            Self::Endpoint(_) => Kind::Endpoint,
        }
    }

    /// Refuses what a server of one model does not have.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) fn check_for_one_model(&self, method: &Method) -> Result<(), Failure> {
        match self {
            Self::List
            | Self::Load
            | Self::Describe(_)
            | Self::Unload(_)
            | Self::Scale(_)
            | Self::Invoke(_)
            | Self::Endpoint(_) => Err(Failure::resource_not_found()),
            Self::Invocations if *method != Method::POST => Err(Failure::method_not_allowed()),
            _ => Ok(()),
        }
    }

    fn models(method: &Method) -> Result<Self, Failure> {
        match *method {
            Method::GET => Ok(Self::List),
            Method::POST => Ok(Self::Load),
            _ => Err(Failure::method_not_allowed()),
        }
    }

    fn model(method: &Method, name: Cow<'a, str>) -> Result<Self, Failure> {
        match *method {
            Method::GET => Ok(Self::Describe(name)),
            Method::DELETE => Ok(Self::Unload(name)),
            Method::PUT => Ok(Self::Scale(name)),
            _ => Err(Failure::method_not_allowed()),
        }
    }

    /// Any method predicts but the one that asks how.
    fn invoke(method: &Method, name: Cow<'a, str>) -> Self {
        if *method == Method::OPTIONS { Self::Document } else { Self::Invoke(name) }
    }

    fn execution_parameters(method: &Method) -> Result<Self, Failure> {
        let message = "No implementation found .. Default implementation invoked";
        match *method {
            Method::GET => Ok(Self::ExecutionParameters),
            _ => Err(Failure::new(Class::NotImplemented, message)),
        }
    }
}

fn decoded(segment: &str) -> Result<Cow<'_, str>, Failure> {
    uri::decode(segment).ok_or_else(|| {
        Failure::new(
            Class::BadRequest,
            format!("'{segment}' in the path cannot be decoded, expected percent-encoded UTF-8"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &Route<'_>) {
        let (method, path) = line.split_once(' ').unwrap();
        assert_eq!(Route::of(&method.parse().unwrap(), path, true).unwrap(), *expected, "{line}");
    }

    fn check_refused(line: &str, expected: Class) {
        let (method, path) = line.split_once(' ').unwrap();
        assert_eq!(Route::of(&method.parse().unwrap(), path, false).unwrap_err().class(), expected, "{line}");
    }

    #[test]
    fn routes_are_those_of_the_container_and_its_aliases() {
        check("GET /ping", &Route::Ping);
        check("POST /ping", &Route::Ping);
        check("GET /ready", &Route::Ready);
        check("GET /metrics", &Route::Metrics);
        check("GET /console", &Route::Console);
        check("GET /console/state", &Route::ConsoleState);
        check("GET /models", &Route::List);
        check("POST /models/", &Route::Load);
        check("GET /models/reg", &Route::Describe("reg".into()));
        check("DELETE /models/reg", &Route::Unload("reg".into()));
        check("PUT /models/reg", &Route::Scale("reg".into()));
        for line in ["POST /models/reg/invoke", "PUT /models/reg/invoke", "POST /predictions/reg", "POST /reg/predict"]
        {
            check(line, &Route::Invoke("reg".into()));
        }
        for line in ["OPTIONS /", "GET /api-description", "OPTIONS /models/reg/invoke", "OPTIONS /predictions/reg"] {
            check(line, &Route::Document);
        }
        check("GET /invocations", &Route::Invocations);
        check("GET /execution-parameters", &Route::ExecutionParameters);
        check("POST /endpoints/any/invocations", &Route::Endpoint("any".into()));
    }

    #[test]
    fn the_short_way_to_a_model_leads_where_the_long_one_does() {
        for method in [Method::POST, Method::GET, Method::OPTIONS] {
            for name in ["reg", "a%20b", "%2F", "%", "ping", "", "a/b", "/", "invoke", "models"] {
                for path in [format!("/models/{name}/invoke"), format!("/models/{name}/invoke/")] {
                    let class = |route: Result<_, Failure>| route.map_err(|failure| failure.class());
                    let long = class(Route::by_segments(&method, &path, true));
                    assert_eq!(class(Route::of(&method, &path, true)), long, "{method} {path}");
                }
            }
        }
    }

    #[test]
    fn names_are_split_before_they_are_decoded() {
        check("POST /models/NY%2Fa%20b.tar.gz/invoke", &Route::Invoke("NY/a b.tar.gz".into()));
        check("GET /models/a+b", &Route::Describe("a+b".into()));
        check_refused("GET /models/a%2", Class::BadRequest);
        for name in ["ping", "ready", "metrics", "console"] {
            check(&format!("POST /{name}/predict"), &Route::Invoke(name.into()));
            check(&format!("POST /models/{name}/invoke"), &Route::Invoke(name.into()));
        }
    }

    #[test]
    fn other_methods_and_paths_are_refused() {
        for line in ["PUT /models", "PATCH /models", "DELETE /models", "POST /models/x", "GET /"] {
            check_refused(line, Class::MethodNotAllowed);
        }
        for line in
            ["GET /nosuch", "POST /models/reg/foo", "POST /models/reg/invoke/x", "GET /predictions", "GET /pings"]
        {
            check_refused(line, Class::ResourceNotFound);
        }
        check_refused("POST /execution-parameters", Class::NotImplemented);
    }

    #[test]
    fn the_platforms_routes_exist_in_stand_alone_mode_only() {
        check_refused("POST /endpoints/any/invocations", Class::ResourceNotFound);
        let refused = Route::of(&Method::GET, "/endpoints/any/invocations", true).unwrap_err();
        assert_eq!(refused.class(), Class::MethodNotAllowed);
    }

    #[test]
    fn a_server_of_one_model_has_no_names() {
        let check = |line: &str| {
            let (method, path) = line.split_once(' ').unwrap();
            let method = method.parse().unwrap();
            Route::of(&method, path, false).unwrap().check_for_one_model(&method).map_err(|failure| failure.class())
        };
        for line in ["GET /ping", "POST /invocations", "GET /execution-parameters"] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
        for line in ["GET /models", "POST /models", "DELETE /models/a", "POST /models/a/invoke", "POST /a/predict"] {
            assert_eq!(check(line), Err(Class::ResourceNotFound), "{line}");
        }
        assert_eq!(check("GET /invocations"), Err(Class::MethodNotAllowed));
    }
}
