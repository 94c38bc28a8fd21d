//! How rows are read where containers differ.

use super::{compat::Compat, setting::Settings};
use crate::{arguments::Serve, decode::Rules, error::Result, libsvm::FirstIndex};

/// The choices that were made, else those of the released containers.
pub(super) fn rules(serve: &Serve, settings: &Settings<'_>, compat: Compat) -> Result<Rules> {
    let (flag, variables) = (serve.libsvm_index.as_ref(), &["THICKET_LIBSVM_INDEX"]);
    let libsvm_index = settings.parsed("--libsvm-index", flag, variables, "zero or auto", |text| match text {
        "zero" => Some(FirstIndex::Zero),
        "auto" => Some(FirstIndex::Auto),
        _ => None,
    })?;
    Ok(Rules { beyond_aws: !compat.is_strict(), libsvm_index: libsvm_index.unwrap_or_default() })
}
