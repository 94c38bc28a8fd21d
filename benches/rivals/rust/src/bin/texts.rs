//! Times two ways of reading CSV in Rust on each body and prints a line of JSON for each.
//!
//! usage: texts SECONDS FOLDER

use std::{
    env, fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use csv::{ReaderBuilder, StringRecord};
use serde_json::json;
use thicket_rivals::Result;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [seconds, folder] = arguments.as_slice() else {
        return Err("usage: texts SECONDS FOLDER".into());
    };
    let limit = Duration::from_secs_f64(seconds.parse()?);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            time(&path, limit)?;
        }
    }
    Ok(())
}

fn time(path: &Path, limit: Duration) -> Result<()> {
    let text = fs::read(path)?;
    let body = path.file_stem().unwrap_or_default().to_string_lossy();
    for (reader, read) in [("csv crate", records as fn(&[u8], &mut Vec<f32>) -> Result<()>), ("fast-float2", split)] {
        let mut cells = Vec::new();
        let began = Instant::now();
        let mut best = Duration::MAX;
        while began.elapsed() < limit {
            cells.clear();
            let started = Instant::now();
            read(&text, &mut cells)?;
            best = best.min(started.elapsed());
            black_box(&cells);
        }
        #[allow(clippy::cast_precision_loss, reason = "a body is far below 2^52 bytes")]
        let gb_per_s = text.len() as f64 / best.as_secs_f64() / 1e9;
        println!("{}", json!({ "reader": reader, "body": body, "gb_per_s": gb_per_s, "cells": cells.len() }));
    }
    Ok(())
}

/// The csv crate's records and the standard library's numbers.
fn records(text: &[u8], cells: &mut Vec<f32>) -> Result<()> {
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(text);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record)? {
        for field in &record {
            cells.push(if field.is_empty() { f32::NAN } else { field.parse()? });
        }
    }
    Ok(())
}

/// Cut at commas and line ends without quotes, numbers by fast-float2.
fn split(text: &[u8], cells: &mut Vec<f32>) -> Result<()> {
    let mut start = 0;
    for end in memchr::memchr2_iter(b',', b'\n', text) {
        let field = &text[start..end];
        cells.push(if field.is_empty() { f32::NAN } else { fast_float2::parse(field)? });
        start = end + 1;
    }
    Ok(())
}
