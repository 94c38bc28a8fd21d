//! How long the four city models take to answer: never seen, cached on disk, in memory.

use std::{
    hint::black_box,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use ndarray::ArrayView2;
use thicket_engine::{Engine, Output, Result, Step, source};
use thicket_tests::{House, prefix};

use crate::sample::Sample;

async fn engine(cache: &Path) -> Result<Engine> {
    let source = source::open(&prefix().to_string_lossy()).await?;
    Engine::builder().source(Arc::clone(&source)).cache_dir(cache).build()
}

/// One row's answer from `engine`, timed.
async fn answer(engine: &Engine, house: &House, row: &[f32], sample: &mut Sample) -> Result<()> {
    let row = ArrayView2::from_shape((1, row.len()), row).expect("a row is a matrix of one row");
    let start = Instant::now();
    let model = engine.model(&house.target).await?;
    black_box(model.predict(row, Output::Value)?);
    sample.push(start.elapsed());
    Ok(())
}

/// First answers of models that were never seen: fetch, unpack, convert, verify, publish, map, predict.
///
/// # Errors
/// Those of the engine.
pub async fn cold(houses: &[House], rounds: usize, cache: &Path) -> Result<Sample> {
    let mut sample = Sample::default();
    for round in 0..rounds {
        let engine = engine(&cache.join(format!("cold-{round}"))).await?;
        for house in houses {
            answer(&engine, house, &house.rows[round % house.rows.len()], &mut sample).await?;
        }
    }
    Ok(sample)
}

/// First answers of models whose packs are in the cache.
///
/// # Errors
/// Those of the engine.
pub async fn cached(houses: &[House], rounds: usize, cache: &Path) -> Result<Sample> {
    seen(houses, rounds, &cache.join("cached"), true).await
}

/// Of first answers of the models of these names below `source`, whose packs are in the cache, the part that mapping a pack and
/// checking it takes.
///
/// # Errors
/// Those of the engine.
pub async fn opened(source: &Path, names: &[&str], rounds: usize, cache: &Path) -> Result<Sample> {
    let source = source::open(&source.to_string_lossy()).await?;
    let engine = Engine::builder().source(source).cache_dir(cache.join("opened")).build()?;
    let opened_us =
        || engine.times().steps.iter().find(|(step, _)| *step == Step::Map).map_or(0, |(_, map)| map.sum_us);
    for name in names {
        engine.model(name).await?;
    }
    let mut sample = Sample::default();
    for name in (0..rounds).flat_map(|_| names) {
        engine.unload(name).await?;
        let before_us = opened_us();
        engine.model(name).await?;
        sample.push(Duration::from_micros(opened_us() - before_us));
    }
    Ok(sample)
}

/// Answers of models in memory, another row each time.
///
/// # Errors
/// Those of the engine.
pub async fn warm(houses: &[House], rounds: usize, cache: &Path) -> Result<Sample> {
    seen(houses, rounds, &cache.join("warm"), false).await
}

/// Answers of models that were loaded before, and are unloaded before each answer if that is wanted.
async fn seen(houses: &[House], rounds: usize, cache: &Path, unload: bool) -> Result<Sample> {
    let engine = engine(cache).await?;
    for house in houses {
        engine.model(&house.target).await?;
    }
    let mut sample = Sample::default();
    for round in 0..rounds {
        for house in houses {
            if unload {
                engine.unload(&house.target).await?;
            }
            answer(&engine, house, &house.rows[round % house.rows.len()], &mut sample).await?;
        }
    }
    Ok(sample)
}
