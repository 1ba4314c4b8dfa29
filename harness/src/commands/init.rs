//! `harness init`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use harness_engine::registry::{Location, SearchPath};
use harness_engine::suite::{KnownInputs, closest};
use harness_report::ExitCode;
use harness_store::write_atomically;

use crate::cli::InitArguments;
use crate::failure::Failure;
use crate::output;
use crate::settings::places;
use crate::starter_suite::{Starter, StarterDataset};

pub(crate) fn init(arguments: &InitArguments) -> Result<ExitCode, Failure> {
    let file = file(arguments.path.as_deref());
    if file.exists() && !arguments.force {
        let message = format!("{} exists already", file.display());
        return Err(Failure::new(ExitCode::OutputNotWritten, message)
            .hint("--force overwrites it; another name may be given"));
    }
    let data = std::env::var_os("HARNESS_DATA").map(PathBuf::from);
    let places = places()?.with_data(data.as_deref(), None);
    for name in arguments.source.iter().chain(&arguments.target) {
        require_backbone(&places, name)?;
    }
    let is_own = arguments.source.is_some() || !arguments.target.is_empty();
    let suite = Starter {
        name: name_of_suite(&file),
        source: match &arguments.source {
            Some(source) => from_suite(source, &file)?,
            None => "micro-clip".to_owned(),
        },
        targets: match &arguments.target[..] {
            [] => vec!["micro-eva-clip".to_owned()],
            targets => targets
                .iter()
                .map(|target| from_suite(target, &file))
                .collect::<Result<_, _>>()?,
        },
        datasets: match &arguments.data[..] {
            [] => vec![StarterDataset {
                name: "digits".to_owned(),
                is_undivided: false,
            }],
            names => names
                .iter()
                .map(|name| dataset(&places, name, &file))
                .collect::<Result<_, _>>()?,
        },
    };
    let written =
        make_folder(&file).and_then(|()| write_atomically(&file, suite.render().as_bytes()));
    written.map_err(|error| {
        let message = format!("cannot write {}: {error}", file.display());
        Failure::new(ExitCode::OutputNotWritten, message)
    })?;
    if !is_own {
        say!("note: it uses the embedded backbones; --source and --target name others");
    }
    let shown = file.display();
    output::print(&format!(
        "wrote {shown}\nnext: harness plan {shown}, then harness run {shown}\n"
    ))?;
    Ok(ExitCode::Ok)
}

/// A path that ends in .yaml or .yml is the file, any other a folder for `suite.yaml`.
fn file(path: Option<&Path>) -> PathBuf {
    let path = path.unwrap_or(Path::new(""));
    match path.extension().and_then(OsStr::to_str) {
        Some("yaml" | "yml") if !path.is_dir() => path.to_owned(),
        _ => path.join("suite.yaml"),
    }
}

fn make_folder(file: &Path) -> std::io::Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs_err::create_dir_all(folder),
        _ => Ok(()),
    }
}

/// The file's name or, for a plain `suite.yaml`, its folder's.
fn name_of_suite(file: &Path) -> String {
    let stem = file.file_stem().and_then(OsStr::to_str).unwrap_or("suite");
    let folder = std::path::absolute(file).ok();
    let folder = folder.as_deref().and_then(Path::parent);
    let folder = folder.and_then(Path::file_name).and_then(OsStr::to_str);
    match (stem, folder) {
        ("suite", Some(folder)) => folder.to_owned(),
        _ => stem.to_owned(),
    }
}

fn require_backbone(places: &SearchPath, name: &str) -> Result<(), Failure> {
    let is_there = Path::new(name).is_dir()
        || places
            .has_backbone(name)
            .map_err(|reason| Failure::new(ExitCode::SetUp, reason.to_string()))?;
    match is_there {
        true => Ok(()),
        false => {
            let message = format!("backbone {name:?} not found");
            let known = places.backbones();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            if let Some(meant) = closest(name, &known) {
                let failure = Failure::new(ExitCode::SetUp, message);
                return Err(failure.hint(format!("did you mean {meant:?}?")));
            }
            Err(Failure::new(ExitCode::SetUp, message)
                .hint("name one of `harness list backbones`, a folder, or hf:org/name"))
        }
    }
}

fn dataset(places: &SearchPath, name: &str, file: &Path) -> Result<StarterDataset, Failure> {
    let path = Path::new(name);
    let location = places.dataset(name);
    let is_known = matches!(location, Ok(Location::Found(_) | Location::Absent(_)));
    if !path.exists() && !is_known {
        let message = match location {
            Err(reason) => reason.to_string(),
            Ok(_) => format!("data set {name:?} not found"),
        };
        return Err(Failure::new(ExitCode::SetUp, message)
            .hint("name one of `harness list datasets`, or a folder or table of images"));
    }
    Ok(StarterDataset {
        name: from_suite(name, file)?,
        is_undivided: is_folder_of_classes(path),
    })
}

/// Whether nothing in a folder says which images are for training: it holds folders alone,
/// and none of them is a split.
fn is_folder_of_classes(folder: &Path) -> bool {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return false;
    };
    let mut shown = entries
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .peekable();
    shown.peek().is_some()
        && shown.all(|entry| {
            let is_split = ["train", "val", "test"]
                .iter()
                .any(|split| entry.file_name() == *split);
            entry.path().is_dir() && !is_split
        })
}

/// A name as it is; a path as the suite's folder sees it.
fn from_suite(name: &str, file: &Path) -> Result<String, Failure> {
    let path = Path::new(name);
    if !path.exists() || path.is_absolute() {
        return Ok(name.to_owned());
    }
    let is_beside = file
        .parent()
        .is_none_or(|folder| folder.as_os_str().is_empty());
    let path = match is_beside {
        true if name.contains('/') || name.starts_with('.') => return Ok(name.to_owned()),
        true => Path::new(".").join(path),
        false => std::path::absolute(path)
            .map_err(|error| Failure::new(ExitCode::SetUp, format!("{name}: {error}")))?,
    };
    let text = path.to_str();
    text.map(str::to_owned).ok_or_else(|| {
        let message = format!("{}: expected a path in UTF-8", path.display());
        Failure::new(ExitCode::SetUp, message)
    })
}
