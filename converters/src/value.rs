//! The tree that both JSON and UBJSON are read into.

mod elements;
mod packed;

use std::borrow::Cow;

use crate::error::{Error, Result};
pub(crate) use elements::Elements;
pub(crate) use packed::{Kind, Packed};

/// The deepest nesting accepted; XGBoost's own files stay below ten.
pub(crate) const DEPTH_MAX: usize = 64;

/// One value of a JSON or UBJSON file; arrays of numbers are kept as numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f32),
    Text(Cow<'a, str>),
    Integers(Vec<i64>),
    Floats(Vec<f32>),
    Packed(Packed<'a>),
    Array(Vec<Value<'a>>),
    /// Made by [`Value::object`]: each name once, ascending.
    Object(Vec<Member<'a>>),
}

/// One member of an object: its name and its value.
pub(crate) type Member<'a> = (Cow<'a, str>, Value<'a>);

impl<'a> Value<'a> {
    /// An object of `members`, of which the first of each name counts.
    pub(crate) fn object(mut members: Vec<Member<'a>>) -> Self {
        members.sort_by(|one, other| one.0.cmp(&other.0));
        members.dedup_by(|later, first| later.0 == first.0);
        Self::Object(members)
    }

    /// The member of that name, where this is an object that has it.
    pub(crate) fn find(&self, name: &str) -> Option<&Value<'a>> {
        let Self::Object(members) = self else { return None };
        let at = members.binary_search_by(|member| member.0.as_ref().cmp(name)).ok()?;
        Some(&members[at].1)
    }

    /// The member of that name.
    pub(crate) fn member(&self, name: &str) -> Result<&Value<'a>> {
        self.find(name).ok_or_else(|| Error::malformed(name, "expected such a member"))
    }

    /// What `read` makes of the member of that name; its complaints are placed under the name.
    pub(crate) fn read<'v, T>(&'v self, name: &str, read: impl FnOnce(&'v Value<'a>) -> Result<T>) -> Result<T> {
        self.member(name).and_then(|member| read(member).map_err(|error| placed(error, name)))
    }

    /// The same for a member that may be absent.
    pub(crate) fn read_if<'v, T>(
        &'v self,
        name: &str,
        read: impl FnOnce(&'v Value<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.find(name).map(|member| read(member).map_err(|error| placed(error, name))).transpose()
    }

    pub(crate) fn text(&self) -> Result<&str> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(self.unexpected("text")),
        }
    }

    /// A whole number that is not negative, as a number or (as XGBoost writes parameters) as text.
    pub(crate) fn count(&self) -> Result<usize> {
        let count = match self {
            Self::Integer(integer) => usize::try_from(*integer).ok(),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        };
        count.ok_or_else(|| self.unexpected("a whole number that is not negative"))
    }

    /// A number, as a number or as text.
    pub(crate) fn float(&self) -> Result<f32> {
        let float = match self {
            Self::Float(float) => Some(*float),
            Self::Integer(integer) => Some(rounded(*integer)),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        };
        float.ok_or_else(|| self.unexpected("a number"))
    }

    pub(crate) fn floats(&self) -> Result<Cow<'_, [f32]>> {
        match self {
            Self::Floats(floats) => Ok(Cow::Borrowed(floats)),
            Self::Packed(numbers) => Ok(numbers.floats().into()),
            Self::Integers(integers) => Ok(integers.iter().copied().map(rounded).collect()),
            Self::Array(values) => each(values, Value::float).map(Cow::Owned),
            _ => Err(self.unexpected("an array of numbers")),
        }
    }

    /// Whole numbers; truth values count as 0 and 1.
    pub(crate) fn integers(&self) -> Result<Cow<'_, [i64]>> {
        match self {
            Self::Integers(integers) => Ok(Cow::Borrowed(integers)),
            Self::Packed(numbers) if numbers.is_empty() => Ok(Cow::Borrowed(&[])),
            Self::Packed(numbers) => {
                numbers.integers().map(Cow::Owned).ok_or_else(|| self.unexpected("an array of whole numbers"))
            }
            Self::Floats(floats) if floats.is_empty() => Ok(Cow::Borrowed(&[])),
            Self::Array(values) => each(values, Value::integer).map(Cow::Owned),
            _ => Err(self.unexpected("an array of whole numbers")),
        }
    }

    fn integer(&self) -> Result<i64> {
        match self {
            Self::Integer(integer) => Ok(*integer),
            Self::Bool(bool) => Ok(i64::from(*bool)),
            _ => Err(self.unexpected("a whole number")),
        }
    }

    /// The elements of an array that does not hold numbers.
    pub(crate) fn elements(&self) -> Result<&[Value<'a>]> {
        match self {
            Self::Array(values) => Ok(values),
            Self::Integers(integers) if integers.is_empty() => Ok(&[]),
            Self::Packed(numbers) if numbers.is_empty() && numbers.kind.is_whole() => Ok(&[]),
            _ => Err(self.unexpected("an array of other things than numbers")),
        }
    }

    pub(crate) fn texts(&self) -> Result<Vec<String>> {
        each(self.elements()?, |value| value.text().map(str::to_owned))
    }

    pub(crate) fn members(&self) -> Result<&[Member<'a>]> {
        match self {
            Self::Object(members) => Ok(members),
            _ => Err(self.unexpected("an object")),
        }
    }

    /// A complaint whose place the callers fill in.
    fn unexpected(&self, expected: &str) -> Error {
        let found = match self {
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::Integers(_) | Self::Floats(_) | Self::Packed(_) | Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        };
        Error::malformed("", format_args!("expected {expected}, found {found}"))
    }
}

/// What `read` makes of each value; a complaint is placed at its index.
pub(crate) fn each<'v, 'a, T>(
    values: &'v [Value<'a>],
    mut read: impl FnMut(&'v Value<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let place = |at: usize| move |error: Error| error.within(format_args!("[{at}]"));
    values.iter().enumerate().map(|(at, value)| read(value).map_err(place(at))).collect()
}

fn placed(error: Error, name: &str) -> Error {
    error.within(name)
}

/// What XGBoost itself keeps of every number.
#[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest f32 is what is asked for")]
pub(crate) fn narrowed(double: f64) -> f32 {
    double as f32
}

#[expect(clippy::cast_precision_loss, reason = "a whole number stands for the nearest f32, as its decimal text would")]
fn rounded(integer: i64) -> f32 {
    integer as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_name_their_path() {
        let inner = Value::Array(vec![Value::Text("1".into()), Value::Bool(true)]);
        let outer = Value::object(vec![("numbers".into(), inner)]);
        let error = outer.read("numbers", |value| value.floats().map(Cow::into_owned)).unwrap_err();
        assert_eq!(error.to_string(), "numbers[1]: expected a number, found a truth value");
        assert_eq!(outer.member("other").unwrap_err().place(), "other");
    }

    #[test]
    fn members_are_found_by_name_the_first_of_several() {
        let member = |name: &'static str, value| (name.into(), Value::Integer(value));
        let object = Value::object(vec![member("b", 1), member("a", 2), member("b", 3), member("c", 4)]);
        let found = ["a", "b", "c", "d"].map(|name| object.find(name).cloned());
        assert_eq!(found, [Some(Value::Integer(2)), Some(Value::Integer(1)), Some(Value::Integer(4)), None]);
    }
}
