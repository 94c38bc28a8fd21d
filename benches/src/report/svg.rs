//! Draws a chart as inline SVG. Colours are classes, so that the page chooses them for light and dark.

use std::fmt::Write;

use super::axis::Axis;

/// What colours and lines a chart has, in a page and alone.
pub(super) const STYLE: &str = include_str!("chart.css");

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 270.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 42.0;

/// Colours that there are.
pub(super) const COLOURS: usize = 6;

/// One line of a chart.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// What it is called in the legend.
    pub(super) name: String,
    /// Its points from left to right.
    pub(super) points: Vec<(f64, f64)>,
    /// Whether the area below is tinted.
    pub(super) is_filled: bool,
}

/// A chart with its title.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// What it shows.
    pub(super) title: &'static str,
    /// From left to right.
    pub(super) x: Axis,
    /// From bottom to top.
    pub(super) y: Axis,
    /// Lines with a legend.
    pub(super) series: Vec<Series>,
}

impl Chart {
    /// The `svg` element.
    pub(super) fn draw(&self) -> String {
        let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", self.title);
        self.grid(&mut svg);
        for (number, series) in self.series.iter().enumerate() {
            self.line(&mut svg, series, number % COLOURS);
        }
        svg.push_str("</svg>");
        svg
    }

    /// The same as a file of its own, with title, legend and colours.
    pub(super) fn alone(&self) -> String {
        const HEAD: f64 = 44.0;
        let mut head = format!("<text class=\"title\" x=\"{LEFT}\" y=\"16\">{}</text>", self.title);
        let mut x = LEFT;
        for (number, series) in self.series.iter().enumerate() {
            let (colour, name) = (number % COLOURS, escaped(&series.name));
            // Writing to a string does not fail.
            let _ = write!(head, "<path class=\"line c{colour}\" d=\"M{x:.0} 31h14\"/>");
            let _ = write!(head, "<text x=\"{:.0}\" y=\"35\">{name}</text>", x + 19.0);
            x += 40.0 + 6.5 * f64::from(u16::try_from(series.name.len()).unwrap_or_default());
        }
        let drawing = self.draw().replacen("<svg ", &format!("<svg y=\"{HEAD}\" height=\"{HEIGHT}\" "), 1);
        let (height, ground) = (HEIGHT + HEAD, "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>");
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\">\n<style>{STYLE}</style>{ground}\n\
             {head}\n{drawing}\n</svg>\n"
        )
    }

    fn left(&self, value: f64) -> f64 {
        LEFT + self.x.position(value) * (WIDTH - LEFT - RIGHT)
    }

    fn top(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.position(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn grid(&self, svg: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        // Writing to a string does not fail.
        for (value, text) in self.y.ticks() {
            let y = self.top(value);
            let _ = write!(svg, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>");
            let _ = write!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>", LEFT - 7.0, y + 4.0);
        }
        for (value, text) in self.x.ticks() {
            let x = self.left(value);
            let _ = write!(svg, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/>");
            let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{text}</text>", bottom + 16.0);
        }
        let _ = write!(svg, "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>");
        let (middle, low) = (f64::midpoint(LEFT, right), HEIGHT - 6.0);
        let _ = write!(
            svg,
            "<text class=\"label\" x=\"{middle}\" y=\"{low}\" text-anchor=\"middle\">{}</text>",
            self.x.label
        );
        let height = f64::midpoint(TOP, bottom);
        let _ = write!(
            svg,
            "<text class=\"label\" transform=\"translate(12 {height}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            self.y.label
        );
    }

    fn line(&self, svg: &mut String, series: &Series, colour: usize) {
        let place = |&(x, y): &(f64, f64)| format!("{:.1} {:.1}", self.left(x), self.top(y));
        let path = series.points.iter().map(place).collect::<Vec<_>>().join("L");
        let (Some(first), Some(last)) = (series.points.first(), series.points.last()) else { return };
        if series.is_filled {
            let (first, last, bottom) = (self.left(first.0), self.left(last.0), HEIGHT - BOTTOM);
            let area = format!("M{first:.1} {bottom}L{path}L{last:.1} {bottom}Z");
            let _ = write!(svg, "<path class=\"area c{colour}\" d=\"{area}\"/>");
        }
        let _ = write!(svg, "<path class=\"line c{colour}\" d=\"M{path}\"/>");
    }
}

/// Text as it stands between tags and in attributes.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
