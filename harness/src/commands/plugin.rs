//! `harness plugin`.

use harness_report::ExitCode;

use crate::cards::{Cards, Entry, text};
use crate::cli::PluginAction;
use crate::failure::Failure;
use crate::output;

pub(crate) fn plugin(action: &PluginAction) -> Result<ExitCode, Failure> {
    match action {
        PluginAction::Inspect { what, dims } => inspect(what, dims),
    }
}

/// Prints the cards of a method, of a plugin by its name, or of a library.
fn inspect(what: &str, dims: &[String]) -> Result<ExitCode, Failure> {
    let path = std::path::Path::new(what);
    let file = path.is_file().then(|| canonical(path)).transpose()?;
    let cards = Cards::gather(file.as_deref().and_then(|f| f.to_str()), dims)?;
    let name = |entry: &Entry| entry.plugin.descriptor.plugin.name.clone();
    let is_wanted = |entry: &Entry| match &file {
        Some(file) => entry.plugin.path == *file,
        None => {
            entry.card.id == what
                || name(entry) == what
                || name(entry).strip_prefix("harness-plugin-") == Some(what)
        }
    };
    let wanted: Vec<&Entry> = cards.entries.iter().filter(|e| is_wanted(e)).collect();
    if wanted.is_empty() {
        let broken = cards.broken.iter().find(|b| Some(&b.path) == file.as_ref());
        let message = match broken {
            Some(broken) => format!("cannot use {what}: {}", broken.reason),
            None => format!("no method, plugin or library {what:?} found"),
        };
        return Err(Failure::new(ExitCode::SetUp, message)
            .hint("`harness list methods` shows what was found"));
    }
    let texts: Vec<String> = wanted.iter().map(|entry| text(&cards, entry)).collect();
    output::print(&texts.join("\n"))?;
    Ok(ExitCode::Ok)
}

fn canonical(path: &std::path::Path) -> Result<std::path::PathBuf, Failure> {
    path.canonicalize()
        .map_err(|error| Failure::new(ExitCode::SetUp, format!("{}: {error}", path.display())))
}
