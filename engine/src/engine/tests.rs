//! A converter that errs, from the artifact to the answer: the original is served, and the reason is told everywhere.

use std::{
    fs, io, mem,
    sync::{Arc, Mutex},
};

use ndarray::array;
use thicket_converters::{Booster, onnx};
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::{Libraries, Output, offline, sample::LINE};

/// What was logged.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// A runtime on whose threads everything is logged to `log`.
fn runtime(log: &Log) -> tokio::runtime::Runtime {
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    let dispatch = tracing::Dispatch::new(subscriber);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    // The log is the thread's for as long as it lives, and the guard would end that here.
    builder.on_thread_start(move || mem::forget(tracing::dispatcher::set_default(&dispatch)));
    builder.worker_threads(1).enable_time().build().unwrap()
}

fn libraries() -> Libraries {
    Libraries::find(None, None, &[concat!(env!("CARGO_MANIFEST_DIR"), "/../runtimes").into()])
}

/// Lowers as it should, but for one bit of a weight.
fn lower_with_a_fault(booster: &Booster) -> thicket_converters::Result<onnx::ModelProto> {
    let mut model = onnx::lower(booster)?;
    let weights = model.graph.as_mut().and_then(|graph| graph.initializer.last_mut()).unwrap();
    weights.raw_data[0] ^= 1;
    Ok(model)
}

#[test]
fn a_converter_that_errs_is_not_believed() {
    let (folder, log) = (tempfile::tempdir().unwrap(), Log::default());
    let runtime = runtime(&log);
    let builder = Engine::builder().cache_dir(folder.path().join("cache")).libraries(libraries());
    let engine = builder.runtime(runtime.handle().clone()).lower(lower_with_a_fault).build().unwrap();
    let path = folder.path().join("xgboost-model");
    fs::write(&path, LINE).unwrap();

    runtime.block_on(engine.load("m", &path)).unwrap();
    let model = engine.loaded("m").unwrap();
    assert_eq!(model.runtime(), crate::Runtime::Xgboost);
    assert_eq!(model.predict(array![[3.0, 1.0]].view(), Output::Value).unwrap().values, [5.5]);

    let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for part in ["a booster is left to XGBoost's library", "the pack does not verify: on probe row"] {
        assert!(told.contains(part), "{told} lacks {part:?}");
    }
    let expected =
        Counts { loads: 1, conversions: 1, verification_failures: 1, xgboost_fallbacks: 1, ..Counts::default() };
    assert_eq!(engine.counts(), expected);

    let shown = offline::inspect_with(&path, &engine.0.converter).unwrap().to_string();
    for part in ["served by:      XGBoost's library", "because:        the pack does not verify: on probe row"] {
        assert!(shown.contains(part), "{shown} lacks {part:?}");
    }
}

#[test]
fn a_converter_that_is_right_is() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = runtime(&Log::default());
    let builder = Engine::builder().cache_dir(folder.path().join("cache")).runtime(runtime.handle().clone());
    let engine = builder.build().unwrap();
    let path = folder.path().join("xgboost-model");
    fs::write(&path, LINE).unwrap();
    runtime.block_on(engine.load("m", &path)).unwrap();
    let model = engine.loaded("m").unwrap();
    assert_eq!(model.runtime(), crate::Runtime::Forest);
    assert_eq!(model.predict(array![[3.0, 1.0]].view(), Output::Value).unwrap().values, [5.5]);
    assert_eq!(engine.counts(), Counts { loads: 1, conversions: 1, ..Counts::default() });
}
