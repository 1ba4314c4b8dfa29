//! A card as lines of text.

use std::fmt::Write;

use harness_render::terminal::one_line;

use serde_json::to_value;

use super::gather::{CLASSES, Cards, Entry, SHOTS};
use super::options::options;
use super::words::{recipe, word};

/// Characters of a line that a plugin wrote.
const WIDEST: usize = 400;

/// What `harness plugin inspect` prints of a method.
pub(crate) fn text(cards: &Cards, entry: &Entry) -> String {
    let (card, info) = (&entry.card, &entry.plugin.descriptor.plugin);
    let sites: Vec<String> = card.sites.iter().map(|site| word(to_value(site))).collect();
    let counts: Vec<String> = cards
        .dims
        .iter()
        .enumerate()
        .map(|(at, name)| format!("{name} {}", entry.count(at)))
        .collect();
    let mut out = format!(
        "{}\n",
        one_line(&format!("{}: {}", card.id, card.title), WIDEST)
    );
    let mut line = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {name:<12}{}", one_line(value, WIDEST));
    };
    line("paper", &card.paper);
    line("family", &word(to_value(card.family)));
    line("depth", &card.depth);
    line("sites", &sites.join(", "));
    line("reads", &word(to_value(card.data)));
    for need in &card.needs {
        line("needs", need);
    }
    line("carried", &card.carried.join(", "));
    for what in &card.recomputed {
        line("recomputed", what);
    }
    line("parameters", &counts.join(", "));
    if counts.iter().any(|count| count.ends_with('*')) {
        line("", &format!("* with {CLASSES} classes of {SHOTS} images"));
    }
    line("recipe", &recipe(card.recipe.as_ref()));
    for option in options(&card.config_schema) {
        line("config", &option.to_string());
    }
    for deviation in &card.deviations {
        line("deviation", deviation);
    }
    let license = match info.license.as_str() {
        "" => "no licence stated",
        license => license,
    };
    let plugin = match &info.script {
        Some(script) => {
            let versions = script.versions.iter();
            let versions = versions.map(|(name, version)| format!(", {name} {version}"));
            let versions: String = versions.collect();
            format!("{} {}, {license}{versions}", info.name, info.version)
        }
        None => format!(
            "{} {}, {license}, ABI {}, SDK {}, {}{}",
            info.name,
            info.version,
            abi(&info.abi, info.needs_abi.as_deref()),
            info.sdk,
            info.rustc,
            info.opt_level
                .map_or_else(String::new, |level| format!(", opt-level {level}")),
        ),
    };
    line("plugin", &plugin);
    for file in info.script.iter().flat_map(|script| script.files.keys()) {
        if *file != info.name {
            line("imports", file);
        }
    }
    line("file", &entry.plugin.path.display().to_string());
    line("sha256", &entry.plugin.sha256);
    out
}

/// The ABI that a plugin was built with, and the one that it needs where that is another.
fn abi(built: &str, needed: Option<&str>) -> String {
    match needed {
        Some(needed) if needed != built => format!("{built} (needs {needed})"),
        _ => built.to_owned(),
    }
}
