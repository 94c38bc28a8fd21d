//! Looking up a model that is in memory, from one thread and from two.

use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use thicket_engine::{Engine, source};
use thicket_tests::{houses, prefix};

/// The time that `threads` take for `count` lookups each, of one model or of different ones.
fn lookups(engine: &Engine, names: &[String], threads: usize, count: u64) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for _ in 0..count {
                    black_box(engine.loaded(&names[thread % names.len()]).expect("it was loaded"));
                }
            });
        }
    });
    start.elapsed()
}

fn warm(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let cache = tempfile::tempdir().expect("a scratch folder");
    let names: Vec<_> = houses().into_iter().map(|house| house.target).collect();
    let engine = runtime.block_on(async {
        let source = source::open(&prefix().to_string_lossy()).await.expect("a prefix");
        let engine = Engine::builder().source(source).cache_dir(cache.path()).build().expect("an engine");
        for name in &names {
            engine.model(name).await.expect("a fixture");
        }
        engine
    });
    let mut group = criterion.benchmark_group("registry");
    for (name, threads, names) in [
        ("one thread", 1, &names[..1]),
        ("two threads, one model", 2, &names[..1]),
        ("two threads, two models", 2, &names[..2]),
    ] {
        group.bench_function(name, |bencher| bencher.iter_custom(|count| lookups(&engine, names, threads, count)));
    }
}

criterion_group!(benches, warm);
criterion_main!(benches);
