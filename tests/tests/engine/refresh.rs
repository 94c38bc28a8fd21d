//! Artifacts that change or disappear while their models are in memory.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tempfile::TempDir;
use thicket_engine::{
    Builder, Counts, Engine, Error, ErrorKind, Output, Reason,
    source::{self, Answer, Fetched, Page, Source, Version},
};
use thicket_tests::{House, bits, houses, matrix, prefix};

use crate::setting::check;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
const PERIOD: Duration = Duration::from_millis(30);

/// What a source's wrapper is told to answer, and how often it is asked.
#[derive(Debug, Default)]
struct Mood {
    /// Artifacts that cannot be asked for, and why; an empty name is any.
    refused: Mutex<HashMap<String, ErrorKind>>,
    hides_versions: AtomicBool,
    is_listing_forbidden: AtomicBool,
    questions: AtomicUsize,
    pages: AtomicUsize,
    fetches: AtomicUsize,
}

/// A directory whose listing is worth as much as `page_cost` questions.
#[derive(Debug)]
struct Store {
    inner: Arc<dyn Source>,
    page_cost: Option<usize>,
    mood: Arc<Mood>,
}

impl Mood {
    fn refuse(&self, name: &str, kind: ErrorKind) {
        self.refused.lock().unwrap().insert(name.to_owned(), kind);
    }

    fn check(&self, name: &str) -> Result<(), Error> {
        let refused = self.refused.lock().unwrap();
        let kind = refused.get("").or_else(|| refused.get(name));
        kind.map_or(Ok(()), |kind| Err(Error::new(*kind, "as this test wants")))
    }

    fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }

    fn pages(&self) -> usize {
        self.pages.load(Ordering::SeqCst)
    }
}

impl Source for Store {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn version<'a>(&'a self, name: &'a str) -> Answer<'a, Version> {
        self.mood.questions.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            self.mood.check(name)?;
            self.inner.version(name).await
        })
    }

    fn fetch<'a>(&'a self, name: &'a str, aside: &'a Path, bytes_max: u64) -> Answer<'a, Fetched> {
        self.mood.fetches.fetch_add(1, Ordering::SeqCst);
        self.inner.fetch(name, aside, bytes_max)
    }

    fn reach(&self) -> Answer<'_, ()> {
        Box::pin(async { self.mood.check("") })
    }

    fn page<'a>(&'a self, next: Option<&'a str>, _artifacts_max: usize) -> Answer<'a, Page> {
        self.mood.pages.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            self.mood.check("")?;
            if self.mood.is_listing_forbidden.load(Ordering::SeqCst) {
                return Err(Error::new(ErrorKind::SourceUnavailable, "nobody may list"));
            }
            let mut page = self.inner.page(next, 2).await?;
            if self.mood.hides_versions.load(Ordering::SeqCst) {
                page.artifacts.iter_mut().for_each(|listed| listed.version = None);
            }
            Ok(page)
        })
    }

    fn page_cost(&self) -> Option<usize> {
        self.page_cost
    }
}

/// The four cities' archives in a folder that tests may change, and what is asked of it.
struct Shelf {
    folder: TempDir,
    cache: TempDir,
    mood: Arc<Mood>,
    houses: Vec<House>,
}

impl Shelf {
    fn new() -> Self {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let shelf = Self { folder, cache, mood: Arc::default(), houses: houses() };
        (0..4).for_each(|place| shelf.put(place, place));
        shelf
    }

    fn name(place: usize) -> String {
        format!("{place}/model.tar.gz")
    }

    /// Puts the archive of a city into a place, at once.
    fn put(&self, place: usize, house: usize) {
        let archive = fs::read(prefix().join(&self.houses[house].target)).unwrap();
        self.put_bytes(place, &archive);
    }

    fn put_bytes(&self, place: usize, bytes: &[u8]) {
        let path = self.folder.path().join(Self::name(place));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let aside = path.with_file_name(".aside");
        fs::write(&aside, bytes).unwrap();
        fs::rename(aside, path).unwrap();
    }

