//! Pickle's stack machine. Of its instructions, those that call something only make an inert object of it.
//!
//! Each instruction takes at least one byte of the file and time and memory bounded by what it takes from file and
//! stack, so the whole is linear in the file. Source: Python's `pickletools`, which documents every instruction.

use std::borrow::Cow;

use super::heap::{Heap, Id, Object};
use super::{constant, text};
use crate::cursor::Cursor;
use crate::error::{Error, Result};

/// The most objects on the stack.
const STACK_MAX: usize = 1 << 20;

/// Modules whose classes may be named in a pickled booster or wrapper; nothing of them is ever called.
const MODULES: [&str; 4] = ["numpy", "scipy", "sklearn", "xgboost"];

/// Other globals that may be named.
const GLOBALS: [(&str, &str); 8] = [
    ("builtins", "bytearray"),
    ("__builtin__", "bytearray"),
    ("builtins", "object"),
    ("__builtin__", "object"),
    ("_codecs", "encode"),
    ("copyreg", "_reconstructor"),
    ("copy_reg", "_reconstructor"),
    ("collections", "OrderedDict"),
];

/// Runs the pickle; returns its objects and the one it is a pickle of.
pub(super) fn run(bytes: &[u8]) -> Result<(Heap<'_>, Id)> {
    let mut machine =
        Machine { cursor: Cursor::new(bytes), heap: Heap::default(), stack: Vec::new(), marks: Vec::new() };
    loop {
        match machine.cursor.u8()? {
            b'.' => return machine.pop().map(|top| (machine.heap, top)),
            opcode => machine.step(opcode)?,
        }
    }
}

struct Machine<'a> {
    cursor: Cursor<'a>,
    heap: Heap<'a>,
    stack: Vec<Id>,
    marks: Vec<usize>,
}

