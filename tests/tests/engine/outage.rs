//! A source that does not answer, models that are broken or missing, and what requests for them cost.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use thicket_engine::{
    Engine, Error, ErrorKind,
    source::{self, Answer, Fetched, Page, Source, Version},
};
use thicket_tests::{houses, prefix};

use crate::setting::check;

/// A directory that answers when it is told to, and counts how often it is asked.
#[derive(Debug)]
struct Moody {
    inner: Arc<dyn Source>,
    mood: Mutex<Mood>,
    questions: AtomicUsize,
    probes: AtomicUsize,
}

#[derive(Clone, Debug, PartialEq)]
enum Mood {
    Fine,
    /// It answers nobody.
    Down,
    /// It lets everybody wait.
    Silent,
    /// It fails whoever asks for that artifact.
    Hates(String),
}

impl Moody {
    async fn open(path: &Path) -> Arc<Self> {
        let inner = source::open(path.to_str().unwrap()).await.unwrap();
        let (questions, probes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { inner, mood: Mutex::new(Mood::Fine), questions, probes })
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }

    fn ask<'a, T: 'a>(&'a self, name: &str, answer: Answer<'a, T>) -> Answer<'a, T> {
        let down = || Box::pin(async { Err(Error::new(ErrorKind::SourceUnreachable, "the store is down")) });
        self.questions.fetch_add(1, Ordering::SeqCst);
        match &*self.mood.lock().unwrap() {
            Mood::Down => down(),
            Mood::Silent => Box::pin(std::future::pending()),
            Mood::Hates(hated) if hated == name => down(),
            _ => answer,
        }
    }
}

impl Source for Moody {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn version<'a>(&'a self, name: &'a str) -> Answer<'a, Version> {
        self.ask(name, self.inner.version(name))
    }

    fn fetch<'a>(&'a self, name: &'a str, aside: &'a Path, bytes_max: u64) -> Answer<'a, Fetched> {
        self.ask(name, self.inner.fetch(name, aside, bytes_max))
    }

    fn reach(&self) -> Answer<'_, ()> {
        self.probes.fetch_add(1, Ordering::SeqCst);
        let is_down = matches!(*self.mood.lock().unwrap(), Mood::Down | Mood::Silent);
        let down = Error::new(ErrorKind::SourceUnreachable, "nobody is there");
        Box::pin(async move { if is_down { Err(down) } else { Ok(()) } })
    }

    fn page<'a>(&'a self, next: Option<&'a str>, artifacts_max: usize) -> Answer<'a, Page> {
        self.ask("", self.inner.page(next, artifacts_max))
    }
}

fn engine(source: &Arc<Moody>, cache: &Path) -> Engine {
    Engine::builder().source(source.clone()).cache_dir(cache).build().unwrap()
}

#[tokio::test]
async fn while_the_source_is_down_what_was_used_last_is_served_and_one_at_a_time_asks() {
    let (cache, houses) = (tempfile::tempdir().unwrap(), houses());
    let source = Moody::open(&prefix()).await;
    for house in &houses[..3] {
        engine(&source, cache.path()).model(&house.target).await.unwrap();
    }

    source.is(Mood::Down);
    let engine = engine(&source, cache.path());
    let questions = source.questions();
    for house in houses[..3].iter().cycle().take(60) {
        check(&engine.model(&house.target).await.unwrap(), house);
        engine.unload(&house.target).await.unwrap();
    }
    for _ in 0..100 {
        let error = engine.model(&houses[3].target).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SourceUnreachable);
        assert!(error.retry_after().is_some());
    }
    assert_eq!(source.questions(), questions + 1, "the first one who asked told everybody");

    source.is(Mood::Fine);
    let back = Instant::now();
    while engine.model(&houses[3].target).await.is_err() {
        assert!(back.elapsed() < Duration::from_secs(5), "nobody noticed that it is back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    check(&engine.model(&houses[3].target).await.unwrap(), &houses[3]);
    assert!((2..20).contains(&source.probes.load(Ordering::SeqCst)));
}

#[tokio::test]
async fn a_source_that_lets_everybody_wait_is_found_out() {
    let (cache, houses) = (tempfile::tempdir().unwrap(), houses());
    let source = Moody::open(&prefix()).await;
    engine(&source, cache.path()).model(&houses[0].target).await.unwrap();
    source.is(Mood::Silent);
    let engine = engine(&source, cache.path());
    let asked = Instant::now();
    let (known, unknown) = tokio::join!(engine.model(&houses[0].target), engine.model(&houses[1].target));
    check(&known.unwrap(), &houses[0]);
    assert_eq!(unknown.unwrap_err().kind(), ErrorKind::SourceUnreachable);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn one_artifact_for_which_the_source_fails_keeps_nobody_from_others() {
    let (cache, houses) = (tempfile::tempdir().unwrap(), houses());
    let source = Moody::open(&prefix()).await;
    source.is(Mood::Hates(houses[0].target.clone()));
    let engine = engine(&source, cache.path());
    for house in &houses[1..] {
        assert_eq!(engine.model(&houses[0].target).await.unwrap_err().kind(), ErrorKind::SourceUnreachable);
        let failed = Instant::now();
        while engine.model(&house.target).await.is_err() {
            assert!(failed.elapsed() < Duration::from_secs(1), "others wait for it");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        check(&engine.model(&house.target).await.unwrap(), house);
    }
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
    assert_eq!(source.questions(), 1);
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
