//! Reads rows from protobuf records in `RecordIO` frames, dense and sparse, as AWS's toolkits write them.
//!
//! A record has features by name, of which `values` is the row. A row that names its columns lacks the others: they are
//! missing.

use crate::{
    columns::Columns,
    complaint::{self, invalid, unfit},
    error::Result,
    matrix::{Matrix, narrow},
};

mod frame;
mod tensor;
mod wire;

pub use frame::FRAME_BYTES_MIN;
use frame::{Frames, Record};
use tensor::Tensor;

/// Reads the rows in `body` into `matrix`, whose former rows are forgotten.
///
/// # Errors
/// [`ErrorKind::EmptyBody`](crate::error::ErrorKind::EmptyBody) for no bytes at all;
/// [`ErrorKind::InvalidRows`](crate::error::ErrorKind::InvalidRows), with the offset, for frames and records that are none,
/// for infinite numbers and for rows that differ in length; [`ErrorKind::UnfitRows`](crate::error::ErrorKind::UnfitRows)
/// for a sparse row with a column that the model does not have, and for more numbers than are held at once.
pub fn read(body: &[u8], columns: Columns<'_>, matrix: &mut Matrix) -> Result<()> {
    matrix.clear();
    if body.is_empty() {
        return Err(complaint::empty());
    }
    let sparse_columns = columns.count().map_or_else(|| widest(body), Ok)?;
    let mut frames = Frames::new(body);
    let mut rows = 0;
    while let Some(record) = frames.next()? {
        let tensor = record.tensor()?;
        if record.placed(tensor.is_sparse())? {
            push_sparse(&record, &tensor, sparse_columns, matrix)?;
        } else {
            push_dense(&record, &tensor, matrix)?;
        }
        rows += 1;
    }
    if rows == 0 { Err(invalid("No records found in RecordIO-Protobuf data")) } else { Ok(()) }
}

/// How wide sparse rows are for a model that takes any: as wide as the widest of them.
fn widest(body: &[u8]) -> Result<usize> {
    let (mut frames, mut widest) = (Frames::new(body), 1);
    while let Some(record) = frames.next()? {
        let tensor = record.tensor()?;
        if let Some(columns) = record.placed(tensor.columns())? {
            widest = widest.max(usize::try_from(columns).unwrap_or(usize::MAX));
        }
        for key in tensor.keys() {
            widest = widest.max(usize::try_from(record.placed(key)?).unwrap_or(usize::MAX).saturating_add(1));
        }
    }
    Ok(widest)
}

fn push_dense(record: &Record<'_>, tensor: &Tensor<'_>, matrix: &mut Matrix) -> Result<()> {
    let start = matrix.values.len();
    for value in tensor.values() {
        let value = record.placed(value)?;
        let place = || format!("{record}, value {}", matrix.values.len() - start + 1);
        let narrowed = narrow(value).ok_or_else(|| complaint::too_large(place(), value.to_string().as_bytes()))?;
        matrix.values.push(narrowed);
    }
    let columns = matrix.values.len() - start;
    if matrix.columns == 0 {
        matrix.columns = columns;
    }
    if matrix.columns == columns { Ok(()) } else { Err(complaint::ragged(record.row, columns, matrix.columns)) }
}

fn push_sparse(record: &Record<'_>, tensor: &Tensor<'_>, columns: usize, matrix: &mut Matrix) -> Result<()> {
    if matrix.columns == 0 {
        matrix.columns = columns;
    }
    let columns = matrix.columns as u64;
    let own_columns = record.placed(tensor.columns())?;
    let too_wide = |wide| unfit(format!("{record} has {wide} columns, and rows here have {columns}"));
    if let Some(wide) = own_columns.filter(|&wide| wide > columns) {
        return Err(too_wide(wide));
    }
    let row = matrix.push_missing_row()?;
    let mut values = tensor.values();
    for key in tensor.keys() {
        let key = record.placed(key)?;
        let value = record.placed(values.next().unwrap_or(Err("as many values as keys")))?;
        if own_columns.is_some_and(|wide| key >= wide) {
            return record.placed(Err("keys below the tensor's shape"));
        }
        let cell = usize::try_from(key).ok().and_then(|key| row.get_mut(key));
        let cell = cell.ok_or_else(|| too_wide(key.saturating_add(1)))?;
        let place = || format!("{record}, key {key}");
        *cell = narrow(value).ok_or_else(|| complaint::too_large(place(), value.to_string().as_bytes()))?;
    }
    let is_left = values.next().is_some();
    record.placed(if is_left { Err("as many keys as values") } else { Ok(()) })
}

#[cfg(test)]
mod tests;
