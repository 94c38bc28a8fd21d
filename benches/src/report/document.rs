//! Tables and charts in a document of the repository: between two marks, as Markdown and files beside it.

use std::{fmt::Write, fs, path::Path};

use super::svg::Chart;
use crate::{
    error::{Error, Result},
    table::Table,
};

const BEGIN: &str = "<!-- figures: written by `make density` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// What is to stand between the marks.
#[derive(Debug, Default)]
pub(super) struct Document {
    text: String,
    /// By the name of the file.
    charts: Vec<(String, String)>,
}

impl Document {
    /// Adds a paragraph.
    pub(super) fn text(&mut self, text: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{text}\n");
    }

    /// Adds a table.
    pub(super) fn table(&mut self, table: &Table) {
        for (number, row) in table.rows().iter().enumerate() {
            let _ = writeln!(self.text, "| {} |", row.join(" | "));
            if number == 0 {
                let _ = writeln!(self.text, "| --- |{}", " ---: |".repeat(row.len() - 1));
            }
        }
        self.text.push('\n');
    }

    /// Adds a chart, to lie in the file `name` beside the document.
    pub(super) fn chart(&mut self, name: &str, chart: &Chart) {
        self.text(&format!("![{}]({name}.svg)", chart.title));
        self.charts.push((format!("{name}.svg"), chart.alone()));
    }

    /// Puts it all into the document at `path`.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let old = fs::read_to_string(path).map_err(Error::file(path))?;
        let new = self.replaced(&old).ok_or_else(|| {
            Error::new(format!("{}: expected the lines {} and {}", path.display(), BEGIN.trim(), END.trim()))
        })?;
        fs::write(path, new).map_err(Error::file(path))?;
        for (name, svg) in &self.charts {
            let path = path.with_file_name(name);
            fs::write(&path, svg).map_err(Error::file(&path))?;
        }
        Ok(())
    }

    fn replaced(&self, old: &str) -> Option<String> {
        let (before, rest) = old.split_once(BEGIN)?;
        let (_, after) = rest.split_once(END)?;
        Some(format!("{before}{BEGIN}\n{}{END}{after}", self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_marks_is_replaced() {
        let mut document = Document::default();
        let mut table = Table::new(&["a", "b"]);
        table.row(["c".to_owned(), "1".to_owned()]);
        document.table(&table);
        let once = document.replaced(&format!("above\n{BEGIN}old{END}below\n")).unwrap();
        assert_eq!(once, format!("above\n{BEGIN}\n| a | b |\n| --- | ---: |\n| c | 1 |\n\n{END}below\n"));
        assert_eq!(document.replaced(&once), Some(once.clone()));
        assert_eq!(document.replaced("no marks"), None);
    }
}
