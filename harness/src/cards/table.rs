//! A line a method.

use serde_json::to_value;

use super::gather::{CLASSES, Cards, SHOTS};
use super::words::{recipe, word};
use crate::table::fitting;

/// The table of `harness list methods`. A narrow one leaves out what is in the cards.
pub(crate) fn table(cards: &Cards, width: Option<usize>) -> String {
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
    let rows: Vec<Vec<String>> = rows.collect();
    let counts = 5..5 + cards.dims.len();
    let without = |columns: &[usize]| -> Vec<usize> {
        (0..head.len()).filter(|at| !columns.contains(at)).collect()
    };
    let narrow: Vec<usize> = [0, 1, 2].into_iter().chain(counts).collect();
    // Sites and carried tensors, then recipe and paper.
    let choices = [without(&[4]), without(&[3, 4]), narrow];
    let choices: Vec<&[usize]> = choices.iter().map(Vec::as_slice).collect();
    format!(
        "{}* with {CLASSES} classes of {SHOTS} images\n\
         `harness plugin inspect METHOD` says what is recomputed, and what deviates and why\n",
        fitting(&head, &rows, width, &choices)
    )
}
