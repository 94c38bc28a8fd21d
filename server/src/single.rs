//! The only model of a server that has one: loaded at the start, and what is selected of its predictions.

use std::sync::Arc;

use thicket_engine::{Engine, Output};
use tracing::warn;

use crate::{
    configuration::{Configuration, Mode},
    encode::{Selection, Selector},
    error::{Error, ErrorKind, Result},
    failure::{Class, Failure},
};

/// What the engine knows the model by.
pub(crate) const NAME: &str = "model";

/// The one model of this server; having this is the proof that it is loaded.
#[derive(Debug)]
pub(crate) struct Single {
    /// What is answered in place of whole predictions, or why that cannot be.
    selected: Option<Result<Arc<Selector>, String>>,
}

impl Single {
    /// Loads the model where the server is to have one.
    ///
    /// # Errors
    /// [`ErrorKind::Engine`] when it cannot be loaded.
    pub(crate) async fn load(engine: &Engine, configuration: &Configuration) -> Result<Option<Self>> {
        let Mode::SingleModel { model } = &configuration.mode else { return Ok(None) };
        let failed =
            |error| Error::caused(ErrorKind::Engine, format!("cannot load the model at {}", model.display()), error);
        engine.load(NAME, model).await.map_err(failed)?;
        let lease = engine.loaded(NAME).map_err(failed)?;
        let selection = configuration.selection.as_ref();
        Ok(Some(Self { selected: selection.map(|selection| selected(selection, &lease)) }))
    }

    /// What is to be selected of that output; of others than values nothing is.
    ///
    /// # Errors
    /// [`Class::Internal`] when the model's objective has nothing to select.
    pub(crate) fn selector(&self, output: Output) -> Result<Option<Arc<Selector>>, Failure> {
        match &self.selected {
            Some(selected) if output == Output::Value => match selected {
                Ok(selector) => Ok(Some(Arc::clone(selector))),
                Err(message) => Err(Failure::new(Class::Internal, message)),
            },
            _ => Ok(None),
        }
    }
}

/// The selection for this model; what cannot be had is told to the log once.
fn selected(selection: &Selection, model: &thicket_engine::Model) -> Result<Arc<Selector>, String> {
    let objective = model.objective().unwrap_or_default();
    let Some(selector) = selection.of(&objective, model.targets().unwrap_or(1)) else {
        let message = format!("Objective `{objective}` unsupported for selectable inference predictions.");
        warn!(reason = message, "SAGEMAKER_INFERENCE_OUTPUT cannot be answered");
        return Err(message);
    };
    for name in selector.missing() {
        warn!(name, objective, "SAGEMAKER_INFERENCE_OUTPUT names what the objective does not have: it is NaN");
    }
    Ok(Arc::new(selector))
}
