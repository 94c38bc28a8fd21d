//! Whose endpoint this is, and who says so.

use std::path::{self, Path, PathBuf};

use super::setting::Settings;
use crate::{
    arguments::Serve,
    encode::{Dialect, Form},
    error::{Error, ErrorKind, Result},
};

/// Where `SageMaker` puts the model of a single-model endpoint.
pub(super) const MODEL_DIR: &str = "/opt/ml/model";

/// Whose endpoint this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A container behind `SageMaker`: models come by `POST /models`.
    Container,
    /// A container of one model, which is loaded at the start.
    SingleModel {
        /// Where the artifact lies.
        model: PathBuf,
    },
    /// The whole multi-model endpoint: models come from a source on first use.
    StandAlone {
        /// Where the source lies, such as `s3://bucket/prefix`.
        models: String,
    },
}

/// A mode with what made it the mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The mode.
    pub mode: Mode,
    /// Why it is this one, for the log.
    pub because: &'static str,
    /// Whether nobody named models on the command line or in a variable of ours: a container's network and disk are
    /// its own.
    pub(super) is_contained: bool,
}

impl Mode {
    /// Which of AWS's servers this mode answers like.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::SingleModel { .. } => Dialect::SingleModel,
            Self::Container | Self::StandAlone { .. } => Dialect::MultiModel,
        }
    }

    /// What a client gets that wants nothing in particular.
    pub(super) fn form_default(&self) -> Form {
        match self.dialect() {
            Dialect::MultiModel => Form::Json,
            Dialect::SingleModel => Form::Csv,
        }
    }
}

/// The mode that options and variables ask for. `has_model_dir` says whether [`MODEL_DIR`] is there.
///
/// # Errors
/// [`ErrorKind::Usage`] when two modes are asked for.
pub(super) fn chosen(serve: &Serve, settings: &Settings<'_>, has_model_dir: bool) -> Result<Chosen> {
    let models = settings.text("--models", serve.models.as_ref(), &["THICKET_MODELS"]);
    let model = settings.text("--model", serve.model.as_ref(), &["THICKET_MODEL"]);
    let own = |mode, because| Ok(Chosen { mode, because, is_contained: false });
    match (models, model) {
        (Some(models), None) => own(Mode::StandAlone { models }, "--models names a source"),
        (None, Some(model)) => own(single(&model)?, "--model names a model"),
        (None, None) => contained(settings, has_model_dir),
        (Some(models), Some(model)) => {
            let message =
                format!("--models: '{models}' beside --model: '{model}' cannot be used, expected one of them");
            Err(Error::new(ErrorKind::Usage, message))
        }
    }
}

/// As AWS's image: any text in `SAGEMAKER_MULTI_MODEL` asks for many models, whatever it says.
fn contained(settings: &Settings<'_>, has_model_dir: bool) -> Result<Chosen> {
    let chosen = |mode, because| Ok(Chosen { mode, because, is_contained: true });
    if settings.variable("SAGEMAKER_MULTI_MODEL").is_some() {
        return chosen(Mode::Container, "SAGEMAKER_MULTI_MODEL is set");
    }
    if let Some(model) = settings.variable("SM_MODEL_DIR") {
        return chosen(single(&model)?, "SM_MODEL_DIR is set and SAGEMAKER_MULTI_MODEL is not");
    }
    if has_model_dir {
        return chosen(single(MODEL_DIR)?, "/opt/ml/model is there and SAGEMAKER_MULTI_MODEL is not set");
    }
    chosen(Mode::Container, "nothing names a model")
}

fn single(model: &str) -> Result<Mode> {
    let unplaced = |error| Error::caused(ErrorKind::Io, format!("cannot tell where {model} lies"), error);
    Ok(Mode::SingleModel { model: path::absolute(Path::new(model)).map_err(unplaced)? })
}
