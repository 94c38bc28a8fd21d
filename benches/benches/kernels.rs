//! Predictions of the fixtures' models in batches; rows differ from call to call.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::ArrayView2;
use thicket_benches::model::Loaded;
use thicket_engine::Output;

/// Rows that are walked through, more than any batch.
const ROWS: usize = 16_384;

fn batches(criterion: &mut Criterion) {
    for loaded in Loaded::all() {
        let (columns, rows) = (loaded.columns, loaded.rows(ROWS));
        let mut group = criterion.benchmark_group(format!("kernels/{}", loaded.name));
        for batch in [1, 8, 256, 10_000] {
            group.throughput(Throughput::Elements(batch as u64));
            let mut at = 0;
            group.bench_function(format!("{batch} rows"), |bencher| {
                bencher.iter(|| {
                    at = if at + 2 * batch > ROWS { 0 } else { at + batch };
                    let numbers = &rows[at * columns..(at + batch) * columns];
                    let matrix = ArrayView2::from_shape((batch, columns), numbers).expect("whole rows");
                    loaded.model.predict(black_box(matrix), Output::Value).expect("rows of the model's width")
                });
            });
        }
    }
}

criterion_group!(benches, batches);
criterion_main!(benches);
