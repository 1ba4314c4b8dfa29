//! All cards as the document harness/docs/methods.md.

use std::fmt::Write;

use harness_render::terminal::one_line;
use serde_json::to_value;

use super::gather::{CLASSES, Cards, Entry, SHOTS};
use super::words::{recipe, word};

/// Characters of one of a plugin's texts.
const WIDEST: usize = 2000;

/// The whole document.
pub(crate) fn markdown(cards: &Cards) -> String {
    let mut out = String::from(
        "# Methods\n\n\
         Written by `harness list methods --markdown` from the plugins' own cards; do not edit.\n\
         *Carried* is what a module file holds and what moves to another backbone unchanged;\n\
         *recomputed* is derived from whichever backbone the module is in. Shapes are those of the\n\
         default configuration; in names N stands for a number, in shapes C for the number of classes\n\
         and n for that of training images.\n\n",
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
            id = cell(&card.id),
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
        plain(&card.id),
        plain(&card.title),
        plain(&card.paper)
    );
    let mut item = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "- {name}: {}", plain(value));
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

/// A plugin's words on one line, as words: nothing that steers a terminal or that HTML reads.
fn plain(text: &str) -> String {
    one_line(text, WIDEST).replace('<', "&lt;")
}

/// Text that does not end a table's cell.
fn cell(text: &str) -> String {
    plain(text).replace('|', "\\|").replace('*', "\\*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_plugin_steer_neither_a_terminal_nor_a_page() {
        for text in [plain, cell].map(|of| of("\u{1b}[2J\u{7}\u{202e}<script>a|b\n# c")) {
            assert!(
                !text.contains(['\u{1b}', '\u{7}', '\u{202e}', '<', '\n']),
                "{text:?}"
            );
        }
    }
}
