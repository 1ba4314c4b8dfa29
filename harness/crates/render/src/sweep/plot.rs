//! A sweep as a picture: Base and New over the values, a panel an upgrade.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::plot::PlotError;
use harness_report::sweep::{METHOD, Panel, Point, Sweep};

/// Least width, and height of a panel in pixels.
const PANEL: (u32, u32) = (640, 420);
/// Room for a letter of a label under the axis.
const LETTER: u32 = 8;
/// Height of a line of the legend, with the share of the panel that is not plot.
const LINE: u32 = 24;
/// Okabe and Ito's colours, which differ for colour-blind readers too.
const COLOURS: [RGBColor; 4] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
];

type DrawingError = DrawingAreaErrorKind<std::io::Error>;

/// An SVG: New as full points, Base as rings, the target's zero-shot as a line.
/// Values stand evenly spaced, in their order.
///
/// # Errors
/// When the picture cannot be drawn.
pub fn svg(sweep: &Sweep) -> Result<String, PlotError> {
    let mut text = String::new();
    draw(sweep, &mut text)?;
    Ok(text)
}

fn draw(sweep: &Sweep, text: &mut String) -> Result<(), DrawingError> {
    let count = sweep.panels.len().max(1);
    let widths = sweep.panels.iter().map(|panel| {
        let ticks = ticks(panel);
        let longest = ticks.iter().map(|(_, label)| label.chars().count()).max();
        ticks.len() as u32 * LETTER * longest.unwrap_or(0) as u32
    });
    let width = widths.fold(PANEL.0, u32::max);
    let size = (width * count as u32, PANEL.1);
    let root = SVGBackend::with_string(text, size).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, panel) in root.split_evenly((1, count)).iter().zip(&sweep.panels) {
        draw_panel(panel, &sweep.key, area)?;
    }
    root.present()
}

/// Every value of the panel once, rising, with its label: the places on its axis.
fn ticks(panel: &Panel) -> Vec<(f64, &str)> {
    let points = panel.series.iter().flat_map(|line| &line.points);
    let mut ticks: Vec<(f64, &str)> = points.map(|p| (p.value, &*p.label)).collect();
    ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
    ticks.dedup();
    ticks
}

fn draw_panel(
    panel: &Panel,
    key: &str,
    area: &DrawingArea<SVGBackend<'_>, Shift>,
) -> Result<(), DrawingError> {
    let ticks = ticks(panel);
    let place = |value: f64| ticks.iter().position(|t| t.0 == value).unwrap_or(0) as f64;
    let points = || panel.series.iter().flat_map(|line| &line.points);
    let means = points().flat_map(|p| [p.base.mean, p.new.mean]);
    let means = means.chain(panel.zero_target).map(|mean| 100.0 * mean);
    let (low, high) = means.fold((100.0_f64, 0.0_f64), |(l, h), m| (l.min(m), h.max(m)));
    // Below the lowest point there is room for the legend.
    let entries = 1 + 2 * panel.series.len();
    let share = (f64::from(LINE) * (entries + 1) as f64 / f64::from(PANEL.1)).min(0.5);
    let legend = ((high - low) * share / (1.0 - share)).max(3.0);
    let (low, high) = ((low - legend).max(0.0), (high + 3.0).min(100.0));
    let last = ticks.len().saturating_sub(1) as f64;
    let (source, target) = (&panel.upgrade.source, &panel.upgrade.target);
    let mut chart = ChartBuilder::on(area)
        .caption(
            format!("{source} → {target}, {} shots", panel.shots),
            ("sans-serif", 16),
        )
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(-0.5..last + 0.5, low..high.max(low + 1.0))?;
    let tick = |x: &f64| match ticks.get(x.round().max(0.0) as usize) {
        Some((_, label)) if (x - x.round()).abs() < 0.1 => (*label).to_owned(),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(1)
        .x_labels(ticks.len() + 2)
        .x_label_formatter(&tick)
        .x_desc(key)
        .y_desc("accuracy, %")
        .draw()?;
    if let Some(zero_shot) = panel.zero_target {
        let level = 100.0 * zero_shot;
        let ends = [(-0.5, level), (last + 0.5, level)];
        chart
            .draw_series(LineSeries::new(ends, BLACK.stroke_width(1)))?
            .label(format!("zero-shot on {target}"))
            .legend(|(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], BLACK));
    }
    for (index, line) in panel.series.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        for (what, full) in [("New", true), ("Base", false)] {
            let of = |point: &Point| if full { point.new } else { point.base };
            let at: Vec<(f64, f64)> = line
                .points
                .iter()
                .map(|p| (place(p.value), 100.0 * of(p).mean))
                .collect();
            let style = ShapeStyle {
                color: colour.to_rgba(),
                filled: full,
                stroke_width: 2,
            };
            if key != METHOD {
                chart.draw_series(LineSeries::new(at.clone(), colour.stroke_width(1)))?;
            }
            chart
                .draw_series(at.into_iter().map(|at| Circle::new(at, 4, style)))?
                .label(format!("{what}, {}", line.name))
                .legend(move |(x, y)| Circle::new((x + 8, y), 4, style));
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()
}
