//! Options, variables and defaults against an environment made for each test.

use clap::Parser;
use thicket_engine::BestIteration;

use super::*;
use crate::{
    arguments::{Arguments, Command},
    libsvm::FirstIndex,
};

type Variables<'a> = &'a [(&'a str, &'a str)];

fn resolve(serve: &Serve, variables: Variables<'_>) -> Result<Configuration> {
    let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Configuration::resolve(serve, &lookup)
}

fn check_refused(serve: &Serve, variables: Variables<'_>, message: &str) {
    let error = resolve(serve, variables).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Usage, message));
}

/// The options of a command line.
fn options(line: &str) -> Serve {
    let words = ["thicket", "serve"].into_iter().chain(line.split_whitespace());
    match Arguments::try_parse_from(words).unwrap().command {
        Command::Serve(options) => *options,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_said_is_a_container() {
    let configuration = resolve(&Serve::default(), &[]).unwrap();
    assert_eq!(configuration.mode, Mode::Container);
    assert_eq!((configuration.host.as_str(), configuration.port), ("0.0.0.0", 8080));
    assert_eq!((configuration.body_bytes_max, configuration.model_bytes_max), (6_291_456, 256 << 20));
    assert_eq!((configuration.load_wait, configuration.grace), (Duration::from_mins(1), Duration::from_secs(25)));
    assert_eq!((configuration.log, configuration.log_level), (LogForm::Text, LevelFilter::INFO));
    assert_eq!((configuration.memory_limit_bytes, configuration.style.batch), (None, false));
    assert_eq!(configuration.accept_default.form, encode::Form::Json);
    assert!(configuration.workers >= 1);
}

#[test]
fn models_make_it_stand_alone() {
    let models = Mode::StandAlone { models: "s3://bucket/prefix".to_owned() };
    let flag = options("--models s3://bucket/prefix");
    let configuration = resolve(&flag, &[("SAGEMAKER_MULTI_MODEL", "true")]).unwrap();
    assert_eq!((&configuration.mode, configuration.host.as_str()), (&models, "127.0.0.1"));
    let configuration = resolve(&Serve::default(), &[("THICKET_MODELS", "s3://bucket/prefix")]).unwrap();
    assert_eq!(configuration.mode, models);
    assert_eq!(resolve(&Serve::default(), &[("THICKET_MODELS", "")]).unwrap().mode, Mode::Container);
}

#[test]
fn the_mode_is_what_somebody_asked_for() {
    let single = |model: &str| Mode::SingleModel { model: model.into() };
    let check = |line: &str, variables: Variables<'_>, has_model_dir, expected: &Mode, because: &str| {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let found = Configuration::resolve_beside(&options(line), &lookup, has_model_dir).unwrap();
        assert_eq!((&found.mode, found.because), (expected, because));
        let is_contained = line.is_empty();
        assert_eq!(found.host, if is_contained { "0.0.0.0" } else { "127.0.0.1" });
        assert_eq!(found.cache_dir == Path::new("/tmp/thicket"), is_contained);
    };
    let (multi, one) = (("SAGEMAKER_MULTI_MODEL", "false"), ("SM_MODEL_DIR", "/srv/model"));
    let alone = Mode::StandAlone { models: "/srv".to_owned() };
    check("--models /srv", &[multi, one], true, &alone, "--models names a source");
    check("--model /srv/a", &[multi, one], true, &single("/srv/a"), "--model names a model");
    check("", &[multi, one], true, &Mode::Container, "SAGEMAKER_MULTI_MODEL is set");
    let because = "SM_MODEL_DIR is set and SAGEMAKER_MULTI_MODEL is not";
    check("", &[("SAGEMAKER_MULTI_MODEL", ""), one], true, &single("/srv/model"), because);
    let because = "/opt/ml/model is there and SAGEMAKER_MULTI_MODEL is not set";
    check("", &[], true, &single("/opt/ml/model"), because);
    check("", &[], false, &Mode::Container, "nothing names a model");
    let message = "--models: '/a' beside --model: '/b' cannot be used, expected one of them";
    check_refused(&options("--models /a --model /b"), &[], message);
}

#[test]
fn a_server_of_one_model_has_its_own_defaults() {
    let model = ("THICKET_MODEL", "/srv/model");
    let output = ("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label, Probability");
    let configuration = resolve(&Serve::default(), &[model, output]).unwrap();
    let accept = &configuration.accept_default;
    assert_eq!((accept.form, accept.content_type.to_str().unwrap()), (encode::Form::Csv, "text/csv; charset=utf-8"));
    assert_eq!(configuration.selection, Some(Selection::parse("predicted_label,probability")));
    let accept = ("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/jsonlines");
    assert_eq!(resolve(&Serve::default(), &[model, accept]).unwrap().accept_default.form, encode::Form::JsonLines);
    assert_eq!(resolve(&Serve::default(), &[output]).unwrap().selection, None, "many models select nothing");
}

#[test]
fn options_win_over_variables_and_ours_over_sagemakers() {
    let sagemaker = ("SAGEMAKER_BIND_TO_PORT", "9000");
    let port = |serve: &Serve, variables: Variables<'_>| resolve(serve, variables).unwrap().port;
    assert_eq!(port(&Serve::default(), &[sagemaker]), 9000);
    assert_eq!(port(&Serve::default(), &[("THICKET_PORT", "9001"), sagemaker]), 9001);
    assert_eq!(port(&options("--port 0"), &[("THICKET_PORT", "9001"), sagemaker]), 0);
}

#[test]
fn the_largest_body_follows_sagemakers_rules() {
    let bytes = |variables: Variables<'_>| resolve(&Serve::default(), variables).unwrap().body_bytes_max;
    assert_eq!(bytes(&[("MAX_CONTENT_LENGTH", "10000000")]), 10_000_000);
    assert_eq!(bytes(&[("MAX_CONTENT_LENGTH", "30000000")]), 20_971_520);
    assert_eq!(bytes(&[("MAX_CONTENT_LENGTH", "1"), ("SAGEMAKER_MAX_REQUEST_SIZE", "30000000")]), 30_000_000);
    assert_eq!(bytes(&[("THICKET_BODY_MAX", "1K"), ("SAGEMAKER_MAX_REQUEST_SIZE", "30000000")]), 1024);
}

#[test]
fn sagemaker_says_what_is_written() {
    let variables = [("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv"), ("SAGEMAKER_BATCH", "false")];
    let configuration = resolve(&Serve::default(), &variables).unwrap();
    assert_eq!((configuration.accept_default.form, configuration.style.batch), (encode::Form::Csv, true));
}

#[test]
fn values_that_cannot_be_used_are_named() {
    let none = Serve::default;
    let port = "expected a port from 0 to 65535";
    check_refused(&options("--port http"), &[], &format!("--port: 'http' cannot be used, {port}"));
    let sagemaker = [("SAGEMAKER_BIND_TO_PORT", "70000")];
    check_refused(&none(), &sagemaker, &format!("SAGEMAKER_BIND_TO_PORT: '70000' cannot be used, {port}"));
    let memory = "--memory-limit: '0' cannot be used, expected a size above 0, such as 512MiB or 2G";
    check_refused(&options("--memory-limit 0"), &[], memory);
    let workers = "--workers: '0' cannot be used, expected a number from 1 to 1024";
    check_refused(&options("--workers 0"), &[], workers);
    for seconds in ["-1", "nan", "inf", "1e9", "soon"] {
        let message = format!("THICKET_GRACE: '{seconds}' cannot be used, expected seconds from 0 to 86400");
        check_refused(&none(), &[("THICKET_GRACE", seconds)], &message);
    }
    let log = "--log: 'xml' cannot be used, expected text or json";
    check_refused(&options("--log xml"), &[], log);
    let level = "--log-level: '3' cannot be used, expected error, warn, info, debug, trace or off";
    check_refused(&options("--log-level 3"), &[], level);
    let accept = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: 'text/html' cannot be used, expected application/json, text/csv, \
                  application/jsonlines or application/x-recordio-protobuf";
    check_refused(&none(), &[("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/html")], accept);
}

#[test]
fn limits_are_options_and_variables() {
    assert_eq!(resolve(&Serve::default(), &[]).unwrap().limits, Limits::default());
    let limits = resolve(&options("--head-timeout 0.5 --chunks-max 7"), &[("THICKET_HEAD_MAX", "1K")]).unwrap().limits;
    let expected =
        Limits { head_arrival: Duration::from_millis(500), chunks_max: 7, head_bytes_max: 1024, ..Limits::default() };
    assert_eq!(limits, expected);
    for seconds in ["0", "-1", "nan", "inf", "soon"] {
        let message = format!("--idle-timeout: '{seconds}' cannot be used, expected seconds above 0, up to 86400");
        check_refused(&options(&format!("--idle-timeout={seconds}")), &[], &message);
    }
    let head = "THICKET_HEAD_MAX: '1M' cannot be used, expected a size from 256 to 262144 bytes";
    check_refused(&Serve::default(), &[("THICKET_HEAD_MAX", "1M")], head);
    let headers = "--headers-max: '0' cannot be used, expected a number from 1 to 10000";
    check_refused(&options("--headers-max 0"), &[], headers);
}

#[test]
fn metrics_need_a_namespace_that_cloudwatch_takes() {
    assert_eq!(resolve(&Serve::default(), &[]).unwrap().emf, None);
    assert_eq!(resolve(&options("--emf houses/thicket"), &[]).unwrap().emf.as_deref(), Some("houses/thicket"));
    for namespace in ["AWS/SageMaker", "a b", &"a".repeat(256)] {
        let expected = "expected a namespace of 1 to 255 letters, digits and any of . - _ / # :, but not AWS's own";
        let message = format!("THICKET_EMF: '{namespace}' cannot be used, {expected}");
        check_refused(&Serve::default(), &[("THICKET_EMF", namespace)], &message);
    }
}

#[test]
fn ensembles_are_averaged_unless_something_else_is_said() {
    let ensemble = |serve: &Serve, variables: Variables<'_>| resolve(serve, variables).unwrap().reading.ensemble;
    assert!(ensemble(&Serve::default(), &[]));
    for (text, expected) in [("true", true), ("", true), ("True", false), ("false", false), ("0", false)] {
        assert_eq!(ensemble(&Serve::default(), &[("SAGEMAKER_INFERENCE_ENSEMBLE", text)]), expected, "{text}");
    }
    let sagemaker = ("SAGEMAKER_INFERENCE_ENSEMBLE", "false");
    assert!(ensemble(&Serve::default(), &[("THICKET_ENSEMBLE", "true"), sagemaker]));
    assert!(!ensemble(&options("--ensemble false"), &[("THICKET_ENSEMBLE", "true")]));
    let message = "THICKET_ENSEMBLE: 'maybe' cannot be used, expected true or false";
    check_refused(&Serve::default(), &[("THICKET_ENSEMBLE", "maybe")], message);
}

#[test]
fn early_stopping_cuts_as_today_unless_something_else_is_said() {
    let rule = |serve: &Serve, variables: Variables<'_>| resolve(serve, variables).unwrap().reading.best_iteration;
    let legacy = ("THICKET_BEST_ITERATION", "legacy");
    assert_eq!(rule(&Serve::default(), &[]), BestIteration::AsToday);
    assert_eq!(rule(&Serve::default(), &[legacy]), BestIteration::Legacy);
    assert_eq!(rule(&options("--best-iteration today"), &[legacy]), BestIteration::AsToday);
    let message = "--best-iteration: '1.7' cannot be used, expected today or legacy";
    check_refused(&options("--best-iteration 1.7"), &[], message);
}

#[test]
fn aws_is_followed_to_the_letter_only_when_asked_to() {
    let compat = |serve: &Serve, variables: Variables<'_>| resolve(serve, variables).unwrap().compat;
    let strict = ("THICKET_COMPAT", "strict");
    assert_eq!(compat(&Serve::default(), &[]), Compat::Intended);
    assert_eq!(compat(&Serve::default(), &[strict]), Compat::Strict);
    assert_eq!(compat(&options("--compat intended"), &[strict]), Compat::Intended);
    let message = "THICKET_COMPAT: 'aws' cannot be used, expected intended or strict";
    check_refused(&Serve::default(), &[("THICKET_COMPAT", "aws")], message);
}

#[test]
fn libsvm_counts_from_0_unless_something_else_is_said() {
    let rule = |serve: &Serve, variables: Variables<'_>| resolve(serve, variables).unwrap().rows.libsvm_index;
    let auto = ("THICKET_LIBSVM_INDEX", "auto");
    assert_eq!(rule(&Serve::default(), &[]), FirstIndex::Zero);
    assert_eq!(rule(&Serve::default(), &[auto]), FirstIndex::Auto);
    assert_eq!(rule(&options("--libsvm-index zero"), &[auto]), FirstIndex::Zero);
    let message = "--libsvm-index: '1' cannot be used, expected zero or auto";
    check_refused(&options("--libsvm-index 1"), &[], message);
}

#[test]
fn the_users_python_is_refused() {
    let message = "SAGEMAKER_PROGRAM: 'inference.py' asks for the user's own Python, expected no such variable: thicket runs no Python";
    check_refused(&Serve::default(), &[("SAGEMAKER_PROGRAM", "inference.py")], message);
    assert!(resolve(&Serve::default(), &[("SAGEMAKER_SUBMIT_DIRECTORY", "s3://b/x.tar.gz")]).is_err());
    assert!(resolve(&Serve::default(), &[("SAGEMAKER_PROGRAM", "")]).is_ok());
}

#[test]
fn the_console_is_this_machines_own_unless_somebody_says_otherwise() {
    let check = |line: &str, variables: Variables<'_>, expected| {
        assert_eq!(resolve(&options(line), variables).unwrap().console, expected, "{line} {variables:?}");
    };
    check("--models /srv", &[], Console::Loopback);
    check("--models /srv --host localhost", &[], Console::Loopback);
    check("--models /srv --host ::1", &[], Console::Loopback);
    check("--models /srv --host 0.0.0.0", &[], Console::Off);
    check("", &[], Console::Off);
    check("", &[("THICKET_CONSOLE", "on")], Console::Everybody);
    check("--models /srv --console off", &[("THICKET_CONSOLE", "on")], Console::Off);
    check_refused(&options("--console yes"), &[], "--console: 'yes' cannot be used, expected on or off");
}

