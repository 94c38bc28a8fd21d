//! How long a row takes when rows differ from call to call.

use std::time::{Duration, Instant};

use crate::{Result, scorer::Scorer, workload::Workload};

/// Rows of a pass one at a time: enough that no branch predictor learns them, and a pass stays short.
const SINGLE_ROWS: usize = 1024;

/// The lowest ns per row of the passes that fit into `seconds`, one at least; each walks through the workload's rows.
///
/// # Errors
///
/// The engine's own; a workload of fewer than `batch` rows.
pub fn ns_per_row(scorer: &mut dyn Scorer, workload: &Workload, batch: usize, seconds: f64) -> Result<f64> {
    let calls = if batch == 1 { workload.rows.min(SINGLE_ROWS) } else { workload.rows / batch };
    if calls == 0 {
        return Err(format!("{} has fewer than {batch} rows", workload.name).into());
    }
    let mut margins = vec![0.0; batch * workload.outputs];
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut best = Duration::MAX;
    loop {
        let began = Instant::now();
        for call in 0..calls {
            scorer.score(workload.batch(call * batch, batch), batch, &mut margins)?;
        }
        best = best.min(began.elapsed());
        if Instant::now() >= end {
            #[allow(clippy::cast_precision_loss, reason = "both are far below 2^52")]
            return Ok(best.as_nanos() as f64 / (calls * batch) as f64);
        }
    }
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
