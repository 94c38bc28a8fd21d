//! The inert objects of a pickle. They refer to each other by number, so that no nesting or cycle can do harm.

use std::borrow::Cow;
use std::collections::HashMap;

use super::text::latin1;
use crate::error::{Error, Result};

/// The most objects a pickle may make: a booster's has some tens, a wrapper's some hundreds, plus two for each name.
const OBJECTS_MAX: usize = 1 << 20;

/// The number of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(u32);

/// A Python object that can do nothing.
#[derive(Debug)]
pub(super) enum Object<'a> {
    None,
    Bool,
    Integer(i64),
    Float,
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    /// The text of that number, each character of which stands for a byte.
    BytesOfText(Id),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    /// Keys and values; a later entry of the same key counts.
    Dictionary(Vec<(Id, Id)>),
    Global {
        module: &'a str,
        name: &'a str,
    },
    /// An instance of the class of that number, never constructed.
    Instance {
        class: Id,
        state: Option<Id>,
    },
}

/// All objects of a pickle and its memo.
#[derive(Debug, Default)]
pub(super) struct Heap<'a> {
    objects: Vec<Object<'a>>,
    memo: HashMap<u64, Id>,
}

impl<'a> Heap<'a> {
    pub(super) fn add(&mut self, object: Object<'a>) -> Result<Id> {
        let id = u32::try_from(self.objects.len()).ok().filter(|_| self.objects.len() < OBJECTS_MAX).map(Id);
        let id = id.ok_or_else(|| Error::malformed("pickle", format_args!("more than {OBJECTS_MAX} objects")))?;
        self.objects.push(object);
        Ok(id)
    }

    pub(super) fn object(&self, id: Id) -> &Object<'a> {
        &self.objects[id.0 as usize]
    }

    pub(super) fn object_mut(&mut self, id: Id) -> &mut Object<'a> {
        &mut self.objects[id.0 as usize]
    }

    /// Remembers `id` under a number of the pickle's choice.
    pub(super) fn memorise(&mut self, key: u64, id: Id) -> Result<()> {
        if self.memo.len() >= OBJECTS_MAX {
            return Err(Error::malformed("pickle", format_args!("more than {OBJECTS_MAX} memorised objects")));
        }
        self.memo.insert(key, id);
        Ok(())
    }

    /// Remembers `id` under the next number.
    pub(super) fn memorise_next(&mut self, id: Id) -> Result<()> {
        self.memorise(self.memo.len() as u64, id)
    }

    pub(super) fn recall(&self, key: u64) -> Option<Id> {
        self.memo.get(&key).copied()
    }

    /// The text of `id`; Python 2 wrote it as bytes.
    pub(super) fn text(&self, id: Id) -> Option<Cow<'_, str>> {
        match self.object(id) {
            Object::Text(text) => Some(Cow::Borrowed(text)),
            Object::Bytes(bytes) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        }
    }

    /// The module and name of the class of an instance, and its state.
    pub(super) fn instance(&self, id: Id) -> Option<((&'a str, &'a str), Option<Id>)> {
        let Object::Instance { class, state } = self.object(id) else { return None };
        match *self.object(*class) {
            Object::Global { module, name } => Some(((module, name), *state)),
            _ => None,
        }
    }

    /// The value of a dictionary's entry.
    pub(super) fn entry(&self, dictionary: Id, key: &str) -> Option<Id> {
        let Object::Dictionary(entries) = self.object(dictionary) else { return None };
        let is_key = |&&(id, _): &&(Id, Id)| match self.object(id) {
            Object::Text(text) => text == key,
            Object::Bytes(bytes) => **bytes == *key.as_bytes(),
            _ => false,
        };
        entries.iter().rev().find(is_key).map(|entry| entry.1)
    }

    /// The bytes of an object, borrowed from the file where they stand there; `None` where it has none.
    pub(super) fn take_bytes(&mut self, id: Id) -> Result<Option<Cow<'a, [u8]>>> {
        match self.object_mut(id) {
            Object::Bytes(bytes) => Ok(Some(std::mem::take(bytes))),
            Object::BytesOfText(text) => {
                let text = *text;
                match self.object(text) {
                    Object::Text(text) => latin1(text).map(|bytes| Some(Cow::Owned(bytes))),
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }
}
