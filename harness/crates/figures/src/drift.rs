//! The change of a text tower from one backbone to another, by layer.

use harness_render::terminal::one_line;
use harness_report::drift::{Drift, FeatureChange};

use crate::draw::{Entry, Heading, Key, Line, Mark, Panel, Spot, grid};
use crate::error::FigureError;
use crate::figure::{Figure, Numbers, number};
use crate::options::Options;

/// Relative and absolute changes: of parameters, and of features where data sets were named.
///
/// # Errors
/// It cannot be drawn.
pub fn drift_figure(drift: &Drift, options: Options) -> Result<Figure, FigureError> {
    let parameters = |title: &str, y_name: &str, of: &dyn Fn(usize) -> Option<f64>| Panel {
        lines: vec![line(0, (0..drift.layers.len()).map(of))],
        ..empty(drift, title, y_name)
    };
    let features = |title: &str, y_name: &str, of: fn(&FeatureChange) -> f64| Panel {
        lines: drift
            .datasets
            .iter()
            .enumerate()
            .map(|(at, dataset)| line(at, dataset.layers.iter().map(|change| Some(of(change)))))
            .collect(),
        ..empty(drift, title, y_name)
    };
    let mut panels = vec![
        parameters("parameters, relative", "‖Δθ‖ / ‖θ‖", &|at| {
            drift.layers[at].change.relative
        }),
        parameters("parameters, absolute", "mean |Δθ|", &|at| {
            Some(drift.layers[at].change.mean_absolute)
        }),
    ];
    let mut note = "";
    if !drift.datasets.is_empty() {
        note = "features: state at the end token after a layer, mean over class prompts";
        panels.push(features("features, relative", "‖Δh‖ / ‖h‖", |c| {
            c.relative
        }));
        panels.push(features("features, absolute", "‖Δh‖", |c| c.absolute));
    }
    let entries = drift
        .datasets
        .iter()
        .enumerate()
        .map(|(at, dataset)| Entry {
            key: Key::Mark(Mark::of(at)),
            colour: options.style.series(at),
            text: dataset.name.clone(),
        });
    let name = |name: &str| one_line(name, 40);
    let title = format!(
        "Text tower, {} → {}",
        name(&drift.source.name),
        name(&drift.target.name)
    );
    let (page, style) = (options.width.points(), options.style);
    let heading = Heading::new(title, note, entries.collect(), page, style);
    let svg = grid(&heading, &panels, 2, options)?;
    let stem = ["drift", &drift.source.name, &drift.target.name];
    Figure::new(&stem, svg, numbers(drift)?)
}

fn numbers(drift: &Drift) -> Result<Numbers, FigureError> {
    let mut numbers = Numbers::new(&["layer", "what", "relative", "absolute"])?;
    for layer in &drift.layers {
        let change = layer.change;
        let (relative, absolute) = (number(change.relative), number(Some(change.mean_absolute)));
        numbers.row([&layer.name, "parameters", &relative, &absolute])?;
    }
    for dataset in &drift.datasets {
        for (layer, change) in drift.layers.iter().zip(&dataset.layers) {
            let what = format!("features of {}", dataset.name);
            let relative = number(Some(change.relative));
            numbers.row([
                &layer.name,
                &what,
                &relative,
                &number(Some(change.absolute)),
            ])?;
        }
    }
    Ok(numbers)
}

fn empty(drift: &Drift, title: &str, y_name: &str) -> Panel {
    let last = drift.layers.len().saturating_sub(1);
    let tick = |at: usize| match at {
        0 => "emb".to_owned(),
        at if at == last => "proj".to_owned(),
        at => at.to_string(),
    };
    Panel {
        title: title.to_owned(),
        ticks: (0..drift.layers.len()).map(tick).collect(),
        x_name: "layer".to_owned(),
        y_name: y_name.to_owned(),
        lines: Vec::new(),
        level: None,
    }
}

/// Layers whose numbers are all 0 before have no relative change, and no mark.
fn line(colour: usize, values: impl Iterator<Item = Option<f64>>) -> Line {
    let spots = values.enumerate().filter_map(|(tick, value)| {
        Some(Spot {
            tick,
            value: value?,
            half_width: None,
        })
    });
    Line {
        colour,
        mark: Mark::of(colour),
        is_joined: true,
        spots: spots.collect(),
    }
}

#[cfg(test)]
mod tests {
    use harness_report::drift::{Backbone, Change, DatasetDrift, LayerDrift, ParameterDrift};

    use super::*;
    use crate::options::Width;
    use crate::style::Style;

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
        let figure = |datasets: &[&str]| {
            let options = Options {
                style: Style::Paper,
                width: Width::Page,
            };
            drift_figure(&drift(datasets), options).unwrap()
        };
        let two = figure(&["digits", "shapes"]);
        for part in [
            "emb",
            "proj",
            "digits",
            "shapes",
            "old &amp; &lt;small&gt;",
            "‖Δh‖ / ‖h‖",
        ] {
            assert!(two.svg.contains(part), "{part}");
        }
        let none = figure(&[]);
        assert!(!none.svg.contains("features"));
        assert!(
            none.csv.contains("block 1,parameters,,0.100000"),
            "{}",
            none.csv
        );
        assert_eq!(two.csv.lines().count(), 1 + 3 + 6);
    }
}
