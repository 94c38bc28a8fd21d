//! What each reader has to hold to, whatever the bytes: the targets call these with new bytes and
//! `tests/tests/corpora.rs` with those of the corpora.

use std::{
    cell::RefCell,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use ndarray::{Array2, s};
use thicket_converters::{Booster, Form, arithmetic, onnx, read_booster, recognise};
use thicket_engine::{Output, Reading, offline};

use crate::{
    csv,
    matrix::Matrix,
    repair::{repair_headers, repair_pack},
};

/// Reads bytes and checks what came of it; returns whether they were accepted.
pub type Reader = fn(&[u8]) -> bool;

/// The readers by name.
pub const READERS: [(&str, Reader); 8] = [
    ("pickle", pickle),
    ("legacy", legacy),
    ("json", json),
    ("ubjson", ubjson),
    ("onnx", onnx_file),
    ("pack", pack),
    ("archive", archive),
    ("csv", rows),
];

/// The widest row that is predicted.
const FEATURES_MAX: usize = 1 << 16;

fn pickle(bytes: &[u8]) -> bool {
    recognise(bytes) == Form::Pickle && booster(bytes)
}

fn legacy(bytes: &[u8]) -> bool {
    matches!(recognise(bytes), Form::Legacy | Form::LegacySigned | Form::LegacyConfigured) && booster(bytes)
}

fn json(bytes: &[u8]) -> bool {
    recognise(bytes) == Form::Json && booster(bytes)
}

fn ubjson(bytes: &[u8]) -> bool {
    recognise(bytes) == Form::Ubjson && booster(bytes)
}

/// A booster predicts as many values as it says, the same when it is read again, and its ONNX comes back from its bytes.
fn booster(bytes: &[u8]) -> bool {
    let Ok(booster) = read_booster(bytes) else { return false };
    let values = values(&booster);
    assert_eq!(values.len(), booster.columns());
    assert_eq!(values, self::values(&read_booster(bytes).expect("it was read before")));
    if let Ok(model) = onnx::lower(&booster) {
        assert_eq!(onnx::decode(&onnx::encode(&model)).as_ref().ok(), Some(&model));
    }
    true
}

/// The bits of what the booster answers for a row.
fn values(booster: &Booster) -> Vec<u32> {
    let mut values = Vec::new();
    arithmetic::values(booster, &[0.5; 8], &mut values);
    values.into_iter().map(f32::to_bits).collect()
}

/// A graph comes back from its bytes; one that is compiled opens as a pack.
fn onnx_file(bytes: &[u8]) -> bool {
    if recognise(bytes) != Form::Onnx {
        return false;
    }
    let Ok(model) = onnx::decode(bytes) else { return false };
    // By their bytes, because a NaN in them differs from itself.
    let encoded = onnx::encode(&model);
    assert_eq!(onnx::decode(&encoded).map(|model| onnx::encode(&model)).ok(), Some(encoded));
    if let Ok(pack) = with_file(bytes, offline::to_pack) {
        assert!(use_pack(&pack), "what was compiled is whole");
    }
    true
}

/// A pack whose size and checksum are made right either is refused or predicts.
fn pack(bytes: &[u8]) -> bool {
    let mut bytes = bytes.to_vec();
    repair_pack(&mut bytes);
    use_pack(&bytes)
}

/// Whether the pack opens; then two rows at once are answered as each alone.
fn use_pack(bytes: &[u8]) -> bool {
    let Ok(model) = offline::open_pack(bytes) else { return false };
    let features = model.features().unwrap_or(0);
    if features > FEATURES_MAX {
        return true;
    }
    let rows = Array2::from_shape_fn((2, features), |(row, _)| if row == 0 { 1.0 } else { f32::NAN });
    let bits = |rows| -> Vec<u32> {
        let predictions = model.predict(rows, Output::Value).expect("the rows are of its width");
        predictions.values.into_iter().map(f32::to_bits).collect()
    };
    let alone = [bits(rows.slice(s![..1, ..])), bits(rows.slice(s![1.., ..]))].concat();
    assert_eq!(bits(rows.view()), alone);
    true
}

/// An archive is the same artifact whether it is compressed or not.
fn archive(bytes: &[u8]) -> bool {
    let mut bytes = bytes.to_vec();
    repair_headers(&mut bytes);
    if bytes.get(257..262) != Some(b"ustar") {
        return false;
    }
    let inspect = |bytes: &[u8]| {
        with_file(bytes, |path| offline::inspect(path, Reading::default()))
            .map(|inspection| inspection.to_string())
            .map_err(|error| error.story())
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&bytes).expect("memory takes every byte");
    let packed = encoder.finish().expect("memory takes every byte");
    let found = inspect(&bytes);
    assert_eq!(inspect(&packed), found);
    found.is_ok()
}

/// So often are rows read one below the other, in one body.
const REPETITIONS: usize = 20;

/// Rows in ASCII are read, or refused, as the plain way has it; what others mean takes a table of every script's digits.
/// All are read, or refused, as they are alone when they stand below one another, and the same in every way.
fn rows(bytes: &[u8]) -> bool {
    let read_in = |way, body: &[u8]| {
        let mut matrix = Matrix::default();
        csv::read_in(way, body, csv::COMMA, &mut matrix).is_ok().then(|| (matrix.columns, bits(&matrix.values)))
    };
    let read = |body: &[u8]| {
        let found = read_in(csv::Way::fastest(), body);
        csv::Way::all().for_each(|way| assert_eq!(read_in(way, body), found, "{way:?}"));
        found
    };
    let found = read(bytes);
    if bytes.is_ascii() {
        assert_eq!(found, plain_rows(bytes));
    }
    let is_text = |byte: &u8| !SPACES.contains(&char::from(*byte));
    if let (Some(start), Some(last)) = (bytes.iter().position(is_text), bytes.iter().rposition(is_text)) {
        let repeated = read(&[&bytes[start..=last]; REPETITIONS].join(&b'\n'));
        let expected = found.as_ref().map(|(columns, values)| (*columns, values.repeat(REPETITIONS)));
        assert_eq!(repeated, expected);
    }
    found.is_some()
}

/// Bit patterns, with one for every NaN.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { f32::NAN } else { *value }.to_bits()).collect()
}

