//! One setting at a time: the flag, else the first variable that is set, with its name kept for complaints.

use crate::error::{Error, ErrorKind, Result};

/// The places where settings are looked for.
pub(super) struct Settings<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

/// A value and the name of the option or variable that gave it.
struct Setting {
    origin: &'static str,
    text: String,
}

impl<'a> Settings<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// What `option` was given on the command line, else the first of `variables` that is set and not empty.
    fn find(&self, option: &'static str, flag: Option<&String>, variables: &[&'static str]) -> Option<Setting> {
        if let Some(text) = flag {
            return Some(Setting { origin: option, text: text.clone() });
        }
        let mut set = variables.iter().map(|&origin| Some(Setting { origin, text: (self.lookup)(origin)? }));
        set.find_map(|setting| setting.filter(|setting| !setting.text.is_empty()))
    }

    /// The setting as it is.
    pub(super) fn text(
        &self,
        option: &'static str,
        flag: Option<&String>,
        variables: &[&'static str],
    ) -> Option<String> {
        self.find(option, flag, variables).map(|setting| setting.text)
    }

    /// A variable that has no option of its own.
    pub(super) fn variable(&self, name: &'static str) -> Option<String> {
        self.text(name, None, &[name])
    }

    /// The setting as `parse` reads it; a value that it does not read is refused by name.
    pub(super) fn parsed<T>(
        &self,
        option: &'static str,
        flag: Option<&String>,
        variables: &[&'static str],
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(Setting { origin, text }) = self.find(option, flag, variables) else { return Ok(None) };
        let refused =
            || Error::new(ErrorKind::Usage, format!("{origin}: '{text}' cannot be used, expected {expected}"));
        parse(&text).map(Some).ok_or_else(refused)
    }
}
