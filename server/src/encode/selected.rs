//! Selectable inference: for each row what `SAGEMAKER_INFERENCE_OUTPUT` names, as far as the objective has it.

mod content;

use thicket_engine::Predictions;

use super::{
    Form, Style,
    recordio::{self, Tensor},
    row::push_joined,
};
use crate::number::NonFinite;
use content::{Content, Key, Objective};

/// What was selected, before the model is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// As they were asked for, in lower case.
    names: Vec<String>,
}

/// What was selected of a model's predictions.
#[derive(Clone, Debug)]
pub struct Selector {
    objective: Objective,
    classes: usize,
    /// In the order in which they were asked for: that of CSV.
    asked: Vec<Entry>,
    /// Each once, in the order of every other form: first those that the objective has.
    distinct: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    /// The name as a JSON text.
    quoted: String,
    /// Nothing for what the objective does not have.
    key: Option<Key>,
}

impl Selection {
    /// The names in a list with commas; spaces and case do not matter.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let names = list.replace(' ', "").to_lowercase();
        Self { names: names.split(',').map(str::to_owned).collect() }
    }

    /// The selection for a model of that objective, with so many classes if it has several; nothing for objectives
    /// without selectable inference.
    #[must_use]
    pub fn of(&self, objective: &str, classes: usize) -> Option<Selector> {
        let objective = Objective::named(objective, classes)?;
        let asked: Vec<Entry> = self.names.iter().map(|name| Entry::of(name, objective)).collect();
        let mut distinct = Vec::with_capacity(asked.len());
        let ours = Key::ALL.iter().filter_map(|key| asked.iter().find(|entry| entry.key == Some(*key)));
        for entry in ours.chain(asked.iter().filter(|entry| entry.key.is_none())) {
            if !distinct.iter().any(|known: &Entry| known.name == entry.name) {
                distinct.push(entry.clone());
            }
        }
        Some(Selector { objective, classes, asked, distinct })
    }
}

impl Entry {
    fn of(name: &str, objective: Objective) -> Self {
        let key = Key::named(name).filter(|key| objective.has(*key));
        Self { name: name.to_owned(), quoted: serde_json::Value::from(name).to_string(), key }
    }
}

impl Selector {
    /// The names that the objective does not have, whose place is taken by NaN.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.distinct.iter().filter(|entry| entry.key.is_none()).map(|entry| entry.name.as_str())
    }

    /// The bytes of what is selected of values that a model predicted.
    #[must_use]
    pub fn write(&self, form: Form, values: &Predictions, style: Style) -> Vec<u8> {
        let mut out = Vec::new();
        match form {
            Form::Json => {
                out.extend_from_slice(b"{\"predictions\": [");
                push_joined(&mut out, b", ", values.iter(), |out, row| self.push_object(out, row));
                out.extend_from_slice(b"]}");
            }
            Form::JsonLines => values.iter().for_each(|row| {
                self.push_object(&mut out, row);
                out.push(b'\n');
            }),
            Form::Csv => {
                push_joined(&mut out, b"\n", values.iter(), |out, row| self.push_cells(out, row));
                if style.batch {
                    out.push(b'\n');
                }
            }
            Form::RecordIo => values.iter().for_each(|row| self.push_record(&mut out, row)),
        }
        out
    }

    fn content<'a>(&self, entry: &Entry, row: &'a [f32]) -> Content<'a> {
        entry.key.map_or(Content::Missing, |key| self.objective.content(key, row, self.classes))
    }

    fn push_object(&self, out: &mut Vec<u8>, row: &[f32]) {
        out.push(b'{');
        push_joined(out, b", ", self.distinct.iter(), |out, entry| {
            out.extend_from_slice(entry.quoted.as_bytes());
            out.extend_from_slice(b": ");
            self.content(entry, row).push(out, NonFinite::Json);
        });
        out.push(b'}');
    }

    fn push_cells(&self, out: &mut Vec<u8>, row: &[f32]) {
        push_joined(out, b",", self.asked.iter(), |out, entry| {
            let content = self.content(entry, row);
            let quote: &[u8] = if content.is_list() { b"\"" } else { b"" };
            out.extend_from_slice(quote);
            content.push(out, NonFinite::Text);
            out.extend_from_slice(quote);
        });
    }

    fn push_record(&self, out: &mut Vec<u8>, row: &[f32]) {
        let contents: Vec<_> = self.distinct.iter().map(|entry| self.content(entry, row).numbers()).collect();
        let tensor = |values| Tensor { values, shape: None };
        let labels = self.distinct.iter().zip(&contents).map(|(entry, values)| (&*entry.name, tensor(&**values)));
        recordio::push_record(out, &labels.collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod tests;
