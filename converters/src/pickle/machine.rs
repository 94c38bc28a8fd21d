//! Pickle's stack machine. Of its instructions, those that call something only make an inert object of it.
//!
//! Each instruction takes at least one byte of the file and time and memory bounded by what it takes from file and
//! stack, so the whole is linear in the file. Source: Python's `pickletools`, which documents every instruction.

use std::borrow::Cow;

use super::heap::{Heap, Id, Object};
use super::text;
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
            _ => self.constant(opcode),
        }
    }

    /// A complaint about the instruction just read.
    fn complaint(&self, message: &str) -> Error {
        self.cursor.complaint(format_args!("{message} (in the pickle's instruction before this)"))
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
            (true, _) => self.line(text::number),
            (_, true) => self.cursor.u8().map(u64::from),
            _ => self.cursor.u32_little().map(u64::from),
        }
    }

    /// What `read` makes of the next line.
    fn line<T>(&mut self, read: impl FnOnce(&'a [u8]) -> Option<T>) -> Result<T> {
        let line = self.cursor.take_until(b'\n')?;
        read(line).ok_or_else(|| self.complaint("a line that cannot be read"))
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
            (self.line(read)?, self.line(read)?)
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

    fn constant(&mut self, opcode: u8) -> Result<()> {
        let object = match opcode {
            b'N' => Object::None,
            0x88 | 0x89 => Object::Bool,
            b'F' => self.line(|line| text::number::<f64>(line).map(|_| Object::Float))?,
            b'G' => self.cursor.take(8).map(|_| Object::Float)?,
            b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a | 0x8b => self.integer(opcode)?,
            b'V' | b'X' | 0x8c | 0x8d => self.text(opcode).map(Object::Text)?,
            b'S' | b'T' | b'U' | b'B' | b'C' | 0x8e | 0x96 => self.bytes(opcode).map(Object::Bytes)?,
            _ => return Err(self.complaint(&format!("a pickled booster does not need instruction {opcode:#04x}"))),
        };
        self.push_new(object)
    }

    /// Whole numbers; one that does not fit into 64 bits is kept as an object without a value.
    fn integer(&mut self, opcode: u8) -> Result<Object<'a>> {
        let integer = match opcode {
            b'I' | b'L' => return self.line(|line| Some(text::number(line).map_or(Object::None, Object::Integer))),
            b'J' => self.cursor.i32_little()?.into(),
            b'K' => self.cursor.u8()?.into(),
            b'M' => self.cursor.u16_little()?.into(),
            _ => {
                let length = if opcode == 0x8a { self.cursor.u8()?.into() } else { self.cursor.u32_little()? };
                return Ok(signed(self.cursor.take_counted(length.into())?).map_or(Object::None, Object::Integer));
            }
        };
        Ok(Object::Integer(integer))
    }

    fn text(&mut self, opcode: u8) -> Result<Cow<'a, str>> {
        if opcode == b'V' {
            return self.line(text::raw_unicode);
        }
        let bytes = match opcode {
            0x8c => self.counted_by_byte()?,
            b'X' => self.counted_by_word()?,
            _ => self.counted_by_long()?,
        };
        let text = std::str::from_utf8(bytes).map(Cow::Borrowed);
        text.map_err(|cause| self.complaint("expected text in UTF-8").caused_by(cause))
    }

    fn bytes(&mut self, opcode: u8) -> Result<Cow<'a, [u8]>> {
        match opcode {
            b'S' => self.line(text::quoted),
            b'U' | b'C' => self.counted_by_byte().map(Cow::Borrowed),
            b'T' | b'B' => self.counted_by_word().map(Cow::Borrowed),
            _ => self.counted_by_long().map(Cow::Borrowed),
        }
    }

    fn counted_by_byte(&mut self) -> Result<&'a [u8]> {
        let count = self.cursor.u8()?;
        self.cursor.take_counted(count.into())
    }

    fn counted_by_word(&mut self) -> Result<&'a [u8]> {
        let count = self.cursor.u32_little()?;
        self.cursor.take_counted(count.into())
    }

    fn counted_by_long(&mut self) -> Result<&'a [u8]> {
        let count = self.cursor.u64_little()?;
        self.cursor.take_counted(count)
    }
}

fn pairs(items: &[Id]) -> Vec<(Id, Id)> {
    items.as_chunks().0.iter().map(|&[key, value]| (key, value)).collect()
}

/// A little-endian number in two's complement of up to eight bytes.
fn signed(bytes: &[u8]) -> Option<i64> {
    let fill = if bytes.last().is_some_and(|&byte| byte >= 0x80) { 0xff } else { 0 };
    let mut whole = [fill; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(whole))
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
    fn whole_numbers_of_every_kind_are_read() {
        assert_eq!(integer(b"I12\n."), Some(12));
        assert_eq!(integer(b"L-3L\n."), Some(-3));
        assert_eq!(integer(b"J\xff\xff\xff\xff."), Some(-1));
        assert_eq!(integer(b"\x8a\x02\x00\x80."), Some(-32768));
        assert_eq!(integer(b"\x8a\x00."), Some(0));
        assert_eq!(integer(b"M\x00\x01."), Some(256));
        assert_eq!(integer(b"K\x05(K\x06K\x071."), Some(5));
        assert_eq!(integer(b"K\x05\x94K\x060h\x00."), Some(5));
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
