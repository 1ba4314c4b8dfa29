//! All cards as the document harness/docs/methods.md.

use std::fmt::Write;

use serde_json::to_value;

use super::gather::{CLASSES, Cards, Entry, SHOTS};
use super::words::{recipe, word};

/// The whole document.
pub(crate) fn markdown(cards: &Cards) -> String {
    let mut out = String::from(
        "# Methods\n\n\
         Written by `harness list methods --markdown` from the plugins' own cards; do not edit.\n\
         *Carried* is what a module file holds and what moves to another backbone unchanged;\n\
         *recomputed* is derived from whichever backbone the module is in.\n\n",
    );
    let columns: String = cards.dims.iter().map(|name| format!(" {name} |")).collect();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "| method | family | deepest site |{columns} recipe |");
    let _ = writeln!(out, "|---|---|---|{}---|", "---|".repeat(cards.dims.len()));
    for entry in &cards.entries {
        let card = &entry.card;
        let counts: String = (0..cards.dims.len())
            .map(|at| format!(" {} |", cell(&entry.count(at))))
            .collect();
        let _ = writeln!(
            out,
            "| [{id}](#{id}) | {} | {} |{counts} {} |",
            word(to_value(card.family)),
            cell(&card.depth),
            cell(&recipe(card.recipe.as_ref())),
            id = card.id,
        );
    }
    let _ = writeln!(
        out,
        "\nTrained numbers with the default configuration; \\* depends on the data, here\n\
         {CLASSES} classes of {SHOTS} images."
    );
    for entry in &cards.entries {
        section(entry, &mut out);
    }
    out
}

fn section(Entry { card, .. }: &Entry, out: &mut String) {
    let sites: Vec<String> = card.sites.iter().map(|site| word(to_value(site))).collect();
    let _ = writeln!(
        out,
        "\n## {}\n\n{} ({}).\n",
        card.id, card.title, card.paper
    );
    let mut item = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "- {name}: {value}");
        }
    };
    item("sites", &sites.join(", "));
    item("reads", &word(to_value(card.data)));
    item("shapes", &card.needs.join("; "));
    item("carried", &card.carried.join(", "));
    item("recomputed", &card.recomputed.join("; "));
    for deviation in &card.deviations {
        item("deviation", deviation);
    }
}

/// Text that does not end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}
