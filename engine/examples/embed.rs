//! Opens a prefix of models and predicts rows of an ndarray with one of them, without any server.
//!
//! `cargo run --release -p thicket-engine --example embed -- PREFIX MODEL NUMBER...`

use std::error::Error;

use ndarray::Array2;
use thicket_engine::{Engine, Output, source};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(prefix), Some(model)) = (arguments.next(), arguments.next()) else {
        return Err("usage: embed PREFIX MODEL NUMBER...".into());
    };
    let row = arguments.map(|number| number.parse()).collect::<Result<Vec<f32>, _>>()?;

    let engine = Engine::builder().source(source::open(&prefix).await?).build()?;
    let model = engine.model(&model).await?;
    let rows = Array2::from_shape_vec((1, row.len()), row)?;
    let predictions = model.predict(rows.view(), Output::Value)?;
    println!("{:?}", predictions.values);
    Ok(())
}
