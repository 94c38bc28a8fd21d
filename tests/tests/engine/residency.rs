//! Who stays in memory and who leaves, and why.

use std::{path::Path, sync::Arc, time::Duration};

use thicket_engine::{Builder, Engine, ErrorKind, ModelInfo, Reason};
use thicket_tests::{House, houses, prefix};

use crate::setting::{Counting, check};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// An engine that lets go of new models as of others.
fn builder(cache: &Path) -> Builder {
    Engine::builder().cache_dir(cache).residency_min(Duration::ZERO)
}

/// What all cities take but the smallest: room for three of the four.
async fn room_for_three(cache: &Path) -> u64 {
    let engine = builder(cache).build().unwrap();
    for house in houses() {
        engine.load(&house.target, &prefix().join(&house.target)).await.unwrap();
    }
    let sizes: Vec<u64> = engine.models().iter().map(|model| model.bytes).collect();
    sizes.iter().sum::<u64>() - sizes.iter().min().unwrap()
}

async fn source() -> Arc<Counting> {
    Counting::open(&prefix()).await
}

/// Waits until something has left for `reason`.
async fn departed(engine: &Engine, reason: Reason) -> usize {
    let count = || engine.departures().iter().filter(|departure| departure.reason == reason).count();
    let waited = async {
        while count() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.expect("nothing left");
    count()
}

#[tokio::test]
async fn who_is_asked_for_often_stays_while_others_come_and_go() {
    let cache = tempfile::tempdir().unwrap();
    let limit = room_for_three(cache.path()).await;
    let engine = builder(cache.path()).source(source().await).memory_limit(Some(limit)).build().unwrap();
    let houses = houses();
    for _ in 0..20 {
        check(&engine.model(&houses[0].target).await.unwrap(), &houses[0]);
    }
    for house in houses[1..].iter().cycle().take(30) {
        check(&engine.model(&house.target).await.unwrap(), house);
        assert!(engine.loaded(&houses[0].target).is_ok(), "the busiest model left");
    }
    let departures = engine.departures();
    assert!(departures.len() >= 10 && departures.iter().all(|departure| departure.reason == Reason::Room));
    assert!(departures.iter().all(|departure| *departure.model != *houses[0].target && departure.requests > 0));
}

#[tokio::test]
async fn a_new_model_stays_while_an_older_one_can_leave() {
    let cache = tempfile::tempdir().unwrap();
    let limit = room_for_three(cache.path()).await;
    let builder = builder(cache.path()).source(source().await).memory_limit(Some(limit));
    let engine = builder.residency_min(Duration::from_millis(400)).build().unwrap();
    let houses = houses();
    for house in houses[..2].iter().cycle().take(40) {
        engine.model(&house.target).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    engine.model(&houses[2].target).await.unwrap();
    engine.model(&houses[3].target).await.unwrap();
    assert!(engine.loaded(&houses[2].target).is_ok(), "a new model left for a newer one");
}

/// An engine in which four models were loaded, of which three fit.
async fn crowded(cache: &Path) -> (Engine, Vec<House>) {
    let limit = room_for_three(cache).await;
    let engine = builder(cache).memory_limit(Some(limit)).build().unwrap();
    let houses = houses();
    for house in &houses {
        engine.load(&house.target, &prefix().join(&house.target)).await.unwrap();
    }
    (engine, houses)
}

#[tokio::test]
async fn what_was_loaded_stays_loaded_and_comes_back_when_it_is_asked_for() {
    let cache = tempfile::tempdir().unwrap();
    let (engine, houses) = crowded(cache.path()).await;
    for house in houses.iter().cycle().take(12) {
        check(&engine.recall(&house.target).await.unwrap(), house);
        let memory = engine.memory();
        assert!(memory.used_bytes <= memory.limit_bytes);
    }
    let models = engine.models();
    assert_eq!(models.len(), 4);
    let away: Vec<_> = models.iter().filter(|model| model.bytes == 0).collect();
    assert!(!away.is_empty() && away.iter().all(|model| model.runtime.is_none() && model.idle.is_none()));
    assert_eq!(away[0].location, prefix().join(&away[0].name).display().to_string());
    assert!(engine.models_count() < 4 && engine.counts().departures(Reason::Room) > 0);
    let names = |models: &[ModelInfo]| models.iter().map(|model| model.name.clone()).collect::<Vec<_>>();
    for (first, count) in [(0, 4), (0, 2), (2, 2), (1, 1), (3, 9), (4, 1), (9, usize::MAX), (0, 0)] {
        let (some, total) = engine.some_models(first, count);
        let expected: Vec<_> = names(&models).into_iter().skip(first).take(count).collect();
        assert_eq!((names(&some), total), (expected, 4), "{first} {count}");
    }
    assert_eq!((engine.known(&away[0].name).as_ref(), engine.known("none")), (Some(away[0]), None));
}

#[tokio::test]
async fn what_is_away_keeps_its_name_until_it_is_unloaded() {
    let cache = tempfile::tempdir().unwrap();
    let (engine, _) = crowded(cache.path()).await;
    let name = engine.models().into_iter().find(|model| model.bytes == 0).unwrap().name;
    let path = prefix().join(&name);
    assert!(engine.is_loaded(&name) && engine.loaded(&name).is_err());
    assert_eq!(engine.load(&name, &path).await.unwrap_err().kind(), ErrorKind::AlreadyLoaded);
    engine.unload(&name).await.unwrap();
    assert!(!engine.is_loaded(&name));
    assert_eq!(engine.recall(&name).await.unwrap_err().kind(), ErrorKind::NotLoaded);
    assert_eq!(engine.unload(&name).await.unwrap_err().kind(), ErrorKind::NotLoaded);
    engine.load(&name, &path).await.unwrap();
}

#[tokio::test]
async fn only_pinned_models_are_worth_a_refusal() {
    let cache = tempfile::tempdir().unwrap();
    let limit = room_for_three(cache.path()).await;
    let houses = houses();
    let pins = houses[..3].iter().map(|house| house.target.clone());
    let builder = builder(cache.path()).source(source().await).memory_limit(Some(limit)).pins(pins);
    let engine = builder.build().unwrap();
    engine.preload(0).await;
    assert_eq!(engine.models().iter().filter(|model| model.is_pinned).count(), 3);
    let smallest_is_pinned = engine.memory().used_bytes < limit;
    let outcome = engine.model(&houses[3].target).await;
    assert_eq!(
        outcome.as_ref().err().map(thicket_engine::Error::kind),
        Some(ErrorKind::OutOfMemory),
        "{smallest_is_pinned}"
    );
    assert_eq!(engine.departures(), []);
}

#[tokio::test]
async fn who_is_idle_for_long_leaves() {
    let cache = tempfile::tempdir().unwrap();
    let houses = houses();
    let builder = builder(cache.path()).source(source().await).pins([houses[1].target.clone()]);
    let engine = builder.idle_max(Some(Duration::from_millis(50))).build().unwrap();
    for house in &houses[..2] {
        engine.model(&house.target).await.unwrap();
    }
    assert_eq!(departed(&engine, Reason::Idle).await, 1);
    let departure = &engine.departures()[0];
    assert_eq!((&*departure.model, departure.requests), (&*houses[0].target, 1));
    let idle_max = Duration::from_millis(50);
    assert!(departure.idle > idle_max && departure.age > idle_max && departure.bytes > 0, "{departure:?}");
    assert!(engine.loaded(&houses[1].target).is_ok(), "a pinned model left");
    assert_eq!(engine.counts().departures(Reason::Idle), 1);
}

#[tokio::test]
async fn what_was_popular_is_there_after_a_new_start() {
    let cache = tempfile::tempdir().unwrap();
    let houses = houses();
    let engine = builder(cache.path()).source(source().await).build().unwrap();
    for (number, house) in houses.iter().enumerate() {
        for _ in 0..=number {
            engine.model(&house.target).await.unwrap();
        }
    }
    engine.write_popular();
    drop(engine);

    let source = source().await;
    let engine = builder(cache.path()).source(source.clone()).build().unwrap();
    assert_eq!(engine.models(), []);
    engine.preload(2).await;
    let found: Vec<String> = engine.models().into_iter().map(|model| model.name).collect();
    let mut expected = vec![houses[3].target.clone(), houses[2].target.clone()];
    expected.sort();
    assert_eq!((found, source.fetches()), (expected, 0));
}

#[tokio::test]
async fn a_stop_before_anything_was_asked_for_forgets_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let engine = builder(cache.path()).source(source().await).build().unwrap();
    engine.model(&houses()[0].target).await.unwrap();
    engine.write_popular();
    drop(engine);
    let engine = builder(cache.path()).source(source().await).build().unwrap();
    engine.write_popular();
    drop(engine);
    let engine = builder(cache.path()).source(source().await).build().unwrap();
    engine.preload(usize::MAX).await;
    assert_eq!(engine.models_count(), 1);
}

#[tokio::test]
async fn a_list_of_popular_models_that_cannot_be_read_is_passed_over() {
    let cache = tempfile::tempdir().unwrap();
    let engine = builder(cache.path()).source(source().await).build().unwrap();
    engine.model(&houses()[0].target).await.unwrap();
    engine.write_popular();
    let is_list = |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "popular");
    let list = std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().path()).find(is_list).unwrap();
    drop(engine);
    for text in ["", "[1]", "[\"../../etc\", \"absent.tar.gz\"]"] {
        std::fs::write(&list, text).unwrap();
        let engine = builder(cache.path()).source(source().await).build().unwrap();
        engine.preload(usize::MAX).await;
        assert_eq!(engine.models(), []);
    }
}
