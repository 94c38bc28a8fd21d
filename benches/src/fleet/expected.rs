//! What a model of the fleet answers to a body, from the leaves that its original reaches: plain sums, in XGBoost's order.

use thicket_converters::{Booster, SumOrder, arithmetic, read_booster};

use super::factor;
use crate::{
    error::{Error, Result},
    load::requests::Truth,
};

/// Of each original, the values of the leaves that each body's row reaches, and where sums start.
#[derive(Debug)]
pub(super) struct Expected {
    originals: Vec<Sums>,
}

#[derive(Debug)]
struct Sums {
    base: f32,
    trees: usize,
    /// Row after row, tree after tree.
    leaves: Vec<f32>,
}

impl Expected {
    /// What models made of these originals, one after the other, answer to `bodies`, rows of CSV.
    ///
    /// # Errors
    /// When an original is no booster of the form that is expected of it.
    pub(super) fn new(originals: &[&[u8]], bodies: &[String]) -> Result<Self> {
        let rows: Vec<Vec<f32>> = bodies.iter().map(|body| row(body)).collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let sums = |original: &&[u8]| {
            let booster = read_booster(original).map_err(Error::at("booster"))?;
            Sums::new(&booster, &rows)
        };
        Ok(Self { originals: originals.iter().map(sums).collect::<Result<_>>()? })
    }

    fn value(&self, model: usize, body: usize) -> f32 {
        let (sums, factor) = (&self.originals[model % self.originals.len()], factor(model));
        let leaves = &sums.leaves[body * sums.trees..][..sums.trees];
        leaves.iter().fold(0.0, |sum, leaf| sum + leaf * factor) + sums.base
    }
}

impl Sums {
    fn new(booster: &Booster, rows: &[&[f32]]) -> Result<Self> {
        if booster.sum_order != SumOrder::LeavesThenBase || booster.targets != 1 {
            return Err(Error::new("booster: expected one target, whose base comes last"));
        }
        let trees = booster.trees();
        let reached = arithmetic::answers(booster, rows).leaves;
        let value = |(at, node): (usize, u32)| trees[at % trees.len()].leaf_value(node as usize, 0);
        let leaves = reached.into_iter().enumerate().map(value).collect();
        Ok(Self { base: booster.base_margins[0], trees: trees.len(), leaves })
    }
}

impl Truth for Expected {
    /// Whether the answer is the number, to the last bit, in brackets.
    fn is_right(&self, model: usize, body: usize, answer: &[u8]) -> bool {
        let number = || str::from_utf8(answer).ok()?.trim().strip_prefix('[')?.strip_suffix(']')?.parse::<f64>().ok();
        number().is_some_and(|number| number.to_bits() == f64::from(self.value(model, body)).to_bits())
    }
}

fn row(body: &str) -> Vec<f32> {
    body.split(',').map(|cell| cell.parse().unwrap_or(f32::NAN)).collect()
}
