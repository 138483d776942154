//! Draws the plots as SVG.

use crate::report::{Plot, Point, Report};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use std::io;
use std::ops::Range;
use std::path::Path;

/// The file, title and axes of a plot.
pub(crate) struct Drawing {
    plot: Plot,
    /// The name of the file without its extension.
    pub(crate) file: &'static str,
    pub(crate) title: &'static str,
    x: &'static str,
    y: &'static str,
    /// Whether x is in bytes.
    bytes: bool,
}

/// All plots, in the order of the page.
pub(crate) const DRAWINGS: &[Drawing] = &[
    drawing(Plot::PutLatency, "put-latency", "Latency of a durable put", BODY, "µs a put", true),
    drawing(Plot::PutThroughput, "put-throughput", "Throughput of durable puts", BODY, "MB/s", true),
    drawing(Plot::EncodeThroughput, "encode", "Encoding mail text", BODY, "GB/s", true),
    drawing(Plot::DecodeThroughput, "decode", "Decoding mail text", BODY, "GB/s", true),
    drawing(Plot::ListItems, "listing", "Listing a queue, warm", "items in the queue", "µs an item", false),
    drawing(Plot::CallItems, "calls", "Calls in large queues", "items in the queue", "µs a call", false),
    drawing(Plot::Threads, "threads", "Durable puts of 2 KB", "threads", "puts a second", false),
    drawing(Plot::Memory, "memory", "Memory of the component", BODY, "MiB", true),
    drawing(Plot::Stores, "stores", "Durable puts, one writer", BODY, "µs a put", true),
];

const BODY: &str = "size of the body";

const fn drawing(
    plot: Plot,
    file: &'static str,
    title: &'static str,
    x: &'static str,
    y: &'static str,
    bytes: bool,
) -> Drawing {
    Drawing { plot, file, title, x, y, bytes }
}

/// A logarithmic axis.
#[derive(Clone)]
struct Axis {
    range: Range<f64>,
    marks: Vec<f64>,
    bytes: bool,
}

impl Axis {
    /// Creates an axis with a mark at each value.
    fn at(mut values: Vec<f64>, bytes: bool) -> Axis {
        values.sort_by(f64::total_cmp);
        values.dedup();
        let (low, high) = (values.first().copied().unwrap_or(1.0), values.last().copied().unwrap_or(1.0));
        Axis { range: low / 1.25..high * 1.25, marks: values, bytes }
    }

    /// Creates an axis with marks at powers of ten, and over a small range at 2 and 5 times those as well. A third of
    /// the axis, above the values, is left for the legend.
    fn over(values: impl Iterator<Item = f64>) -> Axis {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let range = low / 1.25..high * 1.25 * (high / low * 1.5).sqrt();
        let steps: &[f64] = if range.end / range.start < 2000.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let marks = (-6..12).flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
        Axis { marks: marks.filter(|mark| range.contains(mark)).collect(), range, bytes: false }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (begin, end): (i32, i32)) -> i32 {
        let part = (value / self.range.start).ln() / (self.range.end / self.range.start).ln();
        begin + (f64::from(end - begin) * part).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Grid lines between the marks would clutter the plot.
        if hint.weight().allow_light_points() { Vec::new() } else { self.marks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        if self.bytes {
            return crate::mail::size(*value as usize).replace(" bytes", " B");
        }
        match *value {
            1e6.. => format!("{} M", value / 1e6),
            1e3..1e6 => format!("{} k", value / 1e3),
            _ => format!("{value}"),
        }
    }
}

/// Draws every plot that has points into `directory` and returns the drawn ones.
pub(crate) fn draw_all(report: &Report, directory: &Path) -> io::Result<Vec<&'static Drawing>> {
    let mut drawn = Vec::new();
    for drawing in DRAWINGS {
        let points: Vec<&Point> = report.points.iter().filter(|point| point.plot == drawing.plot).collect();
        if points.is_empty() {
            continue;
        }
        draw(drawing, &points, &directory.join(format!("{}.svg", drawing.file)))
            .map_err(|error| io::Error::other(error.to_string()))?;
        drawn.push(drawing);
    }
    Ok(drawn)
}

/// Colours that colour-blind readers can tell apart.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(120, 94, 40),
    RGBColor(80, 80, 80),
];

fn draw(drawing: &Drawing, points: &[&Point], file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(file, (800, 480)).into_drawing_area();
    root.fill(&WHITE)?;
    let x = Axis::at(points.iter().map(|point| point.x).collect(), drawing.bytes);
    let y = Axis::over(points.iter().flat_map(|point| [point.y.low, point.y.high]));
    let mut chart = ChartBuilder::on(&root)
        .caption(drawing.title, ("sans-serif", 22))
        .margin(12)
        .margin_right(30)
        .x_label_area_size(45)
        .y_label_area_size(70)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(drawing.x)
        .y_desc(drawing.y)
        .x_labels(20)
        .y_labels(20)
        .label_style(("sans-serif", 14))
        .axis_desc_style(("sans-serif", 15))
        .light_line_style(WHITE)
        .draw()?;
    let mut lines: Vec<&str> = Vec::new();
    for point in points {
        if !lines.contains(&point.line.as_str()) {
            lines.push(&point.line);
        }
    }
    for (line, colour) in lines.into_iter().zip(COLOURS.iter().cycle()) {
        let mut of: Vec<&&Point> = points.iter().filter(|point| point.line == line).collect();
        of.sort_by(|one, other| one.x.total_cmp(&other.x));
        chart
            .draw_series(LineSeries::new(of.iter().map(|point| (point.x, point.y.median)), colour.stroke_width(2)))?
            .label(line)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        // A bar from quartile to quartile, and a dot at the median.
        chart.draw_series(
            of.iter().map(|point| PathElement::new([(point.x, point.y.low), (point.x, point.y.high)], *colour)),
        )?;
        chart.draw_series(of.iter().map(|point| Circle::new((point.x, point.y.median), 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .label_font(("sans-serif", 14))
        .draw()?;
    root.present()?;
    Ok(())
}
