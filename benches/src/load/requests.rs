//! What is sent: one row after another to one model after another.

use std::{fmt, fs, path::Path, sync::Arc};

use thicket_tests::Random;

use crate::error::{Error, Result};

/// Different bodies that are made, and sent again in turn: too many for a processor to learn.
const BODIES: usize = 4096;

/// Stands for the model's name in a route and in headers.
const MODEL: &str = "{model}";

/// What answers should be.
pub trait Truth: fmt::Debug + Send + Sync {
    /// Whether `answer` is what that model says of that body, both by their numbers.
    fn is_right(&self, model: usize, body: usize, answer: &[u8]) -> bool;
}

/// Heads for each model and bodies for all of them.
#[derive(Clone, Debug)]
pub struct Requests {
    heads: Arc<[String]>,
    bodies: Arc<[String]>,
    /// Which model is next, in turn; where there are none, one after the other.
    order: Arc<[u32]>,
    truth: Option<Arc<dyn Truth>>,
}

impl Requests {
    /// Requests `POST route` to each of `models`, whose name stands for `{model}` in the route and in `headers`.
    ///
    /// # Errors
    /// When there are no models or no bodies.
    pub fn new(route: &str, headers: &[String], models: &[String], bodies: Vec<String>) -> Result<Self> {
        if models.is_empty() || bodies.is_empty() {
            return Err(Error::new("requests need a model and a row"));
        }
        let line = format!("POST {route} HTTP/1.1");
        let fixed = [line.as_str(), "host: 127.0.0.1", "content-type: text/csv"];
        let mut head = fixed.into_iter().chain(headers.iter().map(String::as_str)).collect::<Vec<_>>().join("\r\n");
        head.push_str("\r\n");
        let heads = models.iter().map(|model| head.replace(MODEL, model)).collect();
        Ok(Self { heads, bodies: bodies.into(), order: Arc::default(), truth: None })
    }

    /// The same requests to the models in `order`, numbers of models, again and again.
    #[must_use]
    pub fn in_order(self, order: Vec<u32>) -> Self {
        Self { order: order.into(), ..self }
    }

    /// The same requests, whose answers are held against `truth`.
    #[must_use]
    pub fn held_against(self, truth: Arc<dyn Truth>) -> Self {
        Self { truth: Some(truth), ..self }
    }

    /// The number of the model that request `number` goes to.
    #[must_use]
    pub fn model(&self, number: u64) -> usize {
        let number = usize::try_from(number).unwrap_or_default();
        match self.order.len() {
            0 => number % self.heads.len(),
            length => self.order[number % length] as usize % self.heads.len(),
        }
    }

    fn body(&self, number: u64) -> usize {
        usize::try_from(number).unwrap_or_default() % self.bodies.len()
    }

    /// Whether `answer` is right for request `number`; every answer is where nobody knows better.
    #[must_use]
    pub fn is_right(&self, number: u64, answer: &[u8]) -> bool {
        self.truth.as_ref().is_none_or(|truth| truth.is_right(self.model(number), self.body(number), answer))
    }

    /// Puts the bytes of request `number` into `bytes`.
    pub fn write(&self, number: u64, bytes: &mut Vec<u8>) {
        let body = &self.bodies[self.body(number)];
        bytes.clear();
        bytes.extend_from_slice(self.heads[self.model(number)].as_bytes());
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body.as_bytes());
    }
}

/// Bodies of `rows_per_body` rows, each cell of which is from a row of the CSV file at `path` drawn at random.
///
/// # Errors
/// When the file cannot be read, or its rows differ in length.
pub fn bodies_from(path: &Path, rows_per_body: usize) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).map_err(Error::file(path))?;
    bodies(&text, rows_per_body).ok_or_else(|| Error::new(format!("{}: rows differ in length", path.display())))
}

/// The same from the file's text; nothing when its rows differ in length or there are none.
#[must_use]
pub fn bodies(text: &str, rows_per_body: usize) -> Option<Vec<String>> {
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let columns = rows.first()?.len();
    if rows.iter().any(|row| row.len() != columns) {
        return None;
    }
    let mut random = Random::new(1);
    let mut row = || -> String {
        let cells: Vec<&str> = (0..columns).map(|column| rows[random.below(rows.len())][column]).collect();
        cells.join(",")
    };
    let mut body = || (0..rows_per_body).map(|_| row()).collect::<Vec<_>>().join("\n");
    Some((0..BODIES.div_ceil(rows_per_body.max(1))).map(|_| body()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_models_change_from_request_to_request() {
        let models = ["a".to_owned(), "b".to_owned()];
        let headers = ["x-model: {model}".to_owned()];
        let requests =
            Requests::new("/models/{model}/invoke", &headers, &models, bodies("1,2\n3,4", 1).unwrap()).unwrap();
        let text = |number| {
            let mut bytes = Vec::new();
            requests.write(number, &mut bytes);
            String::from_utf8(bytes).unwrap()
        };
        assert!(text(0).starts_with("POST /models/a/invoke HTTP/1.1\r\n"), "{}", text(0));
        assert!(text(1).contains("\r\nx-model: b\r\n") && text(1).contains("\r\ncontent-length: 3\r\n\r\n"));
        assert_ne!(text(0).lines().last(), text(3).lines().last());
        assert_eq!(requests.in_order(vec![1, 1, 0]).model(5), 0);
    }

    #[test]
    fn bodies_have_as_many_rows_as_wanted() {
        let made = bodies("1,\n3,4", 3).unwrap();
        assert!(made.len() * 3 >= BODIES && made.iter().all(|body| body.lines().count() == 3));
        assert_eq!((bodies("", 1), bodies("1\n2,3", 1)), (None, None));
    }
}
