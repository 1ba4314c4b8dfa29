//! `harness modules`: the trained modules of the cache.

use std::fmt::Write;
use std::path::Path;

use harness_engine::modules::{
    ExportError, Manifest, ManifestEntry, NamedModule, StoredModules, export, seeds_of, stored,
};
use harness_engine::registry::ModuleFile;
use harness_render::terminal::one_line;
use harness_report::ExitCode;
use harness_store::Store;
use indicatif::HumanBytes;

use crate::cli::{CacheArguments, ModulesAction};
use crate::failure::Failure;
use crate::{output, table};

/// Characters of a value that are shown.
const WIDEST: usize = 400;

pub(crate) fn modules(action: &ModulesAction) -> Result<ExitCode, Failure> {
    match action {
        ModulesAction::Ls { cache, json } => list(cache, *json),
        ModulesAction::Show { chosen, json } => show(&chosen.cache, &chosen.module, *json),
        ModulesAction::Export {
            cache,
            modules,
            output,
        } => {
            let (_, all) = open(cache)?;
            let chosen = choose(&all, modules)?;
            write_modules(&chosen, output)
        }
        ModulesAction::Rm { cache, modules } => remove(cache, modules),
    }
}

/// Copies modules to a folder and prints what is there now.
pub(super) fn write_modules(modules: &[NamedModule], folder: &Path) -> Result<ExitCode, Failure> {
    export(modules, folder)?;
    output::print(&format!(
        "Summary modules={} folder={}\n",
        modules.len(),
        folder.display()
    ))?;
    Ok(ExitCode::Ok)
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let code = match error {
            ExportError::Read { .. } | ExportError::Changed { .. } => ExitCode::SetUp,
            _ => ExitCode::OutputNotWritten,
        };
        Self::new(code, error)
    }
}

fn open(cache: &CacheArguments) -> Result<(Store, StoredModules), Failure> {
    let failure = |error: harness_store::StoreError| {
        Failure::new(ExitCode::SetUp, error)
            .hint("choose another folder with --store or HARNESS_STORE")
    };
    let store = Store::open(cache.store.clone()).map_err(failure)?;
    let all = stored(&store).map_err(failure)?;
    for one in &all.unusable {
        let shown = format!("{}: {}", one.path.display(), one.reason);
        say!("warning: {}", one_line(&shown, WIDEST));
    }
    Ok((store, all))
}

fn list(cache: &CacheArguments, json: bool) -> Result<ExitCode, Failure> {
    let (store, all) = open(cache)?;
    if json {
        let manifest = Manifest {
            format: Manifest::FORMAT.to_owned(),
            modules: all.modules.iter().map(ManifestEntry::from).collect(),
        };
        return print_json(&manifest);
    }
    let rows = all.modules.iter().map(|one| {
        let header = &one.file.header;
        vec![
            one.name.clone(),
            header.method.clone(),
            header.source.clone(),
            header.dataset.clone(),
            header
                .origin
                .as_ref()
                .map_or_else(|| "unknown".to_owned(), |origin| origin.shots.to_string()),
            seeds_of(header).to_string(),
            HumanBytes(one.file.bytes).to_string(),
        ]
    });
    let head = [
        "MODULE", "METHOD", "SOURCE", "DATA SET", "SHOTS", "SEED", "SIZE",
    ];
    let mut text = table::plain(&head, rows);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "\nSummary store={} modules={} unusable={}",
        store.root().display(),
        all.modules.len(),
        all.unusable.len()
    );
    output::print(&text)?;
    Ok(ExitCode::Ok)
}

fn show(cache: &CacheArguments, wanted: &str, json: bool) -> Result<ExitCode, Failure> {
    let path = Path::new(wanted);
    let file = match path.is_file() {
        true => ModuleFile::read(path).map_err(|error| Failure::new(ExitCode::SetUp, error))?,
        false => find(&open(cache)?.1, wanted)?.file.clone(),
    };
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let name = match path.is_file() {
        true => name.into_owned(),
        false => wanted.to_owned(),
    };
    if json {
        let named = NamedModule { name, file };
        return print_json(&ManifestEntry::from(&named));
    }
    let ModuleFile {
        path,
        sha256,
        bytes,
        header,
    } = file;
    let unknown = || "unknown (not in the file's header)".to_owned();
    let origin = header.origin.as_ref();
    let digest = |of: Option<&String>| of.cloned().unwrap_or_else(unknown);
    let mut lines = vec![
        ("file", path.display().to_string()),
        ("sha-256", sha256),
        ("size", HumanBytes(bytes).to_string()),
        ("method", header.method.clone()),
        ("configuration", header.config.to_string()),
        (
            "plugin",
            format!("{} {}", header.plugin, header.plugin_version),
        ),
        ("  sha-256", digest(origin.map(|o| &o.plugin_sha256))),
        ("source", header.source.clone()),
        ("  sha-256", digest(origin.map(|o| &o.source_sha256))),
        ("data set", header.dataset.clone()),
        ("  sha-256", digest(origin.map(|o| &o.dataset_sha256))),
        (
            "classes",
            match origin {
                Some(origin) => {
                    let count = origin.class_names.len();
                    format!("{count}: {}", origin.class_names.join(", "))
                }
                None => format!("{} ids, names unknown", header.classes.len()),
            },
        ),
        (
            "templates",
            origin.map_or_else(unknown, |origin| origin.templates.join(" | ")),
        ),
        (
            "shots",
            origin.map_or_else(unknown, |origin| {
                format!("{} (sampler {})", origin.shots, origin.sampler)
            }),
        ),
        ("seed", seeds_of(&header).to_string()),
    ];
    let recipe = origin.map(|origin| match &origin.recipe {
        Some(recipe) => serde_json::to_string(recipe).unwrap_or_default(),
        None => "none stated by the method".to_owned(),
    });
    lines.push(("recipe", recipe.unwrap_or_else(unknown)));
    let text: String = lines
        .iter()
        .map(|(key, value)| format!("{key:<14} {}\n", one_line(value, WIDEST)))
        .collect();
    output::print(&text)?;
    Ok(ExitCode::Ok)
}

fn remove(cache: &CacheArguments, names: &[String]) -> Result<ExitCode, Failure> {
    let (_, all) = open(cache)?;
    let chosen = choose(&all, names)?;
    for one in &chosen {
        fs_err::remove_file(&one.file.path)
            .map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))?;
    }
    output::print(&format!("Summary removed={}\n", chosen.len()))?;
    Ok(ExitCode::Ok)
}

/// The modules with these names, each once; without names all of them.
fn choose(all: &StoredModules, names: &[String]) -> Result<Vec<NamedModule>, Failure> {
    if names.is_empty() {
        return Ok(all.modules.clone());
    }
    let mut chosen: Vec<NamedModule> = Vec::new();
    for name in names {
        let found = find(all, name)?;
        if !chosen.contains(found) {
            chosen.push(found.clone());
        }
    }
    Ok(chosen)
}

fn find<'a>(all: &'a StoredModules, name: &str) -> Result<&'a NamedModule, Failure> {
    all.find(name).ok_or_else(|| {
        Failure::new(
            ExitCode::NothingSelected,
            format!("no module {name:?} in the cache"),
        )
        .hint("`harness modules ls` lists them; --store names another cache")
    })
}

fn print_json(value: &impl serde::Serialize) -> Result<ExitCode, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))?;
    output::print(&(text + "\n"))?;
    Ok(ExitCode::Ok)
}
