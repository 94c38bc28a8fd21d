//! An engine over the four city models, with a source that counts what it is asked for.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;
use thicket_engine::{
    Engine, Lease, Libraries, Output,
    source::{self, Answer, Fetched, Page, Source, Version},
};
use thicket_tests::{House, bits, matrix, root};

/// A directory of models that counts fetches.
#[derive(Debug)]
pub(crate) struct Counting {
    inner: Arc<dyn Source>,
    fetches: AtomicUsize,
}

impl Counting {
    pub(crate) async fn open(path: &Path) -> Arc<Self> {
        let inner = source::open(path.to_str().unwrap()).await.unwrap();
        Arc::new(Self { inner, fetches: AtomicUsize::new(0) })
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl Source for Counting {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn version<'a>(&'a self, name: &'a str) -> Answer<'a, Version> {
        self.inner.version(name)
    }

    fn fetch<'a>(&'a self, name: &'a str, aside: &'a Path, bytes_max: u64) -> Answer<'a, Fetched> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        self.inner.fetch(name, aside, bytes_max)
    }

    fn page<'a>(&'a self, next: Option<&'a str>, artifacts_max: usize) -> Answer<'a, Page> {
        self.inner.page(next, artifacts_max)
    }
}

/// The libraries that `make runtimes` brings.
pub(crate) fn libraries() -> Libraries {
    Libraries::find(None, None, &[root().join("runtimes")])
}

/// An engine over the city models with a cache of its own.
pub(crate) struct Setting {
    pub(crate) engine: Engine,
    pub(crate) source: Arc<Counting>,
    pub(crate) cache: TempDir,
}

impl Setting {
    pub(crate) async fn new(memory_limit: Option<u64>) -> Self {
        Self::over(&thicket_tests::prefix(), memory_limit, tempfile::tempdir().unwrap()).await
    }

    pub(crate) async fn over(prefix: &Path, memory_limit: Option<u64>, cache: TempDir) -> Self {
        let source = Counting::open(prefix).await;
        let builder = Engine::builder().source(source.clone()).cache_dir(cache.path()).memory_limit(memory_limit);
        let engine = builder.libraries(libraries()).build().unwrap();
        Self { engine, source, cache }
    }
}

/// Asserts that the model answers every row of `house` as `XGBoost` did.
#[track_caller]
pub(crate) fn check(model: &Lease, house: &House) {
    let found = model.predict(matrix(&house.rows).view(), Output::Value).unwrap();
    assert_eq!((found.columns, bits(&found.values)), (1, bits(&house.prices)), "{}", house.target);
}
