//! The reader of CSV beside the `csv` crate, on large bodies and on one row.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thicket_benches::{
    bodies::{BYTES, NAMES, body},
    csv::with_csv_crate,
};
use thicket_server::{columns::Columns, csv, matrix::Matrix};

fn bodies(criterion: &mut Criterion) {
    for (size, bytes) in [("1 MB", BYTES), ("one row", 0)] {
        for name in NAMES {
            let body = body(name, bytes);
            let mut matrix = Matrix::default();
            let mut group = criterion.benchmark_group(format!("csv/{size}/{name}"));
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_function("thicket", |bencher| {
                bencher.iter(|| csv::read_for(black_box(&body), Columns::default(), true, &mut matrix).expect("rows"));
            });
            group.bench_function("csv crate", |bencher| bencher.iter(|| with_csv_crate(black_box(&body))));
        }
    }
}

criterion_group!(benches, bodies);
criterion_main!(benches);
