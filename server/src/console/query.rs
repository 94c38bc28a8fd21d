//! What of the state is asked for.

use crate::{
    failure::{Class, Failure},
    uri,
};

/// Models in one answer, unless told otherwise and at the most.
const ROWS: usize = 50;
const ROWS_MAX: usize = 200;

/// What of the state is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// The first point of the history that has not been seen.
    pub(super) since: u64,
    pub(super) sort: Key,
    pub(super) is_descending: bool,
    /// Names hold this, in upper or lower case; in lower case here.
    pub(super) filter: String,
    pub(super) offset: usize,
    pub(super) limit: usize,
}

/// What models are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Name,
    Bytes,
    Runtime,
    Since,
    Requests,
    Popularity,
    Worth,
    Idle,
    /// Who would leave first.
    Leaving,
}

impl Key {
    const ALL: [(&'static str, Self); 9] = [
        ("name", Self::Name),
        ("bytes", Self::Bytes),
        ("runtime", Self::Runtime),
        ("since", Self::Since),
        ("requests", Self::Requests),
        ("popularity", Self::Popularity),
        ("worth", Self::Worth),
        ("idle", Self::Idle),
        ("leaving", Self::Leaving),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, key)| *key)
    }
}

impl Query {
    /// What `query` says, and the defaults of what it does not.
    ///
    /// # Errors
    /// For a parameter that cannot be used, with its name and what was expected.
    pub(super) fn of(query: &str) -> Result<Self, Failure> {
        let key = |text: &str| Key::named(text);
        let names: Vec<&str> = Key::ALL.iter().map(|(name, _)| *name).collect();
        let order = |text: &str| match text {
            "ascending" => Some(false),
            "descending" => Some(true),
            _ => None,
        };
        let limit = |text: &str| text.parse().ok().filter(|limit| *limit <= ROWS_MAX);
        Ok(Self {
            since: parsed(query, "since", "a number", |text| text.parse().ok())?.unwrap_or(0),
            sort: parsed(query, "sort", &format!("one of {}", names.join(", ")), key)?.unwrap_or(Key::Popularity),
            is_descending: parsed(query, "order", "ascending or descending", order)?.unwrap_or(true),
            filter: uri::parameter(query, "filter").unwrap_or_default().to_lowercase(),
            offset: parsed(query, "offset", "a number", |text| text.parse().ok())?.unwrap_or(0),
            limit: parsed(query, "limit", &format!("a number up to {ROWS_MAX}"), limit)?.unwrap_or(ROWS),
        })
    }
}

fn parsed<T>(query: &str, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Failure> {
    let Some(text) = uri::parameter(query, name) else { return Ok(None) };
    let refused = || Failure::new(Class::BadRequest, format!("{name}: '{text}' cannot be used, expected {expected}"));
    parse(&text).map(Some).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_or_refused_by_name() {
        let plain = Query::of("").unwrap();
        assert_eq!((plain.since, plain.sort, plain.offset, plain.limit), (0, Key::Popularity, 0, 50));
        let query = Query::of("since=7&sort=leaving&order=ascending&filter=A%2Fb&offset=3&limit=200").unwrap();
        let expected = Query {
            since: 7,
            sort: Key::Leaving,
            is_descending: false,
            filter: "a/b".to_owned(),
            offset: 3,
            limit: 200,
        };
        assert_eq!(query, expected);
        for (text, story) in [
            ("since=-1", "since: '-1' cannot be used, expected a number"),
            ("order=up", "order: 'up' cannot be used, expected ascending or descending"),
            ("limit=201", "limit: '201' cannot be used, expected a number up to 200"),
            ("offset=x", "offset: 'x' cannot be used, expected a number"),
        ] {
            assert_eq!(Query::of(text).unwrap_err().story(), story);
        }
        assert!(Query::of("sort=size").unwrap_err().story().contains("expected one of name, bytes, runtime"));
    }
}
