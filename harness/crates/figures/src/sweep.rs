//! Accuracy over one value of a method's configuration.

use harness_render::terminal::one_line;
use harness_report::stats::Estimate;
use harness_report::sweep::{METHOD, Panel as Upgrade, Point, Series, Sweep};

use crate::draw::{Entry, Heading, Key, Line, Mark, Panel, Spot, grid};
use crate::error::FigureError;
use crate::figure::{Figure, Numbers, number};
use crate::options::Options;

/// New as full and Base as open marks over the values, a panel an upgrade, with the target's
/// zero-shot. Values stand evenly spaced, in their order.
///
/// # Errors
/// It cannot be drawn.
pub fn sweep_figure(sweep: &Sweep, options: Options) -> Result<Figure, FigureError> {
    let panels: Vec<Panel> = sweep
        .panels
        .iter()
        .map(|one| panel(one, &sweep.key))
        .collect();
    let mut numbers = Numbers::new(&[
        "source",
        "target",
        "shots",
        "series",
        "value",
        "condition",
        "accuracy",
        "low",
        "high",
        "seeds",
    ])?;
    for upgrade in &sweep.panels {
        for (series, point, name, estimate) in estimates(upgrade) {
            let half = estimate.half_width;
            numbers.row([
                upgrade.upgrade.source.clone(),
                upgrade.upgrade.target.clone(),
                upgrade.shots.to_string(),
                series.name.clone(),
                point.label.clone(),
                name.to_owned(),
                number(Some(estimate.mean)),
                number(half.map(|half| estimate.mean - half)),
                number(half.map(|half| estimate.mean + half)),
                estimate.n.to_string(),
            ])?;
        }
    }
    let has_bars = sweep.panels.iter().any(|one| {
        let mut all = estimates(one);
        all.any(|(_, _, _, estimate)| estimate.half_width.is_some())
    });
    let note = match has_bars {
        true => "mean over data sets; bars: 95 % over seeds",
        false => "mean over data sets",
    };
    let title = match sweep.key.as_str() {
        METHOD => "Base and New by method".to_owned(),
        key => format!("Base and New over {}", one_line(key, 60)),
    };
    let style = options.style;
    let heading = Heading::new(
        title,
        note,
        legend(sweep, options),
        options.width.points(),
        style,
    );
    let svg = grid(&heading, &panels, 2, options)?;
    Figure::new(&["sweep", &sweep.key], svg, numbers)
}

fn estimates(upgrade: &Upgrade) -> impl Iterator<Item = (&Series, &Point, &'static str, Estimate)> {
    upgrade.series.iter().flat_map(|series| {
        series.points.iter().flat_map(move |point| {
            let both = [("base", point.base), ("new", point.new)];
            both.map(|(name, estimate)| (series, point, name, estimate))
        })
    })
}

/// Names of series, in the order in which panels bring them: the colours.
fn names(sweep: &Sweep) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for series in sweep.panels.iter().flat_map(|one| &one.series) {
        if !names.contains(&series.name.as_str()) {
            names.push(&series.name);
        }
    }
    names
}

fn legend(sweep: &Sweep, options: Options) -> Vec<Entry> {
    let style = options.style;
    let mut entries = Vec::new();
    for (at, name) in names(sweep).into_iter().enumerate() {
        for (mark, what) in [(Mark::Disc, "New"), (Mark::Ring, "Base")] {
            entries.push(Entry {
                key: Key::Mark(mark),
                colour: style.series(at),
                text: format!("{what}, {name}"),
            });
        }
    }
    if sweep.panels.iter().any(|one| one.zero_target.is_some()) {
        entries.push(Entry {
            key: Key::Line,
            colour: style.pale(),
            text: "zero-shot of the target".to_owned(),
        });
    }
    entries
}

fn panel(upgrade: &Upgrade, key: &str) -> Panel {
    let points = upgrade.series.iter().flat_map(|line| &line.points);
    let mut ticks: Vec<(f64, &str)> = points.map(|p| (p.value, &*p.label)).collect();
    ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
    ticks.dedup();
    let place = |value: f64| ticks.iter().position(|tick| tick.0 == value);
    let mut lines = Vec::new();
    for (colour, series) in upgrade.series.iter().enumerate() {
        let line = |mark: Mark, of: fn(&Point) -> Estimate| Line {
            colour,
            mark,
            is_joined: key != METHOD,
            spots: series
                .points
                .iter()
                .filter_map(|point| {
                    let Estimate {
                        mean, half_width, ..
                    } = of(point);
                    Some(Spot {
                        tick: place(point.value)?,
                        value: 100.0 * mean,
                        half_width: half_width.map(|half| 100.0 * half),
                    })
                })
                .collect(),
        };
        lines.push(line(Mark::Disc, |point| point.new));
        lines.push(line(Mark::Ring, |point| point.base));
    }
    let name = |name: &str| one_line(name, 40);
    Panel {
        title: format!(
            "{} → {}, {} shots",
            name(&upgrade.upgrade.source),
            name(&upgrade.upgrade.target),
            upgrade.shots
        ),
        ticks: ticks.into_iter().map(|(_, label)| name(label)).collect(),
        x_name: match key {
            METHOD => String::new(),
            key => name(key),
        },
        y_name: "accuracy, %".to_owned(),
        lines,
        level: upgrade.zero_target.map(|zero| 100.0 * zero),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::options::Width;
    use crate::style::Style;

    #[test]
    fn bars_are_drawn_and_every_series_is_named() {
        let options = Options {
            style: Style::Paper,
            width: Width::Page,
        };
        let figure = |seeds: &[u64]| {
            let mut report = fixture::report(&["m4", "m1"], &["a"], seeds, |m, _, seed| {
                Ok(([400, 600, 450, 500 + 10 * m as u32 + 2 * seed as u32], None))
            });
            for (method, length) in report.methods.iter_mut().zip([4, 1]) {
                method.config = serde_json::json!({"context": {"length": length}});
            }
            sweep_figure(&Sweep::of(&report, None).unwrap(), options).unwrap()
        };
        let (with, without) = (figure(&[1, 2, 3]), figure(&[1]));
        assert!(with.svg.contains("95 % over seeds") && !without.svg.contains("95 %"));
        let lines = |figure: &Figure| figure.svg.matches("<polyline").count();
        // Base is the same for every seed, so that its bars have no length but are there.
        assert_eq!(lines(&with), lines(&without) + 4);
        for part in [
            "context.length",
            "zero-shot of the target",
            "New, ",
            "Base, ",
        ] {
            assert!(with.svg.contains(part), "{part}");
        }
        let rows: Vec<&str> = with.csv.lines().collect();
        assert_eq!(rows.len(), 5);
        assert!(rows[2].contains(",1,new,0.514000,"), "{}", rows[2]);
    }

    #[test]
    fn entries_beside_each_other_are_named_and_joined_by_nothing() {
        let options = Options {
            style: Style::Paper,
            width: Width::Column,
        };
        let report = fixture::report(&["m4", "m1"], &["a"], &[1], |m, _, _| {
            Ok(([400, 600, 450, 500 + 10 * m as u32], None))
        });
        let sweep = Sweep::of(&report, Some(METHOD)).unwrap();
        let svg = sweep_figure(&sweep, options).unwrap().svg;
        assert!(svg.contains("m4") && svg.contains("m1"));
        let mut joined = panel(&sweep.panels[0], "context.length");
        assert!(joined.lines.iter().all(|line| line.is_joined));
        joined = panel(&sweep.panels[0], METHOD);
        assert!(joined.lines.iter().all(|line| !line.is_joined));
    }
}
