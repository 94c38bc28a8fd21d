//! Artifacts without a registry: what the command line asks of a single one.

use std::{fmt, path::Path, sync::Arc};

use thicket_converters::{
    self as converters, Form as Trainer,
    onnx::{self, ModelProto, Operators},
};

use crate::{
    artifact::{self, Limits, ModelFile},
    cache::{Form, unseal},
    convert::{self, Converted, Converter},
    error::{Error, ErrorKind, Result},
    foreign,
    library::Libraries,
    model::Model,
    pack::Pack,
    reading::Reading,
    runtimes::Runtimes,
};

/// Opens the artifact at `path` (a file, a directory or an archive) in memory.
///
/// # Errors
/// As loading it would.
pub fn open(path: &Path, libraries: &Libraries) -> Result<Model> {
    open_with(path, Reading::default(), libraries)
}

/// The same with a choice of how the artifact is read.
///
/// # Errors
/// As loading it would.
pub fn open_with(path: &Path, reading: Reading, libraries: &Libraries) -> Result<Model> {
    let files = artifact::read(path, &Limits::default())?;
    let converted = converter(reading).convert(&files)?;
    let bytes = served_bytes(&converted)?;
    Model::foreign(converted.form, bytes, &Runtimes::new(libraries.clone()))
}

/// The artifact at `path` as an ONNX model.
///
/// # Errors
/// As loading it would, and [`ErrorKind::Unsupported`] when ONNX cannot express it.
pub fn to_onnx(path: &Path, reading: Reading) -> Result<Vec<u8>> {
    to_onnx_with(path, reading, Operators::default())
}

/// The same with a choice of operators.
///
/// # Errors
/// As [`to_onnx`], and [`ErrorKind::Unsupported`] for other operators than the default where the artifact is ONNX.
pub fn to_onnx_with(path: &Path, reading: Reading, operators: Operators) -> Result<Vec<u8>> {
    let files = artifact::read(path, &Limits::default())?;
    let [file] = convert::counting(&files, reading) else {
        let message = format!("it holds {} model files, and one becomes one ONNX model", files.len());
        return Err(Error::new(ErrorKind::Unsupported, message));
    };
    file_to_onnx(file, reading, operators)
}

fn file_to_onnx(file: &ModelFile, reading: Reading, operators: Operators) -> Result<Vec<u8>> {
    if converters::recognise(&file.bytes) == Trainer::Onnx {
        if operators != Operators::default() {
            return Err(Error::new(ErrorKind::Unsupported, "it is ONNX already, and its operators stay as they are"));
        }
        return Ok(file.bytes.clone());
    }
    let booster = convert::read_booster(&file.bytes, reading)?;
    let model = onnx::lower_with(&booster, operators).map_err(convert::refused)?;
    Ok(onnx::encode(&model))
}

/// The artifact at `path` as a pack, which docs/pack.md describes.
///
/// # Errors
/// As loading it would, and [`ErrorKind::Unsupported`] when another engine would run it.
pub fn to_pack(path: &Path) -> Result<Vec<u8>> {
    let converted = converter(Reading::default()).convert(&artifact::read(path, &Limits::default())?)?;
    match converted.form {
        Form::Forest => Ok(converted.bytes),
        Form::Bundle | Form::Onnx | Form::Booster => {
            Err(Error::new(ErrorKind::Unsupported, converted.reason.unwrap_or_else(|| "it is no pack".to_owned())))
        }
    }
}

/// Opens a pack in memory, checked as one in the cache is.
///
/// # Errors
/// [`ErrorKind::InvalidArtifact`] with the place when it is damaged.
pub fn open_pack(bytes: &[u8]) -> Result<Model> {
    Pack::from_bytes(bytes).map(Model::forest)
}

/// What an artifact is; printed as lines of `name: value`.
#[derive(Clone, Debug)]
pub struct Inspection(Vec<(&'static str, String)>);

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, value)| writeln!(f, "{:<16}{value}", format!("{name}:")))
    }
}

/// Tells what the artifact at `path` is, file by file, and how it would be served.
///
/// # Errors
/// As loading it would, up to the point where another engine's library would be opened.
pub fn inspect(path: &Path, reading: Reading) -> Result<Inspection> {
    inspect_with(path, &converter(reading))
}

/// The same with a converter of the caller's.
///
/// # Errors
/// As [`inspect`].
pub(crate) fn inspect_with(path: &Path, converter: &Converter) -> Result<Inspection> {
    let files = artifact::read(path, &Limits::default())?;
    let served = converter.convert(&files)?;
    let reading = converter.reading;
    let mut lines = Vec::new();
    for file in convert::counting(&files, reading) {
        describe_file(file, reading, &mut lines);
    }
    let (served_by, bytes) = match served.form {
        Form::Forest => ("thicket's kernels", Some("pack bytes")),
        Form::Bundle => ("thicket's kernels, the mean of all members", Some("bundle bytes")),
        Form::Onnx => ("ONNX Runtime", None),
        Form::Booster => ("XGBoost's library", None),
    };
    lines.extend(bytes.map(|name| (name, served.bytes.len().to_string())));
    lines.push(("served by", served_by.to_owned()));
    lines.extend(served.reason.map(|reason| ("because", reason)));
    Ok(Inspection(lines))
}

fn describe_file(file: &ModelFile, reading: Reading, lines: &mut Vec<(&'static str, String)>) {
    lines.extend([("file", file.name.clone()), ("form", converters::recognise(&file.bytes).to_string())]);
    let onnx_bytes = if let Ok(booster) = convert::read_booster(&file.bytes, reading) {
        describe(&booster, lines);
        onnx::lower(&booster).ok().map(|model| onnx::encode(&model).len())
    } else if let Ok(model) = onnx::decode(&file.bytes) {
        describe_graph(&model, lines);
        Some(file.bytes.len())
    } else {
        None
    };
    lines.push(("file bytes", file.bytes.len().to_string()));
    lines.extend(onnx_bytes.map(|bytes| ("ONNX bytes", bytes.to_string())));
}

fn describe(booster: &converters::Booster, lines: &mut Vec<(&'static str, String)>) {
    lines.extend([
        ("written by", format!("XGBoost {}", booster.version)),
        ("objective", booster.objective.to_string()),
        ("features", booster.features.to_string()),
        ("targets", booster.targets.to_string()),
    ]);
    match &booster.model {
        converters::Model::Linear(linear) => lines.push(("weights", linear.weights.len().to_string())),
        converters::Model::Trees(trees) => {
            let nodes: usize = trees.iter().map(|tree| tree.reachable().len()).sum();
            lines.extend([("trees", trees.len().to_string()), ("nodes", nodes.to_string())]);
        }
    }
    if !booster.feature_names.is_empty() {
        lines.push(("feature names", booster.feature_names.join(", ")));
    }
}

fn describe_graph(model: &ModelProto, lines: &mut Vec<(&'static str, String)>) {
    lines.push(("written by", foreign::writer(model)));
    if let Ok(ensemble) = foreign::read(model) {
        lines.extend([
            ("features", ensemble.features().to_string()),
            ("targets", ensemble.targets().to_string()),
            ("trees", ensemble.tree_count().to_string()),
            ("nodes", ensemble.node_count().to_string()),
        ]);
    }
}

/// A converter whose counts nobody asks for.
fn converter(reading: Reading) -> Converter {
    Converter::new(reading, Arc::default())
}

fn served_bytes(converted: &Converted) -> Result<&[u8]> {
    match converted.form {
        Form::Forest | Form::Bundle => Ok(&converted.bytes),
        Form::Onnx | Form::Booster => unseal(&converted.bytes),
    }
}
