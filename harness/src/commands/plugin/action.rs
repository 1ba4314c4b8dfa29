//! What `harness plugin` is asked to do.

use harness_report::ExitCode;

use super::attempt::try_plugin;
use super::check::plugin_check;
use super::compare::compare_plugin;
use super::lock::lock_plugins;
use crate::cards::{Cards, Entry, text};
use crate::cli::{NewPluginArguments, PluginAction};
use crate::failure::Failure;
use crate::new_plugin::{self, Sdk};
use crate::output;

pub(crate) fn plugin(action: &PluginAction) -> Result<ExitCode, Failure> {
    match action {
        PluginAction::New(arguments) => new(arguments),
        PluginAction::Check(arguments) => plugin_check(arguments),
        PluginAction::Try(arguments) => try_plugin(arguments),
        PluginAction::Compare(arguments) => compare_plugin(arguments),
        PluginAction::Lock(arguments) => lock_plugins(arguments),
        PluginAction::Inspect { what, dims } => inspect(what, dims),
    }
}

/// Writes a crate and says what to do next.
fn new(arguments: &NewPluginArguments) -> Result<ExitCode, Failure> {
    let name = &arguments.name;
    if arguments.python {
        return new_python(arguments);
    }
    let folder = match &arguments.path {
        Some(path) => path.clone(),
        None => name.to_string().into(),
    };
    let sdk = arguments.sdk.clone().unwrap_or_else(Sdk::of_this_program);
    new_plugin::write(&folder, name, &sdk).map_err(|error| {
        let message = format!("cannot write {}: {error}", folder.display());
        Failure::new(ExitCode::OutputNotWritten, message).hint("--path names another folder")
    })?;
    output::print(&format!(
        "wrote {folder}\nnext, in {folder}: cargo test, harness plugin try, harness run suite.yaml\n\
         the library will be target/debug/{}\n",
        new_plugin::library(name),
        folder = folder.display(),
    ))?;
    Ok(ExitCode::Ok)
}

/// Writes a Python file and says what to do next.
fn new_python(arguments: &NewPluginArguments) -> Result<ExitCode, Failure> {
    let folder = arguments.path.clone().unwrap_or_default();
    let path = new_plugin::write_python(&folder, &arguments.name).map_err(|error| {
        let message = format!("cannot write a Python file: {error}");
        Failure::new(ExitCode::OutputNotWritten, message).hint("--path names another folder")
    })?;
    let path = path.display();
    output::print(&format!(
        "wrote {path}\nnext: harness plugin try {path}, harness plugin check {path}, \
         harness run quickstart --plugin {path}\n"
    ))?;
    Ok(ExitCode::Ok)
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
