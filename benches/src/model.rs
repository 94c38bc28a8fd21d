//! Models of the fixtures in memory, with rows for them.

use thicket_engine::{Libraries, Model, offline};
use thicket_tests::{Random, cases, graphs, houses, prefix};

/// Cases of XGBoost 3.4.1 that are measured.
const CASES: [&str; 3] = ["multi_softprob", "reg_wide", "categorical_partition"];

/// A model and rows that were scored with it.
#[derive(Debug)]
pub struct Loaded {
    /// What it is.
    pub name: String,
    /// The model.
    pub model: Model,
    /// Columns of a row.
    pub columns: usize,
    rows: Vec<Vec<f32>>,
}

impl Loaded {
    /// A model of 100 trees in a `model.tar.gz`.
    ///
    /// # Panics
    /// When the fixtures are broken.
    #[must_use]
    pub fn house() -> Self {
        let house = houses().remove(0);
        let model = offline::open(&prefix().join(house.target), &libraries()).expect("a fixture");
        Self::new("house", model, house.rows)
    }

    /// A few models of each kind.
    ///
    /// # Panics
    /// When the fixtures are broken.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let open = |name: &str, bytes: &[u8], rows| {
            let path = folder.path().join("model");
            std::fs::write(&path, bytes).expect("scratch");
            Self::new(name, offline::open(&path, &libraries()).expect("a fixture"), rows)
        };
        let is_measured = |case: &thicket_tests::Case| case.version == "3.4.1" && CASES.contains(&case.name.as_str());
        let boosters = cases().into_iter().filter(is_measured);
        let boosters = boosters.map(|case| open(&case.name, &case.files["model.ubj"], case.rows));
        let graph = graphs().into_iter().filter(|graph| graph.name.starts_with("lightgbm/")).take(1);
        let graph = graph.map(|graph| open(&graph.name.replace('/', "-"), &graph.model, graph.rows));
        std::iter::once(Self::house()).chain(boosters).chain(graph).collect()
    }

    fn new(name: &str, model: Model, rows: Vec<Vec<f32>>) -> Self {
        Self { name: name.to_owned(), model, columns: rows[0].len(), rows }
    }

    /// Rows, one after the other, each cell of which is from a row drawn at random.
    #[must_use]
    pub fn rows(&self, count: usize) -> Vec<f32> {
        let mut random = Random::new(11);
        let columns = (0..count).flat_map(|_| 0..self.columns);
        columns.map(|column| self.rows[random.below(self.rows.len())][column]).collect()
    }
}

fn libraries() -> Libraries {
    Libraries::find(None, None, &[])
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayView2;
    use thicket_engine::{Output, Runtime};

    use super::*;

    #[test]
    fn models_of_each_kind_predict_their_rows() {
        let all = Loaded::all();
        assert_eq!(all.len(), 2 + CASES.len());
        for loaded in all {
            let rows = loaded.rows(100);
            let rows = ArrayView2::from_shape((100, loaded.columns), &rows).unwrap();
            assert_eq!(loaded.model.predict(rows, Output::Value).unwrap().rows(), 100, "{}", loaded.name);
            assert_eq!(loaded.model.runtime(), Runtime::Forest);
        }
    }
}
