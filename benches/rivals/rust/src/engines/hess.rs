//! hessboost, which reads XGBoost's models and answers with the same bits.

use std::{env, fs, process};

use hessboost::prelude::{BoostedModel, Iterations, ModelFormat};

use crate::{Result, scorer::Scorer, workload::Workload};

/// A model in hessboost's own form.
pub struct Model {
    model: BoostedModel,
}

impl Model {
    /// Reads `model.json`, whose `base_score` is put into the brackets that XGBoost writes since 3.1.
    pub fn open(workload: &Workload) -> Result<Self> {
        let text = fs::read_to_string(workload.folder.join("model.json"))?;
        let path = env::temp_dir().join(format!("thicket-rivals-{}.json", process::id()));
        fs::write(&path, bracketed(&text))?;
        let model = BoostedModel::load(&path, ModelFormat::XgboostJson);
        fs::remove_file(&path)?;
        Ok(Self { model: model? })
    }
}

/// The text with `"base_score":"5E-1"` as `"base_score":"[5E-1]"`.
fn bracketed(text: &str) -> String {
    let key = r#""base_score":""#;
    let Some((before, (score, after))) =
        text.split_once(key).and_then(|(before, rest)| Some((before, rest.split_once('"')?)))
    else {
        return text.to_owned();
    };
    if score.starts_with('[') { text.to_owned() } else { format!("{before}{key}[{score}]\"{after}") }
}

impl Scorer for Model {
    fn score(&mut self, cells: &[f32], rows: usize, margins: &mut [f32]) -> Result<()> {
        if rows == 1 {
            self.model.predict_margin_row_into(cells, Iterations::Best, margins)?;
        } else {
            margins.copy_from_slice(self.model.predict_margin_rows(cells, Iterations::Best)?.as_slice());
        }
        Ok(())
    }
}
