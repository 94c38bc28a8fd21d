//! A line of a picture: text in styles, whatever it came from.

/// How a part of a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Strong,
    Faint,
    Good,
    Notable,
    Bad,
}

impl Style {
    /// The escape sequence that begins it.
    fn sequence(self) -> &'static str {
        match self {
            Self::Plain => "\x1b[0m",
            Self::Strong => "\x1b[0;1m",
            Self::Faint => "\x1b[0;2m",
            Self::Good => "\x1b[0;32m",
            Self::Notable => "\x1b[0;33m",
            Self::Bad => "\x1b[0;1;31m",
        }
    }
}

/// A line without its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line(Vec<(Style, String)>);

impl Line {
    /// With more text, which may be anybody's: what would move the cursor or be invisible is written as its escape.
    #[must_use]
    pub(super) fn and(mut self, style: Style, text: impl AsRef<str>) -> Self {
        self.0.push((style, visible(text.as_ref())));
        self
    }

    #[must_use]
    pub(super) fn plain_text(self, text: impl AsRef<str>) -> Self {
        self.and(Style::Plain, text)
    }

    /// The text alone.
    pub(super) fn plain(&self) -> String {
        let text: String = self.0.iter().map(|(_, text)| text.as_str()).collect();
        text.trim_end().to_owned()
    }

    /// The text for a terminal, in no more than `columns`.
    pub(super) fn for_terminal(&self, columns: usize) -> String {
        let mut told = String::new();
        let mut left = columns;
        for (style, text) in &self.0 {
            told.push_str(style.sequence());
            for character in text.chars() {
                let Some(rest) = left.checked_sub(width(character)) else { return told + Style::Plain.sequence() };
                told.push(character);
                left = rest;
            }
        }
        told + Style::Plain.sequence()
    }
}

/// Columns that a character takes at the most; those that we draw with take one.
fn width(character: char) -> usize {
    let is_narrow = character.is_ascii() || matches!(character, '\u{a0}'..='\u{24f}' | '\u{2500}'..='\u{259f}' | '–');
    if is_narrow { 1 } else { 2 }
}

fn visible(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => told.push(character),
            _ => told.extend(character.escape_debug()),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_name_drives_the_terminal() {
        let line = Line::default().plain_text("a\x1b[2J\r\n\u{202e}b\u{7}\"'\\é");
        assert_eq!(line.plain(), "a\\u{1b}[2J\\r\\n\\u{202e}b\\u{7}\"'\\é");
        assert_eq!(line.for_terminal(99).matches('\x1b').count(), 2);
    }

    #[test]
    fn lines_are_cut_where_the_terminal_ends() {
        let line = Line::default().and(Style::Bad, "abc").plain_text("日本de");
        let shown = |columns| {
            let told = line.for_terminal(columns);
            let texts: Vec<&str> = told.split('\x1b').filter_map(|part| Some(part.split_once('m')?.1)).collect();
            texts.concat()
        };
        assert_eq!(
            [shown(2), shown(3), shown(4), shown(5), shown(8), shown(80)].join("|"),
            "ab|abc|abc|abc日|abc日本d|abc日本de"
        );
    }
}
