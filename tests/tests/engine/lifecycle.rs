//! Cold, warm, evicted, unloaded: a model's life in the registry.

use std::time::Duration;

use thicket_engine::{Engine, ErrorKind, Reason};
use thicket_tests::{houses, prefix};

use crate::setting::{Setting, check};

#[tokio::test]
async fn every_city_answers_as_xgboost_did_cold_and_warm() {
    let setting = Setting::new(None).await;
    for house in houses().iter().chain(&houses()) {
        check(&setting.engine.model(&house.target).await.unwrap(), house);
    }
    assert_eq!(setting.source.fetches(), 4);
    let models = setting.engine.models();
    assert!(models.iter().all(|model| model.runtime == Some("forest")));
    assert_eq!(setting.engine.memory().used_bytes, models.iter().map(|model| model.bytes).sum::<u64>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cold_model_is_loaded_once_however_many_ask() {
    let setting = Setting::new(None).await;
    let house = &houses()[0];
    let callers: Vec<_> = (0..200)
        .map(|_| {
            let (engine, target) = (setting.engine.clone(), house.target.clone());
            tokio::spawn(async move { engine.model(&target).await.unwrap() })
        })
        .collect();
    for caller in callers {
        check(&caller.await.unwrap(), house);
    }
    assert_eq!(setting.source.fetches(), 1);
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_stop_the_load() {
    let setting = Setting::new(None).await;
    let house = &houses()[0];
    let started = tokio::time::timeout(Duration::ZERO, setting.engine.model(&house.target)).await;
    assert!(started.is_err(), "a cold load cannot be over at its first poll");
    check(&setting.engine.model(&house.target).await.unwrap(), house);
    assert_eq!(setting.source.fetches(), 1);
}

#[tokio::test]
async fn who_leaves_comes_back_from_the_cache() {
    let houses = houses();
    let all = Setting::new(None).await;
    let mut sizes = Vec::new();
    for house in &houses {
        all.engine.model(&house.target).await.unwrap();
    }
    sizes.extend(all.engine.models().iter().map(|model| model.bytes));
    let three = sizes.iter().sum::<u64>() - sizes.iter().min().unwrap();
    let setting = Setting::new(Some(three)).await;
    for round in 0..3 {
        for house in &houses {
            check(&setting.engine.model(&house.target).await.unwrap(), house);
            let memory = setting.engine.memory();
            assert!(memory.used_bytes <= memory.limit_bytes, "round {round}: {memory:?}");
        }
    }
    assert!(setting.engine.models().len() < 4);
    assert_eq!(setting.source.fetches(), 4, "what was evicted comes back from the cache");
    let counts = setting.engine.counts();
    assert_eq!((counts.conversions, counts.cached_loads), (4, counts.loads - 4));
    assert_eq!(counts.departures(Reason::Room), counts.loads - setting.engine.models().len() as u64);
}

#[tokio::test]
async fn a_lease_outlives_the_eviction_of_its_model() {
    let houses = houses();
    let probe = Setting::new(None).await;
    probe.engine.model(&houses[0].target).await.unwrap();
    probe.engine.model(&houses[1].target).await.unwrap();
    let largest = probe.engine.models().iter().map(|model| model.bytes).max().unwrap();

    let setting = Setting::new(Some(largest)).await;
    let lease = setting.engine.model(&houses[0].target).await.unwrap();
    let (engine, target) = (setting.engine.clone(), houses[1].target.clone());
    let waiting = tokio::spawn(async move { engine.model(&target).await.map(drop) });
    while setting.engine.loaded(&houses[0].target).is_ok() {
        tokio::task::yield_now().await;
    }
    check(&lease, &houses[0]);
    assert!(!waiting.is_finished(), "the memory on loan was given away");
    drop(lease);
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_can_never_fit_is_refused_and_nothing_leaves_for_it() {
    let setting = Setting::new(Some(1000)).await;
    let error = setting.engine.model(&houses()[0].target).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    assert!(error.to_string().contains("1000 bytes"), "{error}");
    assert_eq!(setting.engine.memory().used_bytes, 0);
}

#[tokio::test]
async fn loading_by_path_registers_under_any_name_and_unloading_gives_the_memory_back() {
    let cache = tempfile::tempdir().unwrap();
    let engine = Engine::builder().cache_dir(cache.path()).build().unwrap();
    let house = &houses()[0];
    let path = prefix().join(&house.target);
    assert_eq!(engine.loaded("a/b %2F").unwrap_err().kind(), ErrorKind::NotLoaded);
    engine.load("a/b %2F", &path).await.unwrap();
    assert_eq!(engine.load("a/b %2F", &path).await.unwrap_err().kind(), ErrorKind::AlreadyLoaded);
    assert_eq!(engine.models()[0].location, path.display().to_string());

    let lease = engine.loaded("a/b %2F").unwrap();
    let unloading = tokio::spawn({
        let engine = engine.clone();
        async move { engine.unload("a/b %2F").await }
    });
    while engine.loaded("a/b %2F").is_ok() {
        tokio::task::yield_now().await;
    }
    check(&lease, house);
    assert!(!unloading.is_finished(), "unloading returned while the model was in use");
    drop(lease);
    unloading.await.unwrap().unwrap();
    assert_eq!(engine.memory().used_bytes, 0);
    assert_eq!(engine.unload("a/b %2F").await.unwrap_err().kind(), ErrorKind::NotLoaded);
    assert_eq!(engine.counts().departures(Reason::Unload), 1);
}

#[tokio::test]
async fn a_load_that_fails_leaves_the_name_free_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::builder().cache_dir(folder.path().join("cache")).build().unwrap();
    let path = folder.path().join("model");
    assert_eq!(engine.load("m", &path).await.unwrap_err().kind(), ErrorKind::NotFound);
    std::fs::create_dir(&path).unwrap();
    assert_eq!(engine.load("m", &path).await.unwrap_err().kind(), ErrorKind::InvalidArtifact);
    std::fs::write(path.join("xgboost-model"), "no model").unwrap();
    let error = engine.load("m", &path).await.unwrap_err();
    assert!(error.story().contains("xgboost-model"), "{}", error.story());
    std::fs::remove_dir_all(&path).unwrap();
    let house = &houses()[0];
    engine.load("m", &prefix().join(&house.target)).await.unwrap();
    check(&engine.loaded("m").unwrap(), house);
    let counts = engine.counts();
    assert_eq!((counts.load_failures, counts.loads, counts.conversions), (3, 1, 1));
}

#[tokio::test]
async fn names_that_lead_out_of_the_source_are_not_found() {
    let setting = Setting::new(None).await;
    for name in ["", "..", "../models", "/etc/passwd", "nope/model.tar.gz", "a\0b"] {
        assert_eq!(setting.engine.model(name).await.unwrap_err().kind(), ErrorKind::NotFound, "{name:?}");
    }
    assert_eq!(setting.engine.list().await.unwrap().len(), 4);
}