    fn remove(&self, place: usize) {
        fs::remove_file(self.folder.path().join(Self::name(place))).unwrap();
    }

    async fn engine(&self, page_cost: Option<usize>, options: impl FnOnce(Builder) -> Builder) -> Engine {
        let inner = source::open(self.folder.path().to_str().unwrap()).await.unwrap();
        let store = Arc::new(Store { inner, page_cost, mood: Arc::clone(&self.mood) });
        let builder = Engine::builder().source(store).cache_dir(self.cache.path()).refresh(Some(PERIOD));
        options(builder.residency_min(Duration::ZERO)).build().unwrap()
    }

    /// Which city answers in a place; `None` for something that is no city's answer.
    async fn answering(&self, engine: &Engine, place: usize) -> Option<usize> {
        let model = engine.model(&Self::name(place)).await.unwrap();
        self.houses.iter().position(|house| {
            let found = model.predict(matrix(&house.rows).view(), Output::Value).unwrap();
            bits(&found.values) == bits(&house.prices)
        })
    }

    /// Waits until so many pages more have been listed.
    async fn listed(&self, pages: usize) {
        let pages = self.mood.pages() + pages;
        while self.mood.pages() < pages {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Asks until the city answers in the place, and until then `old` does each time.
    async fn changes(&self, engine: &Engine, place: usize, old: usize, new: usize) {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.answering(engine, place).await {
                Some(found) if found == new => return,
                found => assert_eq!(found, Some(old)),
            }
            assert!(Instant::now() < end, "nothing changed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Waits until the engine has counted enough.
async fn counted(engine: &Engine, is_enough: impl Fn(&Counts) -> bool) {
    let waited = async {
        while !is_enough(&engine.counts()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, waited).await;
    assert!(in_time.is_ok(), "{:?}", engine.counts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_takes_the_old_ones_place_and_nobody_waits_for_it() {
    let shelf = Shelf::new();
    let engine = shelf.engine(None, |builder| builder).await;
    let lease = engine.model(&Shelf::name(0)).await.unwrap();
    let loads = engine.counts().loads;
    shelf.put(0, 1);
    shelf.changes(&engine, 0, 0, 1).await;
    check(&lease, &shelf.houses[0]);
    let memory = engine.memory();
    let departures = engine.departures();
    assert_eq!(departures.len(), 1);
    assert_eq!((departures[0].reason, &*departures[0].model), (Reason::Replaced, &*Shelf::name(0)));
    let models = engine.models();
    assert_eq!(memory.used_bytes, departures[0].bytes + models[0].bytes, "both are in the account");
    assert!(models[0].requests > departures[0].requests, "requests go on counting");
    drop(lease);
    assert_eq!(engine.memory().used_bytes, models[0].bytes);
    let counts = engine.counts();
    assert_eq!((counts.departures(Reason::Replaced), counts.loads, counts.load_failures), (1, loads + 1, 0));
}

#[tokio::test]
async fn what_changed_to_something_broken_leaves_the_old_model_and_is_tried_now_and_then() {
    let shelf = Shelf::new();
    let engine = shelf.engine(None, |builder| builder).await;
    engine.model(&Shelf::name(0)).await.unwrap();
    shelf.put_bytes(0, b"{\"learner\": 7}");
    counted(&engine, |counts| counts.refresh_failures == 1).await;
    let questions = shelf.mood.questions();
    while shelf.mood.questions() < questions + 12 {
        assert_eq!(shelf.answering(&engine, 0).await, Some(0));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let failures = engine.counts().refresh_failures;
    assert!((2..=5).contains(&failures), "tried {failures} times in a dozen periods");
    shelf.put(0, 2);
    shelf.changes(&engine, 0, 0, 2).await;
    assert_eq!((engine.counts().departures(Reason::Replaced), engine.counts().load_failures), (1, 0));
}

#[tokio::test]
async fn what_left_memory_comes_back_as_it_was_while_its_artifact_is_broken() {
    let shelf = Shelf::new();
    let engine = shelf.engine(None, |builder| builder.refresh(None)).await;
    engine.model(&Shelf::name(0)).await.unwrap();
    shelf.put_bytes(0, b"{\"learner\": 7}");
    for stay in 1..=3 {
        engine.unload(&Shelf::name(0)).await.unwrap();
        assert_eq!(shelf.answering(&engine, 0).await, Some(0));
        let fetches = shelf.mood.fetches.load(Ordering::SeqCst);
        assert_eq!((engine.counts().refresh_failures, fetches), (stay, 2), "the pause after a try is not over");
    }
    shelf.put(0, 2);
    engine.unload(&Shelf::name(0)).await.unwrap();
    assert_eq!(shelf.answering(&engine, 0).await, Some(2));
    assert_eq!(engine.counts().load_failures, 0);
    // What was never anything else is refused.
    shelf.put_bytes(1, b"{\"learner\": 7}");
    assert_eq!(engine.model(&Shelf::name(1)).await.unwrap_err().kind(), ErrorKind::InvalidArtifact);
}

#[tokio::test]
async fn what_was_deleted_is_served_for_a_while_and_then_not_found() {
    let shelf = Shelf::new();
    let grace = Duration::from_millis(300);
    let engine = shelf.engine(None, |builder| builder.deleted_grace(grace)).await;
    engine.model(&Shelf::name(0)).await.unwrap();
    engine.model(&Shelf::name(1)).await.unwrap();
    shelf.remove(0);
    let deleted = Instant::now();
    let error = loop {
        match engine.model(&Shelf::name(0)).await {
            Ok(model) => check(&model, &shelf.houses[0]),
            Err(error) => break error,
        }
        assert!(deleted.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(deleted.elapsed() >= grace, "it left after {:?}", deleted.elapsed());
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(engine.departures()[0].reason, Reason::Deleted);
    assert_eq!((engine.counts().departures(Reason::Deleted), engine.models().len()), (1, 1));

    shelf.mood.refuse("", ErrorKind::SourceUnreachable);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let error = engine.model(&Shelf::name(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SourceUnreachable, "what was deleted is not served from the cache");
}

#[tokio::test]
async fn what_comes_back_before_its_time_stays() {
    let shelf = Shelf::new();
    let engine = shelf.engine(None, |builder| builder.deleted_grace(Duration::from_millis(400))).await;
    engine.model(&Shelf::name(0)).await.unwrap();
    for _ in 0..3 {
        shelf.remove(0);
        tokio::time::sleep(Duration::from_millis(200)).await;
        shelf.put(0, 0);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(engine.counts().departures(Reason::Deleted), 0);
}

#[tokio::test]
async fn a_source_that_does_not_answer_or_refuses_changes_nothing() {
    let shelf = Shelf::new();
    let engine = shelf.engine(None, |builder| builder).await;
    for place in 0..2 {
        engine.model(&Shelf::name(place)).await.unwrap();
    }
    shelf.mood.refuse(&Shelf::name(0), ErrorKind::SourceUnavailable);
    shelf.put(0, 2);
    shelf.put(1, 2);
    shelf.changes(&engine, 1, 1, 2).await;
    shelf.mood.refuse("", ErrorKind::SourceUnreachable);
    shelf.remove(1);
    tokio::time::sleep(PERIOD * 10).await;
    assert_eq!((shelf.answering(&engine, 0).await, shelf.answering(&engine, 1).await), (Some(0), Some(2)));
    assert_eq!((engine.counts().departures(Reason::Replaced), engine.counts().departures(Reason::Deleted)), (1, 0));
    shelf.mood.refused.lock().unwrap().clear();
    shelf.changes(&engine, 0, 0, 2).await;
    counted(&engine, |counts| counts.departures(Reason::Deleted) == 1).await;
}

#[tokio::test]
async fn many_models_are_looked_for_in_the_listing_and_what_it_does_not_tell_is_asked_for() {
    let shelf = Shelf::new();
    let engine = shelf.engine(Some(2), |builder| builder).await;
    for place in 0..4 {
        engine.model(&Shelf::name(place)).await.unwrap();
    }
    shelf.listed(4).await;
    let questions = shelf.mood.questions();
    shelf.listed(6).await;
    assert_eq!(shelf.mood.questions(), questions, "two pages have all four");
    shelf.put(3, 1);
    shelf.changes(&engine, 3, 3, 1).await;
    shelf.remove(2);
    counted(&engine, |counts| counts.departures(Reason::Deleted) == 1).await;

    // Three models are not worth two pages.
    tokio::time::sleep(PERIOD * 2).await;
    let (questions, pages) = (shelf.mood.questions(), shelf.mood.pages());
    while shelf.mood.questions() < questions + 6 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(shelf.mood.pages(), pages);
    shelf.put(3, 2);
    shelf.changes(&engine, 3, 1, 2).await;
}

#[tokio::test]
async fn where_the_listing_is_forbidden_or_tells_nothing_each_model_is_asked_for() {
    for is_forbidden in [true, false] {
        let shelf = Shelf::new();
        shelf.mood.is_listing_forbidden.store(is_forbidden, Ordering::SeqCst);
        shelf.mood.hides_versions.store(!is_forbidden, Ordering::SeqCst);
        let engine = shelf.engine(Some(1), |builder| builder).await;
        for place in 0..4 {
            engine.model(&Shelf::name(place)).await.unwrap();
        }
        shelf.put(0, 1);
        shelf.changes(&engine, 0, 0, 1).await;
        assert!(shelf.mood.pages() > 0);
        let pages = shelf.mood.pages();
        shelf.put(0, 2);
        shelf.changes(&engine, 0, 1, 2).await;
        assert!(is_forbidden || shelf.mood.pages() == pages, "a listing that tells nothing is asked for once");
    }
}

#[tokio::test]
async fn without_room_for_both_the_old_model_stays_and_others_leave_only_as_they_must() {
    let shelf = Shelf::new();
    let probe = shelf.engine(None, |builder| builder).await;
    for place in 0..4 {
        probe.model(&Shelf::name(place)).await.unwrap();
    }
    let bytes: Vec<u64> = probe.models().iter().map(|model| model.bytes).collect();
    drop(probe);

    let largest = *bytes.iter().max().unwrap();
    let engine = shelf.engine(None, |builder| builder.memory_limit(Some(largest))).await;
    engine.model(&Shelf::name(0)).await.unwrap();
    shelf.put(0, 1);
    counted(&engine, |counts| counts.refresh_failures == 1).await;
    assert_eq!(shelf.answering(&engine, 0).await, Some(0));
    assert_eq!(engine.departures(), []);
    drop(engine);

    shelf.put(0, 0);
    let all = bytes.iter().sum();
    let engine = shelf.engine(None, |builder| builder.memory_limit(Some(all))).await;
    for place in 0..4 {
        engine.model(&Shelf::name(place)).await.unwrap();
    }
    shelf.put(0, 1);
    counted(&engine, |counts| counts.departures(Reason::Replaced) == 1).await;
    assert_eq!(shelf.answering(&engine, 0).await, Some(1));
    let room = engine.departures().iter().filter(|departure| departure.reason == Reason::Room).count();
    assert!((1..=2).contains(&room), "{:?}", engine.departures());
    assert!(engine.memory().used_bytes <= all);
}

#[tokio::test]
async fn what_the_platform_loaded_is_left_to_the_platform() {
    let shelf = Shelf::new();
    let engine = shelf.engine(None, |builder| builder).await;
    engine.load("mine", &shelf.folder.path().join(Shelf::name(0))).await.unwrap();
    engine.model(&Shelf::name(1)).await.unwrap();
    shelf.put(0, 2);
    shelf.put(1, 2);
    shelf.changes(&engine, 1, 1, 2).await;
    check(&engine.loaded("mine").unwrap(), &shelf.houses[0]);
    assert_eq!(engine.counts().departures(Reason::Replaced), 1);
}
