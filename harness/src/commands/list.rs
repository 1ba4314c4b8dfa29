//! `harness list`.

use std::path::PathBuf;

use harness_engine::data;
use harness_engine::registry::{
    BackboneEntry, DatasetFacts, FactsError, Location, NominalDims, PresentBackbone, SearchPath,
    TowerDims, readable,
};
use harness_engine::suite::DatasetEntry;
use harness_render::terminal::one_line;
use harness_report::ExitCode;
use serde::Serialize;

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
        Kind::Backbones => backbones(&places, arguments.json),
        Kind::Datasets => datasets(&places, arguments.json),
    }
}

fn methods(arguments: &ListArguments) -> Result<ExitCode, Failure> {
    let cards = Cards::gather(None, &arguments.dims)?;
    if cards.entries.is_empty() && cards.broken.is_empty() {
        return Err(Failure::new(ExitCode::SetUp, "no plugins found").hint(
            "`cargo build` puts them beside the executable; HARNESS_PLUGIN_PATH adds folders",
        ));
    }
    if arguments.json {
        output::print_json(&cards::listed(&cards))?;
    } else {
        output::print(&match arguments.markdown {
            true => markdown(&cards),
            false => cards::table(&cards, output::width()),
        })?;
    }
    let broken = cards.broken.iter();
    let broken = broken.map(|broken| format!("{}: {}", broken.path.display(), broken.reason));
    Ok(warn("plugin", broken))
}

fn backbones(places: &SearchPath, is_json: bool) -> Result<ExitCode, Failure> {
    let names = places.backbone_folders();
    let (facts, broken) = read(&names, |name| PresentBackbone::read(places, name));
    let mut listed: Vec<ListedBackbone> = facts.iter().map(of_folder).collect();
    let mut seen = names;
    for (alias, entry) in places.aliases() {
        if !seen.iter().any(|known| known == alias) {
            seen.push(alias.to_owned());
            listed.push(of_alias(places, alias, entry));
        }
    }
    if is_json {
        output::print_json(&listed)?;
    } else {
        let head = [
            "BACKBONE", "LAYOUT", "JOINT", "TEXT", "IMAGE", "LICENCE", "ON DISK", "SHA-256",
        ];
        let rows: Vec<Vec<String>> = listed.iter().map(ListedBackbone::row).collect();
        let narrow: &[usize] = &[0, 2, 3, 4, 6];
        let choices = [&[0, 1, 2, 3, 4, 5, 6][..], &[0, 1, 2, 3, 4, 6], narrow];
        output::print(&table::fitting(&head, &rows, output::width(), &choices))?;
    }
    Ok(warn("backbone", broken.into_iter()))
}

/// A backbone of `harness list backbones`; null where nothing is known.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ListedBackbone {
    name: String,
    layout: Option<String>,
    joint_width: Option<usize>,
    text: Option<ListedTower>,
    image: Option<ListedTower>,
    licence: Option<String>,
    /// `yes`, `no`, `pickle` or why it cannot be used.
    on_disk: String,
    /// Bytes to download.
    bytes: Option<u64>,
    sha256: Option<String>,
}

#[derive(Clone, Copy, Serialize)]
struct ListedTower {
    layers: usize,
    width: usize,
}

impl ListedBackbone {
    fn row(&self) -> Vec<String> {
        let tower = |tower: Option<ListedTower>| {
            tower.map_or_else(String::new, |tower| {
                format!("{} × {}", tower.layers, tower.width)
            })
        };
        let is_here = self.sha256.is_some();
        vec![
            self.name.clone(),
            self.layout.clone().unwrap_or_default(),
            self.joint_width
                .map_or_else(String::new, |joint| joint.to_string()),
            tower(self.text),
            tower(self.image),
            match &self.licence {
                None if !is_here => "unknown".to_owned(),
                licence => licence.clone().unwrap_or_default(),
            },
            match self.bytes {
                Some(bytes) => format!("{}, {}", self.on_disk, readable(bytes)),
                None => self.on_disk.clone(),
            },
            self.sha256
                .as_ref()
                .map_or_else(String::new, |sha256| sha256.chars().take(12).collect()),
        ]
    }
}

