//! Reads rows of a body while the rest of it arrives.

use std::{mem, sync::Arc};

use http::HeaderMap;
use tokio::task;

use crate::{
    budget::{Budget, Share},
    csv::Partial,
    decode::{self, Form},
    matrix::Matrix,
};

/// So many bytes are read between two looks at other connections.
const STEP_BYTES: usize = 32 << 10;

/// What was read of a body before it was whole; nothing where the body is of another form than CSV, or odd.
#[derive(Debug, Default)]
pub(crate) struct Ahead(Option<Box<Reading>>);

#[derive(Debug)]
struct Reading {
    rows: Partial,
    /// The matrix's part of what all of them may take together.
    share: Share,
}

impl Ahead {
    /// For a body with such headers.
    pub(crate) fn of(headers: &HeaderMap, budget: &Arc<Budget>) -> Self {
        let is_csv = Form::of(decode::content_type(headers)).is_ok_and(|form| form == Form::Csv);
        Self(is_csv.then(|| Box::new(Reading { rows: Partial::default(), share: budget.share() })))
    }

    /// Reads the complete rows in `arrived`, all of the body so far, where there is enough of it. Other connections have their
    /// turns meanwhile.
    pub(crate) async fn follow(&mut self, arrived: &[u8]) {
        while let Some(reading) = self.0.as_mut().filter(|reading| !reading.rows.is_over()) {
            let Some(piece) = arrived.get(..reading.rows.bytes_seen() + STEP_BYTES) else { return };
            let Reading { rows, share } = &mut **reading;
            let grants = |numbers| share.grow_to(mem::size_of::<f32>() * numbers).is_ok();
            if !rows.read_on(piece, grants) {
                self.0 = None;
            }
            task::yield_now().await;
        }
    }

    /// Whether nothing was read.
    pub(crate) fn is_nothing(&self) -> bool {
        self.0.as_ref().is_none_or(|reading| reading.rows.bytes_seen() == 0)
    }

    /// Reads the rest of `body`, which is whole now, and puts all its rows into `matrix`; `false` where the whole body is to be
    /// read.
    pub(crate) fn finish(self, body: &[u8], matrix: &mut Matrix) -> bool {
        self.0.is_some_and(|reading| reading.rows.finish(body, matrix))
    }
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;

    use super::*;
    use crate::cost;

    fn ahead(content_type: &'static str, budget: &Arc<Budget>) -> Ahead {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        Ahead::of(&headers, budget)
    }

    #[test]
    fn a_step_is_no_longer_than_what_is_done_inline() {
        assert!(cost::of(Form::Csv, 2 * STEP_BYTES, 0, 0) <= cost::INLINE_MAX, "the largest piece is longer");
    }

    #[tokio::test]
    async fn rows_are_read_in_steps_and_within_the_budget() {
        let body = "1.5,-2\n".repeat(40_000);
        let budget = Arc::new(Budget::of(300 << 10));
        let mut ahead = ahead("text/csv; charset=utf-8", &budget);
        ahead.follow(&body.as_bytes()[..STEP_BYTES - 1]).await;
        assert!(ahead.is_nothing());
        ahead.follow(&body.as_bytes()[..3 * STEP_BYTES - 1]).await;
        let reading = ahead.0.as_ref().unwrap();
        assert_eq!((reading.rows.bytes_seen(), reading.rows.is_over()), (2 * STEP_BYTES, false));
        assert!(!ahead.is_nothing());
        ahead.follow(body.as_bytes()).await;
        assert!(ahead.0.as_ref().unwrap().rows.is_over(), "there is no room for all rows");
        let mut matrix = Matrix::default();
        assert!(ahead.finish(body.as_bytes(), &mut matrix));
        assert_eq!((matrix.rows(), matrix.columns), (40_000, 2));
        assert!(budget.share().grow_to(300 << 10).is_ok(), "all of the budget is free again");
    }

    #[tokio::test]
    async fn what_is_odd_or_no_csv_is_left() {
        let budget = Arc::new(Budget::of(1 << 20));
        let body = "1.5,x\n".repeat(20_000);
        let mut odd = ahead("text/csv", &budget);
        odd.follow(body.as_bytes()).await;
        assert!(odd.0.is_none() && !odd.finish(body.as_bytes(), &mut Matrix::default()));
        assert!(ahead("application/json", &budget).0.is_none());
    }
}
