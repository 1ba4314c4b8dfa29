//! A line a method.

use serde_json::to_value;

use super::gather::{CLASSES, Cards, SHOTS};
use super::words::{recipe, word};
use crate::table::plain;

/// The table of `harness list methods`.
pub(crate) fn table(cards: &Cards) -> String {
    let mut head = vec!["METHOD", "FAMILY", "DEPTH", "SITES", "CARRIED"];
    let counted: Vec<String> = cards.dims.iter().map(|name| name.to_uppercase()).collect();
    head.extend(counted.iter().map(String::as_str));
    head.extend(["RECIPE", "PAPER"]);
    let rows = cards.entries.iter().map(|entry| {
        let card = &entry.card;
        let sites: Vec<String> = card.sites.iter().map(|site| word(to_value(site))).collect();
        let mut row = vec![
            card.id.clone(),
            word(to_value(card.family)),
            card.depth.clone(),
            sites.join(", "),
            card.carried.join(", "),
        ];
        row.extend((0..cards.dims.len()).map(|at| entry.count(at)));
        row.push(recipe(card.recipe.as_ref()));
        row.push(card.paper.clone());
        row
    });
    format!(
        "{}* with {CLASSES} classes of {SHOTS} images\n\
         `harness plugin inspect METHOD` says what is recomputed, and what deviates and why\n",
        plain(&head, rows)
    )
}
