//! What a model says of its columns, as far as rows for it are read by that.

use std::collections::HashMap;

use serde::Deserialize;
use thicket_engine::Model;

/// A model's columns: how many it takes and who knows their names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns<'a> {
    count: Option<usize>,
    names: Place<'a>,
}

/// Where names are kept.
#[derive(Clone, Copy, Debug, Default)]
enum Place<'a> {
    #[default]
    Nowhere,
    Model(&'a Model),
    /// What a model says of itself, as [`Model::properties`] has it.
    Properties(&'a str),
}

impl<'a> Columns<'a> {
    /// The columns of `model`.
    #[must_use]
    pub fn of(model: &'a Model) -> Self {
        Self { count: model.features(), names: Place::Model(model) }
    }

    /// So many columns, with the names that a model's `properties` give.
    #[must_use]
    pub fn new(count: usize, properties: &'a str) -> Self {
        Self { count: Some(count), names: Place::Properties(properties) }
    }

    /// How many there are; `None` when the model takes rows of any width.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        self.count
    }

    /// Their names, where the model knows one for each.
    ///
    /// They are looked for and read anew each time: most requests do without.
    pub(crate) fn names(&self) -> Option<Names> {
        let properties = match self.names {
            Place::Nowhere => return None,
            Place::Model(model) => model.properties()?,
            Place::Properties(properties) => properties,
        };
        let properties = serde_json::from_str::<Properties>(properties).ok()?;
        Names::new(properties.feature_names).filter(|names| Some(names.len()) == self.count)
    }
}

/// What a pack says of itself, as far as it is read here.
#[derive(Deserialize)]
struct Properties {
    feature_names: Vec<String>,
}

/// The names of a model's columns, each once.
#[derive(Debug)]
pub(crate) struct Names {
    in_order: Vec<String>,
    columns: HashMap<String, usize>,
}

impl Names {
    fn new(in_order: Vec<String>) -> Option<Self> {
        let columns: HashMap<_, _> = in_order.iter().cloned().zip(0..).collect();
        (columns.len() == in_order.len()).then_some(Self { in_order, columns })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.in_order.len()
    }

    /// The column of that name, counted from 0.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(name).copied()
    }

    /// The names from the first column to the last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.in_order.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_where_there_is_one_for_each_column() {
        let names = Columns::new(2, r#"{"form": "json", "feature_names": ["b", "a"]}"#).names().unwrap();
        assert_eq!((names.column("a"), names.column("b"), names.column("c")), (Some(1), Some(0), None));
        assert_eq!(names.iter().collect::<Vec<_>>(), ["b", "a"]);
        for properties in [r#"{"feature_names": ["a"]}"#, r#"{"feature_names": ["a", "a"]}"#, "{}", "no JSON"] {
            assert!(Columns::new(2, properties).names().is_none(), "{properties}");
        }
        assert!(Columns::default().names().is_none());
    }
}
