//! Whole files of each form that thicket reads, to be damaged, and how each is repaired and read after that.

use std::{fs, path::Path};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use std::io::{Read, Write};
use thicket_converters::{Form, recognise};
use thicket_engine::{Libraries, Model, Reading, Result, offline};
use thicket_tests::{
    Random, cases, houses, prefix,
    repair::{repair_headers, repair_pack},
};

/// The forms by name.
pub(crate) const FORMS: [&str; 7] = ["json", "ubjson", "legacy", "pickle", "onnx", "pack", "archive"];

/// The most files of a form that are kept in memory.
const FILES_MAX: usize = 150;

/// Files of the form of that name; `scratch` is a file that may be written.
pub(crate) fn files(form: &str, scratch: &Path) -> Vec<Vec<u8>> {
    if form == "archive" {
        return houses().iter().map(|house| fs::read(prefix().join(&house.target)).unwrap()).collect();
    }
    let all = cases().into_iter().flat_map(|case| case.files.into_values());
    let mut files: Vec<_> = all.filter(|bytes| is_of(form, bytes)).collect();
    let step = files.len().div_ceil(FILES_MAX);
    files = files.into_iter().step_by(step).collect();
    let converted = |bytes: Vec<u8>| {
        fs::write(scratch, bytes).unwrap();
        if form == "pack" { offline::to_pack(scratch).ok() } else { offline::to_onnx(scratch, Reading::default()).ok() }
    };
    if matches!(form, "pack" | "onnx") { files.into_iter().filter_map(converted).collect() } else { files }
}

fn is_of(form: &str, bytes: &[u8]) -> bool {
    match recognise(bytes) {
        Form::Json => matches!(form, "json" | "onnx" | "pack"),
        Form::Ubjson => form == "ubjson",
        Form::Pickle => form == "pickle",
        _ => form == "legacy",
    }
}

/// Damages one file so that it is not refused at the door for a wrong checksum every time.
pub(crate) fn damage(form: &str, bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let is_repaired = random.below(4) > 0;
    match form {
        "archive" if is_repaired => {
            let (mut tar, other) = (unpacked(bytes), unpacked(other));
            thicket_tests::mutate(&mut tar, &other, random);
            repair_headers(&mut tar);
            *bytes = packed(&tar);
        }
        "pack" if is_repaired => {
            thicket_tests::mutate(bytes, other, random);
            repair_pack(bytes);
        }
        _ => thicket_tests::mutate(bytes, other, random),
    }
}

/// Opens the file as thicket would; native libraries stay out of it.
pub(crate) fn open(form: &str, bytes: &[u8], scratch: &Path) -> Result<Model> {
    if form == "pack" { offline::open_pack(bytes) } else { offline::open(scratch, &Libraries::find(None, None, &[])) }
}

fn unpacked(archive: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    GzDecoder::new(archive).read_to_end(&mut tar).unwrap();
    tar
}

fn packed(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}
