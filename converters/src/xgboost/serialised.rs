//! Whole model files of XGBoost: which reader takes which form, and what `pickle` wraps around a model.

use super::{Learner, legacy, schema};
use crate::booster::Booster;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::form::{CONFIGURED_SIGNATURE, Form, recognise};
use crate::json;
use crate::ubjson;
use crate::value::Value;

/// Reads a model in any form but a pickle.
pub(crate) fn read(bytes: &[u8]) -> Result<Booster> {
    learner(bytes)?.booster()
}

fn learner(bytes: &[u8]) -> Result<Learner> {
    let form = recognise(bytes);
    match form {
        Form::Json => schema::read(model(&json::parse(bytes)?), form),
        Form::Ubjson => schema::read(model(&ubjson::parse(bytes)?), form),
        Form::Legacy | Form::LegacySigned => legacy::read(bytes, form),
        Form::LegacyConfigured => legacy::read(before_configuration(bytes)?, form),
        Form::Pickle | Form::Onnx | Form::Unknown => {
            Err(Error::malformed("offset 0", format_args!("expected a model of XGBoost, found {form}")))
        }
    }
}

/// The model of a file, which the inside of a pickle holds beside its configuration.
fn model<'v, 'a>(root: &'v Value<'a>) -> &'v Value<'a> {
    root.find("Model").unwrap_or(root)
}

/// The model before the offset of the configuration that follows it.
fn before_configuration(bytes: &[u8]) -> Result<&[u8]> {
    let mut cursor = Cursor::new(bytes);
    cursor.take(CONFIGURED_SIGNATURE.len())?;
    let length = cursor.u64_little()?;
    cursor.take_counted(length)
}