fn of_folder(backbone: &PresentBackbone) -> ListedBackbone {
    let architecture = &backbone.architecture;
    let dims = &architecture.dims;
    ListedBackbone {
        name: backbone.name.clone(),
        layout: Some(architecture.layout.clone()),
        joint_width: Some(dims.embed_dim),
        text: Some(ListedTower {
            layers: dims.text.layers,
            width: dims.text.width,
        }),
        image: Some(ListedTower {
            layers: dims.image.layers,
            width: dims.image.width,
        }),
        licence: None,
        on_disk: "yes".to_owned(),
        bytes: None,
        sha256: Some(backbone.files.sha256.clone()),
    }
}

/// What the registry says; nothing is read, since hashing weights takes a while.
fn of_alias(places: &SearchPath, alias: &str, entry: &BackboneEntry) -> ListedBackbone {
    let tower = |of: fn(&NominalDims) -> TowerDims| {
        let tower = entry.dims.as_ref().map(of);
        tower.map(|tower| ListedTower {
            layers: tower.layers as usize,
            width: tower.width as usize,
        })
    };
    let (on_disk, bytes) = match places.backbone(alias) {
        Ok(Location::Found(_)) => ("yes".to_owned(), None),
        Ok(Location::Absent(absent)) if absent.files.is_empty() => ("pickle".to_owned(), None),
        Ok(Location::Absent(_)) => {
            let sizes = entry.files.iter().map(|file| file.size.or(file.about));
            let bytes: u64 = sizes.flatten().sum();
            ("no".to_owned(), Some(bytes).filter(|bytes| *bytes > 0))
        }
        Ok(Location::Unknown) => ("no".to_owned(), None),
        Err(error) => (error.to_string(), None),
    };
    ListedBackbone {
        name: alias.to_owned(),
        layout: entry.layout.clone(),
        joint_width: entry.dims.map(|dims| dims.embed as usize),
        text: tower(|dims| dims.text),
        image: tower(|dims| dims.image),
        licence: entry.licence.clone(),
        on_disk,
        bytes,
        sha256: None,
    }
}

/// A data set of `harness list datasets`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ListedDataset {
    name: String,
    title: String,
    classes: usize,
    train: usize,
    val: usize,
    test: usize,
    shift_of: Option<String>,
    /// `bundled`, its folder, or `not found`.
    place: String,
}

/// The bundled ones, then the known ones with their published sizes.
fn datasets(places: &SearchPath, is_json: bool) -> Result<ExitCode, Failure> {
    let names = places.bundled_datasets();
    let (facts, broken) = read(&names, |name| {
        DatasetFacts::read(places, &DatasetEntry::named(name), "")
    });
    let bundled = facts.iter().map(|facts| {
        let known = facts.contents.present();
        let [train, val, test] = known.map_or([0; 3], |known| known.sizes);
        ListedDataset {
            name: facts.reference.name.clone(),
            title: facts.title.clone(),
            classes: known.map_or(0, |known| known.class_names.len()),
            train,
            val,
            test,
            shift_of: facts.shift_of.clone(),
            place: "bundled".to_owned(),
        }
    });
    let known = data::known().iter().map(|known| ListedDataset {
        name: known.name.clone(),
        title: known.title.clone(),
        classes: known.sizes.classes,
        train: known.sizes.train,
        val: known.sizes.val,
        test: known.sizes.test,
        shift_of: known.shift_of.clone(),
        place: match places.dataset(&known.name) {
            Ok(Location::Found(found)) => found.path.display().to_string(),
            _ => "not found".to_owned(),
        },
    });
    let listed: Vec<ListedDataset> = bundled.chain(known).collect();
    if is_json {
        output::print_json(&listed)?;
    } else {
        let head = [
            "DATA SET", "TITLE", "CLASSES", "TRAIN", "VAL", "TEST", "SHIFT OF", "PLACE",
        ];
        let rows = listed.iter().map(|one| {
            let counts = [one.classes, one.train, one.val, one.test];
            let mut row = vec![one.name.clone(), one.title.clone()];
            row.extend(counts.map(|count| count.to_string()));
            row.extend([one.shift_of.clone().unwrap_or_default(), one.place.clone()]);
            row
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let choices: [&[usize]; 2] = [&[0, 2, 3, 4, 5, 6, 7], &[0, 2, 3, 5, 6, 7]];
        output::print(&table::fitting(&head, &rows, output::width(), &choices))?;
    }
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
