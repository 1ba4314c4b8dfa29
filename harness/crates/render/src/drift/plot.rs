//! The change of a text tower as a picture.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::plot::PlotError;
use harness_report::drift::Drift;

/// Width and height of a panel in pixels.
const PANEL: (u32, u32) = (640, 420);
/// Okabe and Ito's colours, which differ for colour-blind readers too.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

type DrawingError = DrawingAreaErrorKind<std::io::Error>;

/// An SVG of the relative changes: parameters, and features where data sets were named.
///
/// # Errors
/// When the picture cannot be drawn.
pub fn svg(drift: &Drift) -> Result<String, PlotError> {
    let mut text = String::new();
    draw(drift, &mut text)?;
    Ok(text)
}

fn draw(drift: &Drift, text: &mut String) -> Result<(), DrawingError> {
    let panels = if drift.datasets.is_empty() { 1 } else { 2 };
    let size = (PANEL.0 * panels, PANEL.1);
    let root = SVGBackend::with_string(text, size).into_drawing_area();
    root.fill(&WHITE)?;
    let areas = root.split_evenly((1, panels as usize));
    let parameters: Vec<f64> = drift
        .layers
        .iter()
        .map(|layer| layer.change.relative.unwrap_or(0.0))
        .collect();
    let title = format!("{} → {}", drift.source.name, drift.target.name);
    let caption = format!("{title}: parameters, ‖Δθ‖/‖θ‖");
    draw_panel(drift, &areas[0], &caption, &[("", parameters)])?;
    if let Some(area) = areas.get(1) {
        let lines = drift.datasets.iter().map(|dataset| {
            let values = dataset.layers.iter().map(|change| change.relative);
            (dataset.name.as_str(), values.collect())
        });
        let caption = format!("{title}: features at the end token, ‖Δh‖/‖h‖");
        draw_panel(drift, area, &caption, &lines.collect::<Vec<_>>())?;
    }
    root.present()
}

/// One panel: a line a name, over the layers.
fn draw_panel(
    drift: &Drift,
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    caption: &str,
    lines: &[(&str, Vec<f64>)],
) -> Result<(), DrawingError> {
    let values = lines.iter().flat_map(|(_, values)| values.iter().copied());
    let highest = values.fold(0.0_f64, f64::max);
    let top = if highest > 0.0 { highest * 1.1 } else { 1.0 };
    let last = drift.layers.len().saturating_sub(1);
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(-0.5..last as f64 + 0.5, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(1)
        .x_labels(last + 2)
        .x_label_formatter(&|x| tick(drift, *x))
        .x_desc("layer of the text tower")
        .draw()?;
    for (index, (name, values)) in lines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let points = values.iter().enumerate();
        let points: Vec<(f64, f64)> = points.map(|(x, y)| (x as f64, *y)).collect();
        let line = LineSeries::new(points.clone(), colour.stroke_width(2));
        let series = chart.draw_series(line)?;
        if !name.is_empty() {
            series.label(*name).legend(move |(x, y)| {
                PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2))
            });
        }
        chart.draw_series(PointSeries::of_element(
            points,
            3,
            &colour,
            &|at, size, style| Circle::new(at, size, style.filled()),
        ))?;
    }
    if lines.len() > 1 || lines.iter().any(|(name, _)| !name.is_empty()) {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
    }
    Ok(())
}

/// Short name of a layer: `emb`, the number of a block, `proj`.
fn tick(drift: &Drift, x: f64) -> String {
    let last = drift.layers.len().saturating_sub(1) as f64;
    match x.round() {
        at if (at - x).abs() > 0.1 || at < 0.0 || at > last => String::new(),
        0.0 => "emb".to_owned(),
        at if at == last => "proj".to_owned(),
        at => format!("{at}"),
    }
}

#[cfg(test)]
mod tests {
    use super::svg;
    use crate::drift::{dataset_head, dataset_rows, head, rows};
    use harness_report::drift::{
        Backbone, Change, DatasetDrift, Drift, FeatureChange, LayerDrift, ParameterDrift,
    };

    fn drift(datasets: &[&str]) -> Drift {
        let backbone = |name: &str| Backbone {
            name: name.to_owned(),
            layout: "open-clip".to_owned(),
            sha256: "0".repeat(64),
            activation: "gelu".to_owned(),
        };
        let change = |relative| Change {
            mean_absolute: 0.1,
            norm: 2.0,
            relative,
        };
        let layer = |name: &str, relative| LayerDrift {
            name: name.to_owned(),
            change: change(relative),
            parameters: vec![ParameterDrift {
                name: "x".to_owned(),
                shape: vec![2, 3],
                change: change(relative),
            }],
        };
        let feature = |relative| FeatureChange {
            absolute: 1.0,
            relative,
            cosine: 0.5,
        };
        Drift {
            schema: Drift::FORMAT.to_owned(),
            source: backbone("old & <small>"),
            target: backbone("new"),
            layers: vec![
                layer("embeddings", Some(0.1)),
                layer("block 1", None),
                layer("projection", Some(0.4)),
            ],
            datasets: datasets
                .iter()
                .map(|name| DatasetDrift {
                    name: (*name).to_owned(),
                    prompts: 3,
                    layers: vec![feature(0.0), feature(0.2), feature(0.9)],
                })
                .collect(),
        }
    }

    #[test]
    fn a_picture_names_its_axes_and_lines() {
        let two = svg(&drift(&["digits", "shapes"])).unwrap();
        for part in [
            "<svg",
            "emb",
            "proj",
            "digits",
            "shapes",
            "old &amp; &lt;small&gt;",
            "</svg>",
        ] {
            assert!(two.contains(part), "{part} is missing");
        }
        let alone = svg(&drift(&[])).unwrap();
        assert!(alone.contains("width=\"640\"") && !alone.contains("digits"));
    }

    #[test]
    fn a_table_has_a_row_a_layer_and_says_what_has_no_ratio() {
        let drift = drift(&["digits"]);
        let rows = rows(&drift);
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row.len() == head(&drift).len()));
        assert_eq!(rows[1][3], "n/a");
        assert_eq!(rows[2][5], "0.9000");
        assert_eq!(dataset_head(&drift), ["LAYER", "digits"]);
        assert_eq!(dataset_rows(&drift)[1], ["block 1", "0.2000"]);
    }

    #[test]
    fn a_file_reads_back() {
        let drift = drift(&["digits"]);
        let text = serde_json::to_string(&drift).unwrap();
        assert_eq!(serde_json::from_str::<Drift>(&text).unwrap(), drift);
    }
}
