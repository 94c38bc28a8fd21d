//! From a model file to the form that is served: converted to ONNX, compiled to a pack, and verified before it is used.

use thicket_converters::{self as converters, Form as Trainer, onnx};

use crate::{
    artifact::ModelFile,
    cache::{Form, seal},
    compile,
    error::{Error, ErrorKind, Result},
    pack::Pack,
    verify,
};

/// A model in the form in which it is cached and opened.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) form: Form,
    /// What the cache holds: a pack, or the sealed bytes of another form.
    pub(crate) bytes: Vec<u8>,
    /// Why the model is not a pack, for those that another engine runs.
    pub(crate) reason: Option<String>,
}

/// Converts the one model file of an artifact.
///
/// # Errors
/// [`ErrorKind::InvalidArtifact`] with the file's name and the place in it when it is damaged or no model,
/// [`ErrorKind::Unsupported`] when it is well formed but nothing here can serve it.
pub(crate) fn convert(files: &[ModelFile]) -> Result<Converted> {
    let [file] = files else {
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let message = format!("it holds {} model files and should hold one: {}", names.len(), names.join(", "));
        return Err(Error::new(ErrorKind::Unsupported, message));
    };
    convert_file(&file.bytes)
        .map_err(|error| Error::caused(error.kind(), format!("cannot convert {:?}", file.name), error))
}

fn convert_file(bytes: &[u8]) -> Result<Converted> {
    match converters::recognise(bytes) {
        Trainer::Unknown => Err(Error::new(
            ErrorKind::InvalidArtifact,
            "it is neither a booster of XGBoost (pickled, binary, JSON or UBJSON) nor an ONNX model",
        )),
        Trainer::Onnx => convert_onnx(bytes),
        _ => convert_booster(bytes),
    }
}

/// Runs tree ensembles on our kernels and leaves every other graph to ONNX Runtime.
fn convert_onnx(bytes: &[u8]) -> Result<Converted> {
    let model = onnx::decode(bytes).map_err(refused)?;
    Ok(match compile::compile(&model) {
        Ok(draft) => Converted { form: Form::Forest, bytes: draft.write(), reason: None },
        Err(reason) => Converted { form: Form::Onnx, bytes: seal(bytes.to_vec()), reason: Some(reason.to_string()) },
    })
}

/// Lowers a booster to ONNX and compiles that; what cannot be lowered or does not verify is left to `XGBoost`.
fn convert_booster(bytes: &[u8]) -> Result<Converted> {
    let booster = converters::read_booster(bytes).map_err(refused)?;
    match forest(&booster) {
        Ok(pack) => Ok(Converted { form: Form::Forest, bytes: pack, reason: None }),
        Err(reason) => {
            tracing::warn!(%reason, "a booster is left to XGBoost's library");
            let model = converters::lift(bytes).map_err(refused)?;
            let whole = converters::read_booster(&model).map_err(refused)?;
            if whole.trees().len() != booster.trees().len() {
                let message =
                    "training stopped early, and XGBoost's library cannot be told to use only the first trees";
                return Err(Error::caused(ErrorKind::Unsupported, message, Error::new(ErrorKind::Unsupported, reason)));
            }
            Ok(Converted { form: Form::Booster, bytes: seal(model.into_owned()), reason: Some(reason) })
        }
    }
}

/// The verified pack of `booster`, or the reason why there is none.
fn forest(booster: &converters::Booster) -> Result<Vec<u8>, String> {
    let model = onnx::lower(booster).map_err(|error| error.to_string())?;
    let bytes = compile::compile(&model).map_err(|reason| reason.to_string())?.write();
    let pack = Pack::from_bytes(&bytes).map_err(|error| error.story())?;
    verify::verify(booster, &pack.sections())?;
    Ok(bytes)
}

/// A converter's complaint about a file as an error of this crate.
pub(crate) fn refused(error: converters::Error) -> Error {
    let kind = if error.is_unsupported() { ErrorKind::Unsupported } else { ErrorKind::InvalidArtifact };
    Error::caused(kind, "the converter refuses it", error)
}
