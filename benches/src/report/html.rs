//! The page around tables and charts.

use std::fmt::Write;

use super::svg::{COLOURS, Chart, STYLE as CHART_STYLE, escaped};
use crate::{outcome::Circumstances, table::Table};

const STYLE: &str = include_str!("style.css");

/// A page that is being written, section by section.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Begins a section.
    pub(super) fn section(&mut self, title: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "<h2>{}</h2>", escaped(title));
    }

    /// Adds a paragraph.
    pub(super) fn text(&mut self, text: &str) {
        let _ = writeln!(self.0, "<p>{}</p>", escaped(text));
    }

    /// Adds a table.
    pub(super) fn table(&mut self, table: &Table) {
        self.0.push_str("<div class=\"wide\"><table>");
        for (number, row) in table.rows().iter().enumerate() {
            let cell = if number == 0 { "th" } else { "td" };
            let cells = row.iter().map(|text| format!("<{cell}>{}</{cell}>", escaped(text)));
            let _ = writeln!(self.0, "<tr>{}</tr>", cells.collect::<String>());
        }
        self.0.push_str("</table></div>\n");
    }

    /// Adds charts beside each other; those without lines are left out.
    pub(super) fn figures(&mut self, charts: impl IntoIterator<Item = Chart>) {
        self.0.push_str("<div class=\"charts\">");
        for chart in charts.into_iter().filter(|chart| !chart.series.is_empty()) {
            let _ = writeln!(
                self.0,
                "<figure><figcaption>{}</figcaption>{}{}</figure>",
                chart.title,
                legend(&chart),
                chart.draw()
            );
        }
        self.0.push_str("</div>\n");
    }

    /// The whole page, with how each result came about at its end.
    pub(super) fn finish(mut self, circumstances: &[(String, Circumstances)]) -> String {
        self.section("How this was measured");
        self.0.push_str("<dl>");
        for (name, one) in circumstances {
            let (name, machine, command) = (escaped(name), escaped(&one.machine()), escaped(&one.command));
            let _ = writeln!(self.0, "<dt>{name}</dt><dd>{machine}<br><code>{command}</code></dd>");
        }
        let body = self.0;
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>thicket, measured</title>\
             <style>{CHART_STYLE}{STYLE}</style></head>\n<body><h1>thicket, measured</h1>\n{body}</dl></body></html>\n"
        )
    }
}

fn legend(chart: &Chart) -> String {
    let entry = |(number, name): (usize, &str)| {
        format!("<span><i class=\"c{}\"></i>{}</span>", number % COLOURS, escaped(name))
    };
    let entries: String = chart.series.iter().map(|one| one.name.as_str()).enumerate().map(entry).collect();
    format!("<div class=\"legend\">{entries}</div>")
}
