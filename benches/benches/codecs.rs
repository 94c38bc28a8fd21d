//! Reading and writing rows in every form but CSV's reader, which has a bench of its own.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thicket_benches::model::Loaded;
use thicket_engine::Predictions;
use thicket_server::{
    columns::Columns,
    decode::{self, Rules},
    encode::{self, Dialect, Style},
    matrix::Matrix,
};

const ROWS: usize = 1000;

/// One protobuf field that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).expect("a short field")], bytes].concat()
}

/// One row as a record in a frame.
fn frame(row: &[f32]) -> Vec<u8> {
    let floats: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
    let tensor = field(2, &field(2, &field(1, &floats)));
    let record = field(1, &[field(1, b"values"), tensor].concat());
    let length = u32::try_from(record.len()).expect("a short record");
    let mut frame = [&0xced7_230a_u32.to_le_bytes()[..], &length.to_le_bytes(), &record].concat();
    frame.resize(frame.len().next_multiple_of(4), 0);
    frame
}

/// Each row's cells as `cell` writes them, joined.
fn lines(rows: &[f32], columns: usize, cell: impl Fn(usize, f32) -> String, join: &str) -> Vec<String> {
    let line = |row: &[f32]| row.iter().enumerate().map(|(at, value)| cell(at, *value)).collect::<Vec<_>>().join(join);
    rows.chunks_exact(columns).map(line).collect()
}

fn readers(criterion: &mut Criterion) {
    let loaded = Loaded::house();
    let rows: Vec<f32> = loaded.rows(ROWS).iter().map(|value| if value.is_nan() { 0.5 } else { *value }).collect();
    let json = lines(&rows, loaded.columns, |_, value| value.to_string(), ",");
    let libsvm = lines(&rows, loaded.columns, |at, value| format!("{at}:{value}"), " ");
    let bodies: [(&str, decode::Form, Vec<u8>); 3] = [
        ("JSON", decode::Form::Json, format!("{{\"instances\":[[{}]]}}", json.join("],[")).into_bytes()),
        ("libsvm", decode::Form::Libsvm, libsvm.join("\n").into_bytes()),
        ("RecordIO", decode::Form::RecordIo, rows.chunks_exact(loaded.columns).flat_map(frame).collect()),
    ];
    for (name, form, body) in bodies {
        let (columns, mut matrix) = (Columns::of(&loaded.model), Matrix::default());
        form.read(&body, columns, Rules::default(), &mut matrix).expect("rows");
        assert_eq!(matrix.values, rows, "{name}");
        let mut group = criterion.benchmark_group("reading 1000 rows of 6");
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| form.read(black_box(&body), columns, Rules::default(), &mut matrix).expect("rows"));
        });
    }
}

fn writers(criterion: &mut Criterion) {
    let values = Loaded::house().rows(ROWS);
    let predictions = Predictions { columns: 1, values: values.into_iter().map(|value| value / 3.0).collect() };
    let style = Style { dialect: Dialect::MultiModel, batch: false };
    let mut group = criterion.benchmark_group("writing 6000 numbers");
    for (name, form) in [("JSON", encode::Form::Json), ("CSV", encode::Form::Csv), ("RecordIO", encode::Form::RecordIo)]
    {
        let bytes = form.write(&predictions, 1, style).len();
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(name, |bencher| bencher.iter(|| form.write(black_box(&predictions), 1, style)));
    }
}

criterion_group!(benches, readers, writers);
criterion_main!(benches);