#[test]
fn changes_are_looked_for_once_a_minute_unless_something_else_is_said() {
    let freshness = |serve: &Serve, variables: Variables<'_>| resolve(serve, variables).unwrap().freshness;
    let minute = Duration::from_mins(1);
    let default = Freshness { refresh: Some(minute), deleted_grace: minute, cache_bytes_max: None };
    assert_eq!(freshness(&Serve::default(), &[]), default);
    let variables = [("THICKET_REFRESH", "0"), ("THICKET_DELETED_GRACE", "0.5"), ("THICKET_CACHE_LIMIT", "2G")];
    let set = Freshness { refresh: None, deleted_grace: Duration::from_millis(500), cache_bytes_max: Some(2 << 30) };
    assert_eq!(freshness(&Serve::default(), &variables), set);
    let line = options("--refresh 60 --deleted-grace 60 --cache-limit 1MiB");
    assert_eq!(freshness(&line, &variables), Freshness { cache_bytes_max: Some(1 << 20), ..default });
    let message = "--cache-limit: '0' cannot be used, expected a size above 0, such as 20GiB";
    check_refused(&options("--cache-limit 0"), &[], message);
    check_refused(
        &options("--refresh soon"),
        &[],
        "--refresh: 'soon' cannot be used, expected seconds from 0 to 86400",
    );
}