/// What Python's `float` takes for white space.
const SPACES: [char; 6] = [' ', '\t', '\n', '\x0b', '\x0c', '\r'];

/// Columns and values of rows, read with strings, vectors and the standard library's parser.
fn plain_rows(body: &[u8]) -> Option<(usize, Vec<u32>)> {
    let body = str::from_utf8(body).ok()?.trim_matches(SPACES);
    let cells = |line: &str| line.split(',').map(plain_number).collect();
    let rows: Vec<Vec<f32>> = body.split('\n').map(cells).collect::<Option<_>>()?;
    let columns = rows[0].len();
    (!body.is_empty() && rows.iter().all(|row| row.len() == columns)).then(|| (columns, bits(&rows.concat())))
}

/// What Python's `float` makes of a cell, narrowed; nothing where that is infinite. NULs at its end are lost before that.
fn plain_number(cell: &str) -> Option<f32> {
    if cell.is_empty() {
        return Some(f32::NAN);
    }
    let cell = cell.trim_end_matches('\0').trim_matches(SPACES);
    let mut plain = String::new();
    for (at, character) in cell.char_indices() {
        let is_between_digits = || {
            let is_digit = |text: Option<char>| text.is_some_and(|character| character.is_ascii_digit());
            is_digit(cell[..at].chars().next_back()) && is_digit(cell[at + 1..].chars().next())
        };
        match character {
            '_' if is_between_digits() => {}
            other => plain.push(other),
        }
    }
    let number = plain.parse::<f64>().ok()? as f32;
    (!number.is_infinite()).then_some(number)
}

/// Calls `read` with a file of these bytes: artifacts are read from files. Each thread writes one again and again.
fn with_file<T>(bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    thread_local! {
        static SCRATCH: RefCell<Option<Scratch>> = const { RefCell::new(None) };
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let scratch = scratch.get_or_insert_with(Scratch::new);
        fs::write(&scratch.0, bytes).expect("the folder for temporary files can be written");
        read(&scratch.0)
    })
}

/// A file that goes with its thread.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let thread = format!("{:?}", std::thread::current().id()).replace(['(', ')'], "-");
        let folder = std::env::temp_dir().join(format!("thicket-readers-{}-{thread}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        Self(folder.join("model"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = self.0.parent().map(fs::remove_dir_all);
    }
}
