//! From a trainer's file to a pack: read, lower, compile, verify.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thicket_benches::large;
use thicket_engine::offline;
use thicket_tests::{houses, prefix};

fn forms(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut group = criterion.benchmark_group("conversion");
    group.sample_size(10);
    for (name, bytes) in large::files() {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).expect("scratch");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("480 trees, {name}"), |bencher| {
            bencher.iter(|| offline::to_pack(&path).expect("a booster"));
        });
    }
    let archive = prefix().join(&houses()[0].target);
    group.throughput(Throughput::Bytes(archive.metadata().expect("a fixture").len()));
    group.bench_function("100 trees, pickle in model.tar.gz", |bencher| {
        bencher.iter(|| offline::to_pack(&archive).expect("a booster"));
    });
}

criterion_group!(benches, forms);
criterion_main!(benches);
