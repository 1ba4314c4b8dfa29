//! CLIP_benchmark's WebDataset layout: `train/*.tar`, `test/*.tar`, `classnames.txt` and
//! `zeroshot_classification_templates.txt`. Images are read in place from the shards, of which
//! compressed ones (`.tar.gz`) are unpacked into a temporary file.
//!
//! A sample consists of the entries whose names agree up to the first dot: an image and its class
//! number in `.cls`. Class ids are the class names; where two classes share a name, their number
//! is appended, since these files have no WNIDs.

mod shard;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::contract::{Format, Request};
use crate::known::KnownDataset;
use crate::listing::{Item, Listing, Pixels};
use crate::problems::Problems;
use crate::summary::{Class, Split, display_name};
use crate::text::{all_lines, lines};

const CLASS_NAMES: &str = "classnames.txt";
const TEMPLATES: &str = "zeroshot_classification_templates.txt";
const TEMPLATE: &str = "a photo of a {}.";

pub(crate) struct WebDatasetFormat;

impl Format for WebDatasetFormat {
    fn matches(&self, path: &Path) -> bool {
        !shards(path, Split::Test).is_empty()
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let dir = request.path;
        let names = class_names(&dir.join(CLASS_NAMES), problems)?;
        let mut items = [const { Vec::new() }; 3];
        let mut extents = [const { Vec::new() }; 3];
        for split in Split::ALL {
            let shards = shards(dir, split);
            check_number(dir, split, shards.len(), problems);
            for path in shards {
                if shard::is_compressed(&path) {
                    let kind = "compressed shard, which every process decompresses";
                    problems.note(kind, path.display().to_string());
                }
                for sample in shard::read(&path, problems)? {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let path = format!("{split}/{name}/{}", sample.name);
                    let label = request
                        .options
                        .label(sample.label, || path.clone(), problems);
                    let Some(label) = label else {
                        continue;
                    };
                    items[split.index()].push(Item { path, label });
                    extents[split.index()].push(sample.image);
                }
            }
        }
        let name = name_of(dir);
        Ok(Listing {
            title: name.clone(),
            shift_of: shift_of(&name),
            name,
            license: "not stated".to_owned(),
            source: dir.display().to_string(),
            format: "webdataset",
            classes: classes(&names),
            templates: templates(dir)?,
            items,
            pixels: Pixels::Shards(extents),
            origin: dir.to_owned(),
        })
    }
}

/// The folder's name; in a hub's cache, where folders are named by commit, the name of the
/// repository in `datasets--org--name/snapshots/commit`.
pub(super) fn name_of(dir: &Path) -> String {
    let mut above = dir.ancestors().skip(1);
    let repo = above
        .find(|folder| folder.ends_with("snapshots"))
        .and_then(|snapshots| snapshots.parent()?.file_name()?.to_str())
        .and_then(|repo| Some(repo.strip_prefix("datasets--")?.split_once("--")?.1));
    repo.map_or_else(|| display_name(dir), str::to_owned)
}

/// Line k names class k. Empty lines at the end are not counted.
fn class_names(path: &Path, problems: &mut Problems) -> Result<Vec<String>, DataError> {
    let mut names = all_lines(path)?;
    while names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    for (index, _) in names.iter().enumerate().filter(|(_, name)| name.is_empty()) {
        problems.add(
            "class without a name (write one on its line)",
            format!("class {index}, line {} of {}", index + 1, path.display()),
        );
    }
    Ok(names)
}

/// The shards of a split, `0.tar`, `1.tar`, …, `10.tar` in the order of their numbers.
fn shards(dir: &Path, split: Split) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(dir.join(split.as_str()));
    let mut shards: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| stem(path).is_some())
        .collect();
    shards.sort_by_cached_key(|path| {
        let stem = stem(path).unwrap_or_default();
        let number = stem
            .trim_start_matches(|c: char| !c.is_ascii_digit())
            .parse::<u64>();
        (number.unwrap_or(u64::MAX), stem)
    });
    shards
}

/// The name of a shard without its ending, which says that it is one.
fn stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let endings = [".tar", ".tar.gz", ".tgz"];
    let stem = endings
        .iter()
        .find_map(|ending| name.strip_suffix(ending))?;
    Some(stem.to_owned())
}

/// `nshards.txt` reveals an incomplete download.
fn check_number(dir: &Path, split: Split, found: usize, problems: &mut Problems) {
    let path = dir.join(split.as_str()).join("nshards.txt");
    let stated = lines(&path)
        .ok()
        .and_then(|lines| lines.first()?.parse::<usize>().ok());
    if let Some(stated) = stated.filter(|stated| *stated != found) {
        let item = format!("{split}: {found} found, nshards.txt says {stated}");
        problems.add("wrong number of shards", item);
    }
}

fn templates(dir: &Path) -> Result<Vec<String>, DataError> {
    let path = dir.join(TEMPLATES);
    if !path.exists() {
        return Ok(vec![TEMPLATE.to_owned()]);
    }
    // CLIP_benchmark writes the class as `{c}`.
    Ok(lines(&path)?
        .iter()
        .map(|line| line.replace("{c}", "{}"))
        .collect())
}

fn classes(names: &[String]) -> Vec<Class> {
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for name in names {
        *uses.entry(name).or_default() += 1;
    }
    let class = |(label, name): (usize, &String)| Class {
        name: name.replace('_', " "),
        id: match uses.get(name.as_str()) {
            Some(1) => name.clone(),
            _ => format!("{name} ({label})"),
        },
    };
    names.iter().enumerate().map(class).collect()
}

/// `wds_imagenet-r` and the like are shifted test sets of `wds_imagenet1k`.
fn shift_of(name: &str) -> Option<String> {
    let known = KnownDataset::find(name.strip_prefix("wds_")?)?;
    known.shift_of.as_ref().map(|_| "wds_imagenet1k".to_owned())
}
