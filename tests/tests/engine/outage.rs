//! A source that does not answer, models that are broken or missing, and what requests for them cost.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use thicket_engine::{
    Engine, Error, ErrorKind,
    source::{self, Answer, Fetched, Listed, Source, Version},
};
use thicket_tests::{houses, prefix};

use crate::setting::check;

/// A directory that answers when it is told to, and counts how often it is asked.
#[derive(Debug)]
struct Moody {
    inner: Arc<dyn Source>,
    is_down: AtomicBool,
    questions: AtomicUsize,
}

impl Moody {
    async fn open(path: &Path) -> Arc<Self> {
        let inner = source::open(path.to_str().unwrap()).await.unwrap();
        Arc::new(Self { inner, is_down: AtomicBool::new(false), questions: AtomicUsize::new(0) })
    }

    fn ask<'a, T>(&'a self, answer: Answer<'a, T>) -> Answer<'a, T> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        if self.is_down.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Error::new(ErrorKind::SourceUnavailable, "the store is down")) });
        }
        answer
    }
}

impl Source for Moody {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn version<'a>(&'a self, name: &'a str) -> Answer<'a, Version> {
        self.ask(self.inner.version(name))
    }

    fn fetch<'a>(&'a self, name: &'a str, aside: &'a Path, bytes_max: u64) -> Answer<'a, Fetched> {
        self.ask(self.inner.fetch(name, aside, bytes_max))
    }

    fn list(&self) -> Answer<'_, Vec<Listed>> {
        self.ask(self.inner.list())
    }
}

fn engine(source: &Arc<Moody>, cache: &Path) -> Engine {
    Engine::builder().source(source.clone()).cache_dir(cache).build().unwrap()
}

#[tokio::test]
async fn while_the_source_is_down_what_was_used_last_is_served() {
    let (cache, houses) = (tempfile::tempdir().unwrap(), houses());
    let source = Moody::open(&prefix()).await;
    engine(&source, cache.path()).model(&houses[0].target).await.unwrap();

    source.is_down.store(true, Ordering::SeqCst);
    let engine = engine(&source, cache.path());
    check(&engine.model(&houses[0].target).await.unwrap(), &houses[0]);
    let error = engine.model(&houses[1].target).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::SourceUnavailable, "the store is down"));

    source.is_down.store(false, Ordering::SeqCst);
    while engine.model(&houses[1].target).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    check(&engine.model(&houses[1].target).await.unwrap(), &houses[1]);
}

#[tokio::test]
async fn a_broken_model_is_tried_once_however_often_it_is_asked_for() {
    let (cache, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(models.path().join("broken.json"), "{\"learner\": 7}").unwrap();
    let source = Moody::open(models.path()).await;
    let engine = engine(&source, cache.path());
    let first = engine.model("broken.json").await.unwrap_err();
    for _ in 0..100 {
        let error = engine.model("broken.json").await.unwrap_err();
        assert_eq!((error.kind(), error.story()), (ErrorKind::InvalidArtifact, first.story()));
    }
    assert_eq!((engine.counts().load_failures, engine.counts().conversions), (1, 0));
}

#[tokio::test]
async fn a_missing_model_is_asked_for_once_a_second_and_found_once_it_is_there() {
    let (cache, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = Moody::open(models.path()).await;
    let engine = engine(&source, cache.path());
    for _ in 0..100 {
        assert_eq!(engine.model("new.tar.gz").await.unwrap_err().kind(), ErrorKind::NotFound);
    }
    assert_eq!(source.questions.load(Ordering::SeqCst), 1);
    let house = &houses()[0];
    std::fs::copy(prefix().join(&house.target), models.path().join("new.tar.gz")).unwrap();
    let model = loop {
        match engine.model("new.tar.gz").await {
            Ok(model) => break model,
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    check(&model, house);
}
