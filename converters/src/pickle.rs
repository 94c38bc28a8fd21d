//! Lifts a booster's bytes out of a Python pickle, of protocols 0 to 5, without executing anything.

mod constant;
mod heap;
mod machine;
mod text;

use std::borrow::Cow;

use crate::booster::State;
use crate::error::{Error, Result};
use heap::{Heap, Id, Object};

/// What a pickled booster, or a scikit-learn wrapper around one, holds.
#[derive(Debug)]
pub(crate) struct Pickled<'a> {
    /// The booster's model file.
    pub(crate) handle: Cow<'a, [u8]>,
    pub(crate) state: State,
}

/// Reads the pickle.
pub(crate) fn read(bytes: &[u8]) -> Result<Pickled<'_>> {
    let (mut heap, top) = machine::run(bytes)?;
    let (state, path) = booster_state(&heap, top)?;
    let Some(handle) = heap.entry(state, "handle") else {
        return Err(Error::malformed(path, "expected an entry `handle`"));
    };
    let state = State {
        best_iteration: number(&heap, state, "best_iteration"),
        best_ntree_limit: number(&heap, state, "best_ntree_limit"),
        feature_names: texts(&heap, state, "feature_names", bytes.len())?,
        feature_types: texts(&heap, state, "feature_types", bytes.len())?,
    };
    match heap.take_bytes(handle)? {
        Some(handle) => Ok(Pickled { handle, state }),
        None => Err(Error::malformed(format_args!("{path}.handle"), "expected the bytes of a model")),
    }
}

/// The state of the booster that the pickle's object is or wraps, and its path.
fn booster_state(heap: &Heap<'_>, top: Id) -> Result<(Id, &'static str)> {
    let (class, state) = heap.instance(top).ok_or_else(|| Error::malformed("pickle", "expected an object"))?;
    match class {
        ("xgboost.core", "Booster") => state_of(state, "pickle").map(|state| (state, "Booster")),
        ("xgboost.sklearn", _) => {
            let wrapper = state_of(state, "pickle")?;
            let booster = heap.entry(wrapper, "_Booster").and_then(|booster| heap.instance(booster));
            match booster {
                Some((("xgboost.core", "Booster"), state)) => {
                    state_of(state, "_Booster").map(|state| (state, "_Booster"))
                }
                _ => Err(Error::malformed("_Booster", "expected a trained booster in the scikit-learn wrapper")),
            }
        }
        (module, name) => {
            Err(Error::unsupported("pickle", format_args!("expected a booster of XGBoost, found a {module}.{name}")))
        }
    }
}

fn state_of(state: Option<Id>, place: &str) -> Result<Id> {
    state.ok_or_else(|| Error::malformed(place, "expected an object with its state"))
}

/// A whole number of the state that is not negative.
fn number(heap: &Heap<'_>, state: Id, name: &str) -> Option<u32> {
    match heap.object(heap.entry(state, name)?) {
        Object::Integer(integer) => u32::try_from(*integer).ok(),
        _ => None,
    }
}

/// How many bytes of names a byte of the file may stand for: a list can hold one text many times.
const NAMES_GROWTH_MAX: usize = 16;

/// A list of texts of the state, empty where there is none, from a file of so many bytes.
fn texts(heap: &Heap<'_>, state: Id, name: &str, file_bytes: usize) -> Result<Vec<String>> {
    let list = heap.entry(state, name).map(|list| heap.object(list));
    let Some(Object::List(items) | Object::Tuple(items)) = list else {
        return Ok(Vec::new());
    };
    let mut left = file_bytes.saturating_mul(NAMES_GROWTH_MAX);
    let mut texts = Vec::new();
    for text in items.iter().filter_map(|&item| heap.text(item)) {
        left = left
            .checked_sub(text.len())
            .ok_or_else(|| Error::malformed(name, "expected no more text than a file of this size can hold"))?;
        texts.push(text.into_owned());
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_borrowed_from_the_file() {
        let bytes = b"\x80\x03cxgboost.core\nBooster\n)\x81}(X\x06\0\0\0handlecbuiltins\nbytearray\nC\x03abc\x85RX\x0e\0\0\0best_iterationK\x07ub.";
        let pickled = read(bytes).unwrap();
        assert!(matches!(pickled.handle, Cow::Borrowed(b"abc")));
        assert_eq!(pickled.state.best_iteration, Some(7));
    }

    #[test]
    fn one_name_in_a_list_many_times_does_not_fill_memory() {
        let mut bytes =
            b"\x80\x03cxgboost.core\nBooster\n)\x81}(X\x06\0\0\0handleC\x03abcX\x0d\0\0\0feature_names]X\0\x10\0\0"
                .to_vec();
        bytes.extend([b'n'; 4096]);
        bytes.extend(b"q\x010(");
        bytes.extend(b"h\x01".repeat(4096));
        bytes.extend(b"eub.");
        let error = read(&bytes).unwrap_err();
        assert_eq!(error.place(), "feature_names");
    }

    #[test]
    fn other_objects_and_functions_are_refused_by_name() {
        let check = |bytes: &[u8], expected: &str| {
            let message = read(bytes).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check(b"cos\nsystem\n(S'echo'\ntR.", "os.system");
        check(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", "builtins.eval");
        check(b"\x80\x03cnumpy\nndarray\n)\x81.", "numpy.ndarray");
        check(b"\x80\x03cxgboost.core\nBooster\n)\x81}b.", "handle");
        check(b"\x80\x03K\x01.", "expected an object");
    }
}
