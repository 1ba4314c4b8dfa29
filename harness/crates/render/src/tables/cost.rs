//! What training took: a row a method, over all trainings on sources.

use std::collections::BTreeMap;

use crate::tables::{Cell, Row, Table};
use harness_report::Training;
use harness_report::{Method, Report};

/// What the table is of.
pub(crate) const TITLE: &str =
    "Training on the source, per module: mean seconds, min–max for other columns";

/// The table; nothing where nothing was trained, or by a version that did not say how.
pub(crate) fn cost(report: &Report) -> Option<Table<'_>> {
    let methods = report.methods.iter().enumerate();
    let rows = methods.map(|(at, method)| row(report, at, method));
    let heads = ["recipe", "seconds", "steps", "parameters", "module bytes"];
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
        ],
    }
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
    use harness_report::MethodRecipe;

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
