//! What training took: a row a method, over all trainings on sources.

use std::collections::BTreeMap;

use crate::tables::{Cell, Row, Table};
use harness_report::{Method, Report, TextPath, TextWork, Training};

/// What the table is of.
pub(crate) const TITLE: &str =
    "Training on the source, per module: mean seconds, min–max for other columns";

/// The table; nothing where nothing was trained, or by a version that did not say how.
pub(crate) fn cost(report: &Report) -> Option<Table<'_>> {
    let methods = report.methods.iter().enumerate();
    let rows = methods.map(|(at, method)| row(report, at, method));
    let heads = [
        "recipe",
        "seconds",
        "steps",
        "parameters",
        "module bytes",
        "prompt tokens computed",
    ];
    let is_trained = report.cells.iter().any(|cell| cell.training.is_some());
    let is_named = report.methods.iter().any(|m| m.recipe.is_some());
    (is_trained && is_named).then(|| Table {
        heads: heads.map(String::from).into(),
        rows: rows.collect(),
        mean: None,
    })
}

fn row<'a>(report: &'a Report, at: usize, method: &'a Method) -> Row<'a> {
    let cells = report.cells.iter().filter(|c| c.method == method.label);
    // A module that is moved to several targets was trained once.
    let trained: BTreeMap<&str, &Training> = cells
        .filter_map(|cell| cell.training.as_ref())
        .map(|training| (training.module_sha256.as_str(), training))
        .collect();
    let range = |value: fn(&Training) -> u64| {
        let values = || trained.values().map(|training| value(training));
        match (values().min(), values().max()) {
            (Some(least), Some(most)) if least == most => Cell::Text(least.to_string()),
            (Some(least), Some(most)) => Cell::Text(format!("{least}–{most}")),
            _ => Cell::Missing(None),
        }
    };
    let seconds = match trained.len() {
        0 => Cell::Missing(None),
        n => {
            let sum = trained.values().map(|t| t.seconds).sum::<f64>();
            Cell::Text(format!("{:.2}", sum / n as f64))
        }
    };
    Row {
        label: &method.label,
        method: Some(at),
        cells: vec![
            recipe(method),
            seconds,
            range(|t| t.steps),
            range(|t| t.parameters),
            range(|t| t.module_bytes),
            computed(trained.values().filter_map(|t| t.text)),
        ],
    }
}

/// How much of the prompts ran at every step: what they begin with is shared, and blocks below
/// everything that is trained run once.
fn computed(work: impl Iterator<Item = TextWork>) -> Cell<'static> {
    let work: Vec<TextWork> = work.collect();
    let (Some(first), Some(path)) = (
        work.iter().map(|w| w.first_block).min(),
        work.iter().map(|w| w.path).max(),
    ) else {
        return Cell::Missing(None);
    };
    let tokens: u64 = work.iter().map(|w| w.tokens).sum();
    let computed: Option<u64> = work.iter().map(|w| w.computed).sum();
    Cell::Text(match (path, computed) {
        (TextPath::Operations, _) => "all, by candle".to_owned(),
        (TextPath::Device, _) | (_, None) => "on the device".to_owned(),
        (TextPath::Kernels, Some(computed)) => {
            let percent = 100.0 * computed as f64 / tokens.max(1) as f64;
            match first {
                0 => format!("{percent:.0} %"),
                block => format!("{percent:.0} %, from block {block}"),
            }
        }
    })
}

/// `own`, `common`, `own, changed`; `elsewhere` of a module that came as a file.
fn recipe(method: &Method) -> Cell<'static> {
    match &method.recipe {
        None if method.module_sha256.is_some() => Cell::Text("elsewhere".to_owned()),
        None => Cell::Missing(None),
        Some(recipe) => {
            let is_changed = recipe.changes.as_object().is_some_and(|c| !c.is_empty());
            let changed = if is_changed { ", changed" } else { "" };
            Cell::Text(format!("{}{changed}", recipe.base))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::cost;
    use crate::fixture;
    use crate::tables::Cell;
    use harness_report::{MethodRecipe, TextPath, TextWork};

    #[test]
    fn a_row_says_how_prompts_were_computed() {
        let measured = |_, _, _| Ok(([400, 500, 450, 480], None));
        let mut report = fixture::report(&["a", "b"], &["d"], &[1], measured);
        for method in &mut report.methods {
            method.recipe = Some(MethodRecipe {
                base: "own".into(),
                changes: json!({}),
            });
        }
        let work = TextWork {
            path: TextPath::Kernels,
            tokens: 200,
            computed: Some(50),
            first_block: 3,
        };
        for (cell, work) in report.cells.iter_mut().zip([
            work,
            TextWork {
                path: TextPath::Operations,
                ..work
            },
        ]) {
            cell.training.as_mut().unwrap().text = Some(work);
        }
        let table = cost(&report).unwrap();
        let last = |row: usize| match table.rows[row].cells.last() {
            Some(Cell::Text(text)) => text.clone(),
            _ => String::new(),
        };
        assert_eq!(last(0), "25 %, from block 3");
        assert_eq!(last(1), "all, by candle");
    }

    #[test]
    fn a_row_names_the_recipe_of_each_method() {
        let measured = |_, _, _| Ok(([400, 500, 450, 480], None));
        let mut report = fixture::report(&["a", "b"], &["d"], &[1], measured);
        assert!(cost(&report).is_none());
        report.methods[1].recipe = Some(MethodRecipe {
            base: "common".into(),
            changes: json!({"epochs": 20}),
        });
        let table = cost(&report).unwrap();
        assert_eq!(table.heads[..2], ["recipe", "seconds"]);
        assert!(matches!(table.rows[0].cells[0], Cell::Missing(None)));
        assert!(matches!(&table.rows[1].cells[0], Cell::Text(text) if text == "common, changed"));
    }
}
