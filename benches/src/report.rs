//! Results as one page for a browser: tables and charts, nothing that is fetched or run.

mod axis;
mod charts;
mod density;
mod document;
mod html;
mod svg;

use std::{fs, path::Path};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    arguments::Report,
    capacity::Capacity,
    conversion, csv,
    density::{Figures, tables},
    error::{Error, Result},
    http, kernels,
    outcome::{Circumstances, Outcome},
    state::{self, State},
    table::Table,
    workload::children,
    zipf,
};
use document::Document;
use html::Page;

/// Writes the page of all results in the folder.
///
/// # Errors
/// When a result cannot be read or the page not be written, and when there is none.
pub fn run(options: &Report) -> Result<()> {
    let results = Results::read(&options.folder)?;
    let path = options.output.clone().unwrap_or_else(|| options.folder.join("report.html"));
    fs::write(&path, results.page()).map_err(Error::file(&path))?;
    println!("{}", path.display());
    options.into.as_ref().map_or(Ok(()), |path| results.document().write(path))
}

/// The results of each kind.
#[derive(Default)]
struct Results {
    http: Vec<Outcome<http::Figures>>,
    /// Of models by their state, over HTTP and in process.
    states: Vec<Outcome<Vec<State>>>,
    zipf: Vec<Outcome<zipf::Figures>>,
    density: Vec<Outcome<Figures>>,
    /// Of other servers, beside those.
    capacities: Vec<Outcome<Capacity>>,
    kernels: Vec<Outcome<Vec<kernels::Figure>>>,
    csv: Vec<Outcome<Vec<csv::Figure>>>,
    conversions: Vec<Outcome<Vec<conversion::Figure>>>,
    /// Of every result, in the order of the files.
    circumstances: Vec<(String, Circumstances)>,
}

impl Results {
    fn read(folder: &Path) -> Result<Self> {
        let mut results = Self::default();
        for path in children(folder)?.iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
            let text = fs::read(path).map_err(Error::file(path))?;
            results
                .add(serde_json::from_slice(&text).map_err(Error::at(path.display()))?)
                .map_err(|error| Error::new(format!("{}: {error}", path.display())))?;
        }
        if results.circumstances.is_empty() {
            return Err(Error::new(format!("{}: no results, expected KIND-NAME.json", folder.display())));
        }
        Ok(results)
    }

    fn add(&mut self, outcome: Outcome<Value>) -> Result<()> {
        self.circumstances.push((format!("{} {}", outcome.kind, outcome.name), outcome.circumstances.clone()));
        match outcome.kind.as_str() {
            "http" => self.http.push(typed(outcome)?),
            "cold" | "inprocess" => self.states.push(typed(outcome)?),
            "zipf" => self.zipf.push(typed(outcome)?),
            "density" => self.density.push(typed(outcome)?),
            // The table that it printed is all there is to see of it.
            "soak" => {}
            "capacity" => self.capacities.push(typed(outcome)?),
            "kernels" => self.kernels.push(typed(outcome)?),
            "csv" => self.csv.push(typed(outcome)?),
            "conversion" => self.conversions.push(typed(outcome)?),
            kind => return Err(Error::new(format!("results of an unknown kind: {kind}"))),
        }
        Ok(())
    }

    fn page(&self) -> String {
        let mut page = Page::default();
        self.of_http(&mut page);
        for outcome in &self.states {
            let place = if outcome.kind == "cold" { "over HTTP" } else { "in process" };
            page.section(&format!("First and later answers {place}: {}", outcome.name));
            page.table(&state::table(&outcome.results));
            page.figures([charts::latencies(outcome.results.iter().map(|one| (one.state.as_str(), &one.latency)))]);
        }
        for outcome in &self.zipf {
            let figures = &outcome.results;
            page.section(&format!("More models than fit in memory: {}", outcome.name));
            page.text(&format!(
                "Zipf({}) over {} models, of which {:.0} MiB may be in memory.",
                figures.exponent,
                figures.models,
                figures.memory_limit_bytes / f64::from(1 << 20)
            ));
            page.table(&zipf::table(&[(&outcome.name, figures)]));
            page.figures(charts::course(figures));
        }
        self.of_density(&mut page);
        for outcome in &self.kernels {
            page.section(&format!("Kernels in process: {}", outcome.name));
            page.table(&kernels::table(&outcome.results));
        }
        for outcome in &self.csv {
            page.section(&format!("Reading CSV in process: {}", outcome.name));
            page.table(&csv::table(&outcome.results));
        }
        for outcome in &self.conversions {
            page.section(&format!("Conversion in process: {}", outcome.name));
            page.table(&conversion::table(&outcome.results));
        }
        page.finish(&self.circumstances)
    }

    fn of_density(&self, page: &mut Page) {
        for outcome in &self.density {
            let figures = &outcome.results;
            page.section(&format!("Many models in little memory: {}", outcome.name));
            page.text(&density::introduction(figures));
            for table in &tables(figures) {
                page.table(table);
            }
            page.figures(density::charts(figures).map(|(_, chart)| chart));
        }
        if !self.capacities.is_empty() {
            page.section("Models in the same memory");
            page.table(&self.capacity_table());
        }
    }

    fn capacity_table(&self) -> Table {
        let rivals: Vec<_> = self.capacities.iter().map(|one| (one.name.as_str(), &one.results)).collect();
        density::capacities(&self.density.iter().map(|one| &one.results).collect::<Vec<_>>(), &rivals)
    }

    /// What a document of the repository says of density.
    fn document(&self) -> Document {
        let mut document = Document::default();
        for Outcome { results: figures, circumstances, .. } in &self.density {
            document.text(&density::introduction(figures));
            document.text(&format!("Measured on {}.", circumstances.machine()));
            for table in &tables(figures) {
                document.table(table);
            }
            for (name, chart) in density::charts(figures) {
                document.chart(&format!("density-{name}"), &chart);
            }
        }
        if !self.capacities.is_empty() {
            document.table(&self.capacity_table());
        }
        document
    }

    fn of_http(&self, page: &mut Page) {
        if self.http.is_empty() {
            return;
        }
        let runs: Vec<_> = self.http.iter().map(|outcome| (outcome.name.as_str(), &outcome.results)).collect();
        page.section("Requests to servers");
        page.table(&http::table(&runs));
        page.figures([
            charts::latencies(runs.iter().map(|(name, figures)| (*name, &figures.summary.latency))),
            charts::memory(&runs),
        ]);
    }
}

fn typed<T: DeserializeOwned>(outcome: Outcome<Value>) -> Result<Outcome<T>> {
    let Outcome { kind, name, circumstances, results } = outcome;
    Ok(Outcome { kind, name, circumstances, results: serde_json::from_value(results).map_err(Error::at("results"))? })
}

#[cfg(test)]
mod tests;
