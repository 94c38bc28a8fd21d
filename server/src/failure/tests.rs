//! Answers byte for byte.

use http_body_util::BodyExt;
use serde_json::json;

use super::*;

fn body(reply: Reply) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let collected = runtime.block_on(reply.into_body().collect()).unwrap();
    String::from_utf8(collected.to_bytes().to_vec()).unwrap()
}

fn engine(kind: EngineErrorKind) -> thicket_engine::Error {
    thicket_engine::Error::caused(kind, "cannot read /var/secret/m", std::io::Error::other("offset 7: bad"))
}

fn check_container(failure: &Failure, status: u16, expected: &str) {
    let reply = failure.to_container(Compat::Intended);
    assert_eq!(reply.status(), status);
    assert_eq!(body(reply), expected);
}

fn check_platform(failure: &Failure, status: u16, error_type: &str) -> serde_json::Value {
    let reply = failure.to_platform(Compat::Intended);
    assert_eq!((reply.status().as_u16(), &reply.headers()["x-amzn-errortype"]), (status, &error_type.parse().unwrap()));
    serde_json::from_str(&body(reply)).unwrap()
}

#[test]
fn the_container_answers_as_aws_does() {
    let not_found =
        "{\n  \"code\": 404,\n  \"type\": \"ModelNotFoundException\",\n  \"message\": \"Model not found: nope\"\n}\n";
    check_container(&Failure::model_not_found("nope"), 404, not_found);
    check_container(&Failure::engine(&engine(EngineErrorKind::NotLoaded), "nope", ""), 404, not_found);
    let conflict = "{\n  \"code\": 409,\n  \"type\": \"ConflictStatusException\",\n  \"message\": \"Model reg is already registered.\"\n}\n";
    check_container(&Failure::engine(&engine(EngineErrorKind::AlreadyLoaded), "reg", ""), 409, conflict);
    let too_large =
        "{\n  \"code\": 413,\n  \"type\": \"RequestEntityTooLargeException\",\n  \"message\": \"too large\"\n}\n";
    check_container(&Failure::new(Class::TooLarge, "too large"), 413, too_large);
    check_container(&Failure::new(Class::EmptyBody, "empty"), 204, "");
}

#[test]
fn to_the_letter_every_unusable_request_is_aws_503() {
    let strict = |class| Failure::new(class, "why").to_container(Compat::Strict);
    let failed =
        "{\n  \"code\": 503,\n  \"type\": \"InternalServerException\",\n  \"message\": \"Prediction failed\"\n}\n";
    for class in [Class::BadPayload, Class::EmptyBody, Class::NotAcceptable, Class::UnsupportedMediaType] {
        let reply = strict(class);
        assert_eq!((reply.status().as_u16(), body(reply).as_str()), (503, failed), "{class:?}");
        assert!(!Failure::new(class, "why").is_ours(), "{class:?}: the log still says that it is the client's");
    }
    let too_large = strict(Class::TooLarge);
    assert_eq!((too_large.status().as_u16(), body(too_large).as_str()), (413, ""));
    assert_eq!(strict(Class::BadRequest).status(), 400);
    assert_eq!(strict(Class::LoadFailed).status(), 500);
    let platform = Failure::new(Class::BadPayload, "why").to_platform(Compat::Strict);
    assert_eq!(platform.status(), 424);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&body(platform)).unwrap()["OriginalStatusCode"], 503);
}

#[test]
fn the_client_does_not_see_this_machines_paths_and_the_log_does() {
    for kind in [
        EngineErrorKind::NotFound,
        EngineErrorKind::InvalidInput,
        EngineErrorKind::InvalidArtifact,
        EngineErrorKind::LibraryMissing,
        EngineErrorKind::OutOfMemory,
        EngineErrorKind::SourceUnavailable,
        EngineErrorKind::SourceUnreachable,
        EngineErrorKind::Io,
        EngineErrorKind::Internal,
    ] {
        let failure = Failure::engine(&engine(kind), "m", "/opt/m");
        assert_eq!(failure.story(), "cannot read /var/secret/m: offset 7: bad", "{kind:?}");
        assert!(!body(failure.to_container(Compat::Intended)).contains("secret"), "{kind:?}");
        assert!(!body(failure.to_platform(Compat::Intended)).contains("secret"), "{kind:?}");
    }
}

