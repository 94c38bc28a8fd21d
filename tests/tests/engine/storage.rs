//! What lies on disk: conversions that survive a restart, and damage that is noticed.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use thicket_engine::{Engine, ErrorKind};
use thicket_tests::{houses, prefix};

use crate::setting::{Counting, Setting, check};

/// Every file below `folder` whose name ends so.
pub(crate) fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(&entry, end));
        } else if entry.to_str().unwrap().ends_with(end) {
            found.push(entry);
        }
    }
    found
}

#[tokio::test]
async fn conversions_survive_a_restart() {
    let first = Setting::new(None).await;
    for house in &houses() {
        first.engine.model(&house.target).await.unwrap();
    }
    let cache = first.cache;
    drop(first.engine);
    let second = Setting::over(&prefix(), None, cache).await;
    for house in &houses() {
        check(&second.engine.model(&house.target).await.unwrap(), house);
    }
    assert_eq!(second.source.fetches(), 0);
    assert_eq!(files(&second.cache.path().join("aside"), ""), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_damaged_conversion_is_noticed_and_made_anew() {
    let house = &houses()[0];
    let damages: [fn(&mut Vec<u8>); 6] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        Vec::clear,
        |bytes| bytes[2000..].fill(0),
        |bytes| bytes[2000] ^= 1,
        |bytes| bytes[8] = 99,
        |bytes| bytes.extend([0; 64]),
    ];
    for damage in damages {
        let first = Setting::new(None).await;
        first.engine.model(&house.target).await.unwrap();
        drop(first.engine);
        let pack = files(first.cache.path(), ".pack").remove(0);
        let mut bytes = fs::read(&pack).unwrap();
        damage(&mut bytes);
        fs::write(&pack, bytes).unwrap();
        let second = Setting::over(&prefix(), None, first.cache).await;
        check(&second.engine.model(&house.target).await.unwrap(), house);
        assert_eq!(second.source.fetches(), 1);
    }
}

/// Serves `archive` as an artifact and expects it to be refused with each of `places` in the error.
async fn refused(archive: &[u8], places: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.tar.gz"), archive).unwrap();
    let setting = Setting::over(folder.path(), None, tempfile::tempdir().unwrap()).await;
    let error = setting.engine.model("model.tar.gz").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArtifact, "{error:?}");
    for place in places {
        assert!(error.story().contains(place), "{} lacks {place}", error.story());
    }
    assert_eq!(files(setting.cache.path(), ""), [setting.cache.path().join("lock")], "something was left behind");
}

fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, name, content).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

#[tokio::test]
async fn damaged_archives_and_models_are_refused_with_the_place() {
    let whole = fs::read(prefix().join(&houses()[0].target)).unwrap();
    refused(&whole[..whole.len() / 2], &["xgboost-model"]).await;
    refused(&whole[..100], &["damaged archive"]).await;
    refused(b"\x1f\x8bnot gzip", &["damaged archive"]).await;
    refused(b"", &["neither a booster"]).await;
    refused(&archive("xgboost-model", b"README"), &["xgboost-model", "neither a booster"]).await;
    refused(&archive("xgboost-model", b"{\"learner\": {]"), &["xgboost-model", "offset"]).await;
    refused(&archive("m", b"\x80\x04cposix\nsystem\n(S'true'\ntR."), &["\"m\"", "posix.system"]).await;
}

#[tokio::test]
async fn a_changed_artifact_is_converted_anew_when_it_is_cold() {
    let folder = tempfile::tempdir().unwrap();
    let houses = houses();
    let place = folder.path().join("model.tar.gz");
    fs::copy(prefix().join(&houses[0].target), &place).unwrap();
    let setting = Setting::over(folder.path(), None, tempfile::tempdir().unwrap()).await;
    check(&setting.engine.model("model.tar.gz").await.unwrap(), &houses[0]);
    fs::copy(prefix().join(&houses[1].target), &place).unwrap();
    setting.engine.unload("model.tar.gz").await.unwrap();
    check(&setting.engine.model("model.tar.gz").await.unwrap(), &houses[1]);
}

#[tokio::test]
async fn a_cache_that_is_too_large_gives_up_what_is_not_in_memory() {
    let (cache, houses) = (tempfile::tempdir().unwrap(), houses());
    let source = Counting::open(&prefix()).await;
    let builder = Engine::builder().source(source.clone()).cache_dir(cache.path());
    let engine = builder.cache_limit(Some(1)).build().unwrap();
    for house in &houses {
        engine.model(&house.target).await.unwrap();
    }
    engine.unload(&houses[0].target).await.unwrap();
    engine.unload(&houses[1].target).await.unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while files(cache.path(), ".pack").len() > 2 {
        assert!(Instant::now() < end, "nothing was removed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(source.fetches(), 4);
    for house in &houses {
        check(&engine.model(&house.target).await.unwrap(), house);
    }
    assert_eq!(source.fetches(), 6, "what was removed is converted anew, and what is in memory is there");
}
