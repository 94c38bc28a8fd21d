//! How long a row takes when rows differ from call to call.

use std::time::{Duration, Instant};

use crate::{Result, scorer::Scorer, workload::Workload};

/// Rows of a pass one at a time: enough that no branch predictor learns them, and a pass stays short.
const SINGLE_ROWS: usize = 1024;

/// Rows of a pass with more rows in a call, unless a call has more.
const BATCHED_ROWS: usize = 10_240;
/// Calls of one row that are timed together, so that the clock costs nothing.
const SINGLE_CALLS: usize = 16;
/// Passes at least, however long one takes.
const PASSES_MIN: usize = 2;

/// Ns per row of a pass through the workload's rows. Each stretch of calls counts with its fastest of the passes that fit
/// into `seconds`, two at least: what else the machine does then disturbs one stretch of one pass, and all rows count.
///
/// # Errors
///
/// The engine's own; a workload of fewer than `batch` rows.
pub fn ns_per_row(scorer: &mut dyn Scorer, workload: &Workload, batch: usize, seconds: f64) -> Result<f64> {
    let (rows, together) = if batch == 1 { (SINGLE_ROWS, SINGLE_CALLS) } else { (BATCHED_ROWS.max(batch), 1) };
    let calls = rows.min(workload.rows) / batch;
    if calls == 0 {
        return Err(format!("{} has fewer than {batch} rows", workload.name).into());
    }
    let mut margins = vec![0.0; batch * workload.outputs];
    let mut best = vec![Duration::MAX; calls.div_ceil(together)];
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut passes = 0;
    while passes < PASSES_MIN || Instant::now() < end {
        for (stretch, best) in best.iter_mut().enumerate() {
            let began = Instant::now();
            for call in stretch * together..((stretch + 1) * together).min(calls) {
                scorer.score(workload.batch(call * batch, batch), batch, &mut margins)?;
            }
            *best = began.elapsed().min(*best);
        }
        passes += 1;
    }
    #[allow(clippy::cast_precision_loss, reason = "both are far below 2^52")]
    Ok(best.iter().sum::<Duration>().as_nanos() as f64 / (calls * batch) as f64)
}

/// Rows whose margins are compared.
const COMPARED_ROWS: usize = 1024;

/// Whether the engine gives the trainer's margins to the bit, and its largest error relative to the largest margin;
/// nothing for an engine that gives no margins.
///
/// # Errors
///
/// The engine's own.
pub fn agreement(scorer: &mut dyn Scorer, workload: &Workload) -> Result<Option<(bool, f64)>> {
    if !scorer.gives_margins() {
        return Ok(None);
    }
    let rows = workload.rows.min(COMPARED_ROWS);
    let expected = &workload.margins[..rows * workload.outputs];
    let mut margins = vec![0.0; expected.len()];
    scorer.score(workload.batch(0, rows), rows, &mut margins)?;
    let pairs = || margins.iter().zip(expected);
    let equal = pairs().all(|(one, other)| one.to_bits() == other.to_bits());
    let worst = pairs().map(|(one, other)| f64::from((one - other).abs())).fold(0.0, f64::max);
    let scale = expected.iter().map(|margin| f64::from(margin.abs())).fold(0.0, f64::max);
    Ok(Some((equal, worst / scale)))
}