#[test]
fn a_clients_mistake_is_not_ours_whatever_its_status() {
    for class in [Class::JsonSyntax, Class::NotImplemented, Class::VersionNotSupported, Class::BadRequest] {
        assert!(!Failure::new(class, "why").is_ours(), "{class:?}");
    }
    for class in [Class::Internal, Class::LoadFailed, Class::OutOfMemory, Class::Busy] {
        assert!(Failure::new(class, "why").is_ours(), "{class:?}");
    }
}

#[test]
fn damaged_artifacts_and_lack_of_memory_are_told_apart() {
    let damaged = Failure::engine(&engine(EngineErrorKind::InvalidArtifact), "m", "");
    let text = "Unable to load model: cannot read <path>: offset 7: bad";
    let envelope =
        format!("{{\n  \"code\": 500,\n  \"type\": \"InternalServerException\",\n  \"message\": \"{text}\"\n}}\n");
    check_container(&damaged, 500, &envelope);
    assert_eq!(
        Failure::engine(&engine(EngineErrorKind::OutOfMemory), "m", "").to_container(Compat::Intended).status(),
        507
    );
}

#[test]
fn what_the_models_container_says_travels_inside_a_model_error() {
    let rows = Error::new(ErrorKind::InvalidRows, "row 1, column 1: could not convert string to float: 'a'");
    let failure = Failure::input(&rows);
    let original = body(failure.to_container(Compat::Intended));
    let message = format!("Received client error (415) from model with message \"{original}\".");
    let expected = json!({
        "ErrorCode": "CLIENT_ERROR_FROM_MODEL", "LogStreamArn": "", "Message": message,
        "OriginalMessage": original, "OriginalStatusCode": 415,
    });
    assert_eq!(check_platform(&failure, 424, "ModelError"), expected);
    let damaged = Failure::engine(&engine(EngineErrorKind::InvalidArtifact), "m", "");
    let expected = json!(500);
    assert_eq!(check_platform(&damaged, 424, "ModelError")["OriginalStatusCode"], expected);
}

#[test]
fn the_platforms_own_errors_are_boto3s_classes() {
    let validation = Failure::new(Class::Validation, "no");
    assert_eq!(check_platform(&validation, 400, "ValidationError"), json!({ "Message": "no" }));
    let too_large = Failure::new(Class::TooLarge, "too large").to_platform(Compat::Intended);
    assert_eq!((too_large.status().as_u16(), too_large.headers().get("x-amzn-errortype")), (413, None));
    assert_eq!(body(too_large), r#"{"Message":"too large"}"#);
    check_platform(&Failure::new(Class::NotReady, "wait"), 429, "ModelNotReadyException");
    check_platform(&Failure::new(Class::Internal, "oh"), 500, "InternalFailure");
    check_platform(&Failure::engine(&engine(EngineErrorKind::OutOfMemory), "m", ""), 503, "ServiceUnavailable");
    check_platform(&Failure::engine(&engine(EngineErrorKind::SourceUnavailable), "m", ""), 503, "ServiceUnavailable");
}

#[test]
fn who_is_told_to_come_back_is_told_when() {
    let after = |reply: Reply| reply.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let all = |failure: &Failure| {
        let container = [Compat::Intended, Compat::Strict].map(|compat| after(failure.to_container(compat)));
        let platform = after(failure.to_platform(Compat::Intended));
        assert!(container.iter().all(|found| *found == platform) && after(failure.to_single_model()) == platform);
        platform
    };
    let down = |pause_ms| engine(EngineErrorKind::SourceUnavailable).until(Duration::from_millis(pause_ms));
    for (pause_ms, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (3500, "4")] {
        assert_eq!(all(&Failure::engine(&down(pause_ms), "m", "")).as_deref(), Some(seconds), "{pause_ms}");
    }
    for class in [Class::Busy, Class::NotReady] {
        assert_eq!(all(&Failure::new(class, "later")).as_deref(), Some("1"));
    }
    let broken = engine(EngineErrorKind::InvalidArtifact).until(Duration::from_mins(1));
    for failure in [Failure::engine(&broken, "m", ""), Failure::new(Class::BadPayload, "no number")] {
        assert_eq!(all(&failure), None, "{failure:?}");
    }
}
