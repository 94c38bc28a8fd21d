//! From the bytes of an artifact's file to a booster.

use std::borrow::Cow;

use crate::booster::Booster;
use crate::error::Result;
use crate::form::{Form, recognise};
use crate::{pickle, xgboost};

/// Which trees a booster uses whose training stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BestIteration {
    /// As AWS's container of XGBoost 3.0 and later: the state of a pickled booster cuts, nothing else does. It takes the
    /// number of trees for one of rounds, and answers nothing where there are fewer rounds; then it counts as for 1.7.
    #[default]
    AsToday,
    /// As AWS's containers of 1.5 and 1.7: so does the attribute `best_ntree_limit` of a saved model.
    Legacy,
}

/// Reads a booster from a model file of XGBoost in any form, with the trees that today's container would use.
///
/// # Errors
///
/// Malformed with the place in the file; unsupported where the file is well formed but holds an objective or a kind of
/// booster that is not known here.
pub fn read_booster(bytes: &[u8]) -> Result<Booster> {
    read_booster_with(bytes, BestIteration::default())
}

/// The same with a choice of the trees that an early-stopped booster uses.
///
/// # Errors
///
/// As [`read_booster`].
pub fn read_booster_with(bytes: &[u8], best_iteration: BestIteration) -> Result<Booster> {
    let mut booster = if recognise(bytes) == Form::Pickle { read_pickled(bytes)? } else { xgboost::read(bytes)? };
    let attribute = || booster.attributes.iter().find(|attribute| attribute.0 == "best_ntree_limit")?.1.parse().ok();
    let limit = match best_iteration {
        BestIteration::AsToday => booster.best_ntree_limit.map(|limit| trees_of_today(&booster, limit)),
        BestIteration::Legacy => booster.best_ntree_limit.or_else(attribute),
    };
    booster.keep_trees(limit.unwrap_or(0));
    Ok(booster)
}

/// How many trees a target today's container uses of a booster whose pickle says `limit`.
fn trees_of_today(booster: &Booster, limit: u32) -> u32 {
    let is_answered = usize::try_from(limit).is_ok_and(|limit| limit <= booster.rounds());
    let of_a_round = u32::try_from(booster.parallel_trees).unwrap_or(u32::MAX);
    if is_answered { limit.saturating_mul(of_a_round) } else { limit }
}

/// The booster's own bytes inside a model file, without executing or changing anything: what a pickle holds, else the
/// file itself. XGBoost's library reads these.
///
/// # Errors
///
/// Malformed where a pickle is none or holds no booster.
pub fn lift(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    if recognise(bytes) == Form::Pickle { Ok(pickle::read(bytes)?.handle) } else { Ok(Cow::Borrowed(bytes)) }
}

fn read_pickled(bytes: &[u8]) -> Result<Booster> {
    let pickled = pickle::read(bytes)?;
    let mut booster = xgboost::read(&pickled.handle).map_err(|error| error.within("handle"))?;
    booster.set_state(pickled.state);
    Ok(booster)
}
