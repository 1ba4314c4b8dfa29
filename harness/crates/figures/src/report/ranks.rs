//! How the order of the methods changes from Base to New.

use harness_report::analysis::RankStability;

use super::context::{Context, Drawn};
use crate::draw::{Anchor, Canvas, Heading, MARGIN, Mark, cut_to, width};
use crate::error::FigureError;
use crate::figure::{Figure, Numbers, number};

/// Height of a rank in letters.
const ROW: f64 = 1.7;

/// A method with its places, 1 for the best.
struct Line<'a> {
    label: &'a str,
    accuracies: [f64; 2],
    ranks: [usize; 2],
}

pub(super) fn draw(context: &Context<'_>) -> Drawn {
    let block = context.block;
    let mut stability = context.analysis.ranks.iter();
    let found = stability.find(|one| one.upgrade == block.upgrade && one.shots == block.shots);
    let Some(found) = found else {
        return Ok(Err(
            "fewer than two methods were measured on the same data sets",
        ));
    };
    let lines = lines(found);
    let svg = svg(context, found, &lines)?;
    let mut numbers = Numbers::new(&["method", "base", "base_rank", "new", "new_rank"])?;
    for line in &lines {
        let [base, new] = line.accuracies.map(|value| number(Some(value)));
        let [before, after] = line.ranks.map(|rank| rank.to_string());
        numbers.row([line.label, &base, &before, &new, &after])?;
    }
    let shots = context.shots();
    Ok(Ok(Figure::new(
        &context.name("ranks", &shots),
        svg,
        numbers,
    )?))
}

/// The methods with their places; of level ones the first in the report is before.
fn lines<'a>(stability: &RankStability<'a>) -> Vec<Line<'a>> {
    let methods = &stability.methods;
    let rank = |at: usize, of: fn(&(&str, f64, f64)) -> f64| {
        let own = of(&methods[at]);
        let before = |(other, method): (usize, &(&str, f64, f64))| {
            of(method) > own || (of(method) == own && other < at)
        };
        1 + methods
            .iter()
            .enumerate()
            .filter(|one| before(*one))
            .count()
    };
    (0..methods.len())
        .map(|at| Line {
            label: methods[at].0,
            accuracies: [methods[at].1, methods[at].2],
            ranks: [rank(at, |m| m.1), rank(at, |m| m.2)],
        })
        .collect()
}

fn svg(
    context: &Context<'_>,
    stability: &RankStability<'_>,
    lines: &[Line<'_>],
) -> Result<String, FigureError> {
    let style = context.options.style;
    let page = context.options.width.points().min(330.0);
    let (letters, size) = (style.letters(), style.letters() - 1.0);
    let tau = match (stability.tau, stability.interval) {
        (Some(tau), Some(interval)) => format!(
            "Kendall's τ {tau:.2}, 95 % over data sets {:.2} to {:.2}",
            interval.low, interval.high
        ),
        (Some(tau), None) => format!("Kendall's τ {tau:.2}"),
        (None, _) => "all methods are level".to_owned(),
    };
    let tau = tau.replace('-', "−");
    let heading = Heading::new(context.title(), tau, vec![], page, style);
    let label = |line: &Line<'_>, side: usize| {
        let accuracy = format!("  {:.1}", 100.0 * line.accuracies[side]);
        let name = cut_to(line.label, 0.33 * page - width(&accuracy, size), size);
        match side {
            0 => format!("{name}{accuracy}"),
            _ => format!("{}  {name}", accuracy.trim_start()),
        }
    };
    let room = |side: usize| {
        let texts = lines.iter().map(|line| width(&label(line, side), size));
        texts.fold(0.0, f64::max)
    };
    let (left, right) = (MARGIN + room(0) + 8.0, page - MARGIN - room(1) - 8.0);
    let top = heading.height() + 1.6 * letters;
    let height = top + ROW * letters * lines.len() as f64 + MARGIN;
    let place = |rank: usize| top + ROW * letters * (rank as f64 - 0.5);
    Canvas::page((page, height), style, |canvas| {
        heading.draw(canvas)?;
        let above = top - 0.8 * letters;
        canvas.text("Base, %", (left, above), size, style.pale(), Anchor::Middle)?;
        canvas.text("New, %", (right, above), size, style.pale(), Anchor::Middle)?;
        for (at, line) in lines.iter().enumerate() {
            let colour = style.series(at);
            let ends = [(left, place(line.ranks[0])), (right, place(line.ranks[1]))];
            canvas.line(&ends, colour, 1.2)?;
            for end in ends {
                Mark::of(at).draw(canvas, end, 0.28 * letters, colour)?;
            }
            let before = (left - 7.0, ends[0].1);
            canvas.text(&label(line, 0), before, size, style.ink(), Anchor::Right)?;
            let after = (right + 7.0, ends[1].1);
            canvas.text(&label(line, 1), after, size, style.ink(), Anchor::Left)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use harness_report::Upgrade;

    use super::*;

    #[test]
    fn level_methods_keep_their_order() {
        let upgrade = Upgrade {
            source: "a".into(),
            target: "b".into(),
        };
        let stability = RankStability {
            upgrade: &upgrade,
            shots: 1,
            methods: vec![("x", 0.5, 0.7), ("y", 0.9, 0.7), ("z", 0.1, 0.8)],
            datasets: vec!["d"],
            tau: None,
            interval: None,
        };
        let ranks: Vec<[usize; 2]> = lines(&stability).iter().map(|line| line.ranks).collect();
        assert_eq!(ranks, [[2, 2], [1, 3], [3, 1]]);
    }
}
