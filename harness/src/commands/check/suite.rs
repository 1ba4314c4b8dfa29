//! The suite that tests some modules on new backbones.

use std::path::{Path, PathBuf};

use harness_engine::registry::{Location, ModuleFile, PresentBackbone, SearchPath};
use harness_engine::suite::KnownInputs;
use harness_report::ExitCode;
use serde_json::{Value, json};

use crate::cli::CheckModulesArguments;
use crate::failure::Failure;

/// The suite as text: an upgrade or a chain for each source that the modules were trained on.
pub(super) fn modules_suite(
    arguments: &CheckModulesArguments,
    places: &SearchPath,
) -> Result<String, Failure> {
    let mut entries: Vec<Value> = Vec::new();
    let mut sources: Vec<String> = Vec::new();
    for path in files(&arguments.modules)? {
        let file = ModuleFile::read(&path).map_err(|error| Failure::new(ExitCode::SetUp, error))?;
        let source = match &arguments.source {
            Some(source) => source.clone(),
            None => find_source(&file, places)?,
        };
        if arguments.retrain && file.header.origin.is_none() {
            say!(
                "warning: {} does not say how it was trained, so it is not retrained",
                path.display()
            );
        }
        if !sources.contains(&source) {
            sources.push(source);
        }
        let mut entry = json!({
            "path": glob::Pattern::escape(&path.to_string_lossy()),
            "allow_other_source": arguments.allow_other_source,
        });
        if let Some(dataset) = &arguments.dataset {
            entry["dataset"] = json!(dataset);
        }
        entries.push(entry);
    }
    let upgrades = sources
        .iter()
        .map(|source| upgrade(source, &arguments.target));
    let mut suite = json!({
        "name": "check",
        "upgrades": upgrades.collect::<Vec<_>>(),
        "modules": entries,
        "oracle": arguments.retrain,
    });
    if let Some(margin) = arguments.margin {
        suite["gate"] = json!({"margin": margin});
    }
    // JSON is YAML.
    Ok(format!("{suite:#}\n"))
}

/// What the modules of a source go through: one upgrade, or a chain of several. A source among
/// the targets begins its own chain there.
fn upgrade(source: &str, targets: &[String]) -> Value {
    let own = targets.iter().position(|target| target == source);
    match &targets[own.map_or(0, |at| at + 1)..] {
        // An upgrade to itself is a mistake of the suite, which says so.
        [] => json!({"source": source, "targets": targets}),
        [only] => json!({"source": source, "targets": [only]}),
        later => {
            let chain = std::iter::once(source).chain(later.iter().map(String::as_str));
            json!({"chain": chain.collect::<Vec<_>>()})
        }
    }
}

/// The module files that were named, each once; of a folder those in it.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in named {
        let found = match path.is_dir() {
            true => of_folder(path)?,
            false => vec![path.clone()],
        };
        for file in found {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn of_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failure = |error: std::io::Error| Failure::new(ExitCode::SetUp, error);
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        if path
            .extension()
            .is_some_and(|ending| ending == "safetensors")
        {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let message = format!("{}: no .safetensors files", folder.display());
        return Err(Failure::new(ExitCode::SetUp, message));
    }
    Ok(files)
}

/// The backbone that a module was trained on: the one of the header's name if its files have
/// the header's hash, or any backbone on disk that has it.
fn find_source(file: &ModuleFile, places: &SearchPath) -> Result<String, Failure> {
    let header = &file.header;
    let is_on_disk = |name: &str| matches!(places.backbone(name), Ok(Location::Found(_)));
    let Some(origin) = &header.origin else {
        return match places.backbone(&header.source) {
            Ok(location) if location.is_known() => {
                say!(
                    "warning: {} names its source {:?} without a hash; going by the name",
                    file.path.display(),
                    header.source
                );
                Ok(header.source.clone())
            }
            _ => Err(unknown_source(file)),
        };
    };
    let others = places.backbones().into_iter();
    let others = others.filter(|name| *name != header.source);
    let names = std::iter::once(header.source.clone()).chain(others);
    let has_hash = |name: &String| {
        let backbone = PresentBackbone::read(places, name);
        backbone.is_ok_and(|found| found.files.sha256 == origin.source_sha256)
    };
    let mut names = names.filter(|name| is_on_disk(name));
    names.find(has_hash).ok_or_else(|| unknown_source(file))
}

fn unknown_source(file: &ModuleFile) -> Failure {
    let header = &file.header;
    let hash = header.origin.as_ref().map_or_else(String::new, |origin| {
        format!(" (sha256 {})", origin.source_sha256)
    });
    Failure::new(
        ExitCode::SetUp,
        format!(
            "{}: trained on {}{hash}, and no backbone on this machine has that hash",
            file.path.display(),
            header.source
        ),
    )
    .hint("name it with --source; `harness fetch --backbone NAME` downloads a published one")
}
