//! What changes in the source and on disk.

use std::time::Duration;

use super::{seconds, setting::Settings};
use crate::{arguments, error::Result, size};

/// What changes in the source and on disk; a value of this type has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// How often the source is asked for changes; `None` is never.
    pub refresh: Option<Duration>,
    /// How long a model whose artifact is gone is still served.
    pub deleted_grace: Duration,
    /// What the cache may take on disk in bytes; `None` is all there is.
    pub cache_bytes_max: Option<u64>,
}

/// What was set, else the defaults.
pub(super) fn freshness(options: &arguments::Freshness, settings: &Settings<'_>) -> Result<Freshness> {
    let (refresh, grace, limit) = (&options.refresh, &options.deleted_grace, &options.cache_limit);
    let refresh = seconds(settings, "--refresh", refresh.as_ref(), "THICKET_REFRESH", 60)?;
    let expected = "a size above 0, such as 20GiB";
    let cache_bytes_max =
        settings.parsed("--cache-limit", limit.as_ref(), &["THICKET_CACHE_LIMIT"], expected, |text| {
            size::parse(text).filter(|bytes| *bytes > 0)
        })?;
    Ok(Freshness {
        refresh: Some(refresh).filter(|refresh| !refresh.is_zero()),
        deleted_grace: seconds(settings, "--deleted-grace", grace.as_ref(), "THICKET_DELETED_GRACE", 60)?,
        cache_bytes_max,
    })
}