impl<'a> Machine<'a> {
    fn step(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            0x80 => self.cursor.take(1).map(drop),
            0x95 => self.cursor.take(8).map(drop),
            b'(' => self.mark(),
            b'0' => self.pop().map(drop),
            b'1' => self.pop_to_mark().map(drop),
            b'2' => self.top().and_then(|top| self.push(top)),
            b'p' | b'q' | b'r' | 0x94 => self.memorise(opcode),
            b'g' | b'h' | b'j' => self.recall(opcode),
            b']' | b'}' | b')' | b'l' | b't' | b'd' | 0x85..=0x87 => self.container(opcode),
            b'a' | b'e' => self.append(opcode),
            b's' | b'u' => self.set(opcode),
            b'c' | 0x93 => self.global(opcode),
            b'R' | 0x81 | 0x92 => self.call(opcode),
            b'b' => self.build(),
            _ => {
                let object = constant::read(&mut self.cursor, opcode)?;
                self.push_new(object)
            }
        }
    }

    /// A complaint about the instruction just read.
    fn complaint(&self, message: &str) -> Error {
        constant::complaint(&self.cursor, message)
    }

    fn push(&mut self, id: Id) -> Result<()> {
        if self.stack.len() >= STACK_MAX {
            return Err(self.complaint("more objects on the stack than any booster needs"));
        }
        self.stack.push(id);
        Ok(())
    }

    fn push_new(&mut self, object: Object<'a>) -> Result<()> {
        let id = self.heap.add(object)?;
        self.push(id)
    }

    /// Takes the top object; those below the last mark are out of reach.
    fn pop(&mut self) -> Result<Id> {
        let is_reachable = self.stack.len() > self.marks.last().copied().unwrap_or(0);
        let top = if is_reachable { self.stack.pop() } else { None };
        top.ok_or_else(|| self.complaint("expected an object on the stack"))
    }

    fn top(&self) -> Result<Id> {
        self.stack.last().copied().ok_or_else(|| self.complaint("expected an object on the stack"))
    }

    fn mark(&mut self) -> Result<()> {
        if self.marks.len() >= STACK_MAX {
            return Err(self.complaint("more marks on the stack than any booster needs"));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.drain(mark..).collect()),
            None => Err(self.complaint("expected a mark on the stack")),
        }
    }

    fn memorise(&mut self, opcode: u8) -> Result<()> {
        let top = self.top()?;
        if opcode == 0x94 {
            return self.heap.memorise_next(top);
        }
        let key = self.memo_key(opcode == b'p', opcode == b'q')?;
        self.heap.memorise(key, top)
    }

    fn recall(&mut self, opcode: u8) -> Result<()> {
        let key = self.memo_key(opcode == b'g', opcode == b'h')?;
        let id = self.heap.recall(key).ok_or_else(|| self.complaint("expected a memorised object"))?;
        self.push(id)
    }

    fn memo_key(&mut self, is_line: bool, is_byte: bool) -> Result<u64> {
        match (is_line, is_byte) {
            (true, _) => constant::line(&mut self.cursor, text::number),
            (_, true) => self.cursor.u8().map(u64::from),
            _ => self.cursor.u32_little().map(u64::from),
        }
    }

    fn container(&mut self, opcode: u8) -> Result<()> {
        let object = match opcode {
            b']' => Object::List(Vec::new()),
            b'}' => Object::Dictionary(Vec::new()),
            b')' => Object::Tuple(Vec::new()),
            b'l' => Object::List(self.pop_to_mark()?),
            b't' => Object::Tuple(self.pop_to_mark()?),
            b'd' => Object::Dictionary(pairs(&self.pop_to_mark()?)),
            _ => Object::Tuple(self.pop_some(usize::from(opcode - 0x84))?),
        };
        self.push_new(object)
    }

    fn pop_some(&mut self, count: usize) -> Result<Vec<Id>> {
        let mut some = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        some.reverse();
        Ok(some)
    }

    fn append(&mut self, opcode: u8) -> Result<()> {
        let items = if opcode == b'a' { vec![self.pop()?] } else { self.pop_to_mark()? };
        let list = self.top()?;
        match self.heap.object_mut(list) {
            Object::List(list) => list.extend(items),
            Object::Instance { .. } => {}
            _ => return Err(self.complaint("expected a list to append to")),
        }
        Ok(())
    }

    fn set(&mut self, opcode: u8) -> Result<()> {
        let items = if opcode == b's' { self.pop_some(2)? } else { self.pop_to_mark()? };
        let dictionary = self.top()?;
        match self.heap.object_mut(dictionary) {
            Object::Dictionary(entries) => entries.extend(pairs(&items)),
            Object::Instance { .. } => {}
            _ => return Err(self.complaint("expected a dictionary to set entries of")),
        }
        Ok(())
    }

    fn global(&mut self, opcode: u8) -> Result<()> {
        let read = |line| std::str::from_utf8(line).ok();
        let (module, name) = if opcode == b'c' {
            (constant::line(&mut self.cursor, read)?, constant::line(&mut self.cursor, read)?)
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            match (self.heap.object(module), self.heap.object(name)) {
                (Object::Text(Cow::Borrowed(module)), Object::Text(Cow::Borrowed(name))) => (*module, *name),
                _ => return Err(self.complaint("expected the names of a module and a class")),
            }
        };
        let package = module.split('.').next().unwrap_or(module);
        if !MODULES.contains(&package) && !GLOBALS.contains(&(module, name)) {
            let place = format_args!("offset {}", self.cursor.offset()).to_string();
            return Err(Error::malformed(place, format_args!("a pickled booster does not need {module}.{name}")));
        }
        self.push_new(Object::Global { module, name })
    }

    /// A call makes an instance of what would be called, except for the two ways to write bytes.
    fn call(&mut self, opcode: u8) -> Result<()> {
        if opcode == 0x92 {
            self.pop()?;
        }
        let (arguments, class) = (self.pop()?, self.pop()?);
        let Object::Global { module, name } = *self.heap.object(class) else {
            return Err(self.complaint("expected a class to make an object of"));
        };
        let arguments = match self.heap.object(arguments) {
            Object::Tuple(arguments) => arguments.as_slice(),
            _ => return Err(self.complaint("expected a tuple of arguments")),
        };
        match ((module, name), arguments) {
            (("_codecs", "encode") | (_, "bytearray"), &[text, _]) => self.push_new(Object::BytesOfText(text)),
            ((_, "bytearray"), &[bytes]) => self.push(bytes),
            ((_, "_reconstructor"), &[class, ..]) => self.push_new(Object::Instance { class, state: None }),
            _ => self.push_new(Object::Instance { class, state: None }),
        }
    }

    fn build(&mut self) -> Result<()> {
        let given = self.pop()?;
        let instance = self.top()?;
        match self.heap.object_mut(instance) {
            Object::Instance { state, .. } => *state = Some(given),
            _ => return Err(self.complaint("expected an object to give its state to")),
        }
        Ok(())
    }
}

fn pairs(items: &[Id]) -> Vec<(Id, Id)> {
    items.as_chunks().0.iter().map(|&[key, value]| (key, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(bytes: &[u8]) -> Option<i64> {
        let (heap, top) = run(bytes).ok()?;
        match heap.object(top) {
            Object::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    #[test]
    fn stack_and_memo_lead_back_to_what_was_put_there() {
        assert_eq!(integer(b"K\x05(K\x06K\x071."), Some(5));
        assert_eq!(integer(b"K\x05\x94K\x060h\x00."), Some(5));
        assert_eq!(integer(b"K\x05p7\nK\x06g7\n."), Some(5));
        assert_eq!(integer(b"K\x05q\x0720j\x07\x00\x00\x00."), Some(5));
    }

    #[test]
    fn what_the_stack_lacks_is_an_error() {
        for bytes in
            [&b"."[..], b"0.", b"t.", b"a.", b"s.", b"]s.", b"b.", b"R.", b"h\x01.", b"(0.", b"P1\n.", b"K\x01(0K\x01."]
        {
            assert!(run(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_stack_without_end_is_refused() {
        let bytes = [b"N".as_slice(), &b"2".repeat(STACK_MAX + 1)].concat();
        assert!(run(&bytes).is_err());
        assert!(run(&b"(".repeat(STACK_MAX + 1)).is_err());
        assert!(run(&b"N".repeat(STACK_MAX + 1)).is_err());
    }
}
