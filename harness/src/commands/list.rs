//! `harness list`.

use std::path::PathBuf;

use harness_engine::data;
use harness_engine::job::Presence;
use harness_engine::registry::{
    BackboneEntry, DatasetFacts, FactsError, Location, NominalDims, PresentBackbone, SearchPath,
    TowerDims, readable,
};
use harness_engine::suite::DatasetEntry;
use harness_render::terminal::one_line;
use harness_report::ExitCode;

use crate::cards::{self, Cards, markdown};
use crate::cli::{Kind, ListArguments};
use crate::failure::Failure;
use crate::settings::places;
use crate::{output, table};

pub(crate) fn list(arguments: &ListArguments) -> Result<ExitCode, Failure> {
    let data = std::env::var_os("HARNESS_DATA").map(PathBuf::from);
    let places = places()?.with_data(data.as_deref(), None);
    match arguments.what {
        Kind::Methods => methods(arguments),
        Kind::Backbones => backbones(&places),
        Kind::Datasets => datasets(&places),
    }
}

fn methods(arguments: &ListArguments) -> Result<ExitCode, Failure> {
    let cards = Cards::gather(None, &arguments.dims)?;
    if cards.entries.is_empty() && cards.broken.is_empty() {
        return Err(Failure::new(ExitCode::SetUp, "no plugins found").hint(
            "`cargo build` puts them beside the executable; HARNESS_PLUGIN_PATH adds folders",
        ));
    }
    output::print(&match arguments.markdown {
        true => markdown(&cards),
        false => cards::table(&cards),
    })?;
    let broken = cards.broken.iter();
    let broken = broken.map(|broken| format!("{}: {}", broken.path.display(), broken.reason));
    Ok(warn("plugin", broken))
}

fn backbones(places: &SearchPath) -> Result<ExitCode, Failure> {
    let names = places.backbone_folders();
    let (facts, broken) = read(&names, |name| PresentBackbone::read(places, name));
    let mut rows: Vec<Vec<String>> = facts.iter().map(row_of_folder).collect();
    let mut seen = names;
    for (alias, entry) in places.aliases() {
        if !seen.iter().any(|known| known == alias) {
            seen.push(alias.to_owned());
            rows.push(row_of_alias(places, alias, entry));
        }
    }
    let head = [
        "BACKBONE", "LAYOUT", "JOINT", "TEXT", "IMAGE", "LICENCE", "ON DISK", "SHA-256",
    ];
    output::print(&table::plain(&head, rows))?;
    Ok(warn("backbone", broken.into_iter()))
}

fn row_of_folder(backbone: &PresentBackbone) -> Vec<String> {
    let dims = &backbone.architecture.dims;
    vec![
        backbone.name.clone(),
        backbone.architecture.layout.clone(),
        dims.embed_dim.to_string(),
        format!("{} × {}", dims.text.layers, dims.text.width),
        format!("{} × {}", dims.image.layers, dims.image.width),
        String::new(),
        "yes".to_owned(),
        backbone.files.sha256.chars().take(12).collect(),
    ]
}

/// What the registry says; nothing is read, since hashing weights takes a while.
fn row_of_alias(places: &SearchPath, alias: &str, entry: &BackboneEntry) -> Vec<String> {
    let tower = |of: fn(&NominalDims) -> TowerDims| {
        let tower = entry.dims.as_ref().map(of);
        tower.map_or_else(String::new, |tower| {
            format!("{} × {}", tower.layers, tower.width)
        })
    };
    let joint = entry.dims.map(|dims| dims.embed.to_string());
    let on_disk = match places.backbone(alias) {
        Ok(Location::Found(_)) => "yes".to_owned(),
        Ok(Location::Absent(absent)) if absent.files.is_empty() => "pickle".to_owned(),
        Ok(Location::Absent(_)) => {
            let sizes = entry.files.iter().map(|file| file.size.or(file.about));
            match sizes.flatten().sum() {
                0 => "no".to_owned(),
                sizes => format!("no, {}", readable(sizes)),
            }
        }
        Ok(Location::Unknown) => "no".to_owned(),
        Err(error) => error.to_string(),
    };
    vec![
        alias.to_owned(),
        entry.layout.clone().unwrap_or_default(),
        joint.unwrap_or_default(),
        tower(|dims| dims.text),
        tower(|dims| dims.image),
        entry
            .licence
            .clone()
            .unwrap_or_else(|| "unknown".to_owned()),
        on_disk,
        String::new(),
    ]
}

/// The bundled ones, then the known ones with their published sizes.
fn datasets(places: &SearchPath) -> Result<ExitCode, Failure> {
    let names = places.bundled_datasets();
    let (facts, broken) = read(&names, |name| {
        DatasetFacts::read(places, &DatasetEntry::named(name), "")
    });
    let embedded = facts.iter().map(|facts| {
        let mut row = vec![facts.reference.name.clone(), facts.title.clone()];
        if let Presence::Present(known) = &facts.contents {
            row.push(known.class_names.len().to_string());
            row.extend(known.sizes.map(|size| size.to_string()));
        }
        row.push(facts.shift_of.clone().unwrap_or_default());
        row.push("bundled".to_owned());
        row
    });
    let known = data::known().iter().map(|known| {
        let sizes = known.sizes;
        let counts = [sizes.classes, sizes.train, sizes.val, sizes.test];
        let mut row = vec![known.name.clone(), known.title.clone()];
        row.extend(counts.map(|count| count.to_string()));
        row.push(known.shift_of.clone().unwrap_or_default());
        row.push(match places.dataset(&known.name) {
            Ok(Location::Found(found)) => found.path.display().to_string(),
            _ => "not found".to_owned(),
        });
        row
    });
    let head = [
        "DATA SET", "TITLE", "CLASSES", "TRAIN", "VAL", "TEST", "SHIFT OF", "PLACE",
    ];
    output::print(&table::plain(&head, embedded.chain(known)))?;
    finish("data set", names.is_empty(), broken)
}

/// What can be read, and why the rest cannot.
fn read<F>(
    names: &[String],
    facts: impl Fn(&str) -> Result<F, FactsError>,
) -> (Vec<F>, Vec<String>) {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for name in names {
        match facts(name) {
            Ok(facts) => good.push(facts),
            Err(error) => bad.push(error.to_string()),
        }
    }
    (good, bad)
}

fn finish(kind: &str, is_empty: bool, broken: Vec<String>) -> Result<ExitCode, Failure> {
    if is_empty {
        let message = format!("no {kind} found");
        return Err(Failure::new(ExitCode::SetUp, message)
            .hint("run it inside a checkout, or set HARNESS_EMBEDDED to a folder with `backbones` and `datasets`"));
    }
    Ok(warn(kind, broken.into_iter()))
}

fn warn(kind: &str, broken: impl Iterator<Item = String>) -> ExitCode {
    let mut code = ExitCode::Ok;
    for reason in broken {
        say!("warning: unusable {kind}: {}", one_line(&reason, 2000));
        code = ExitCode::SetUp;
    }
    code
}
