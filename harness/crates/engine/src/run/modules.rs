//! The rows of a suite's `modules`: each file with its own data set, draw and sources.

use std::collections::HashSet;
use std::path::Path;

use harness_data::UnknownSampler;

use super::absence::or_absent;
use super::error::RunError;
use super::placement_error::PlacementError;
use crate::job::Draw;
use crate::modules::seeds_of;
use crate::plan::{BackboneIndex, DatasetIndex, MethodInput, ModuleHome};
use crate::registry::{Absent, BackboneFacts, DatasetFacts, ModuleFile, Registry};
use crate::suite::{DatasetEntry, KnownInputs, MethodEntry, ModuleEntry, RecipeChoice, Suite};

/// What is known of the rest of the suite. Data sets that modules bring are added.
pub(super) struct Known<'a> {
    pub(super) rows: &'a [MethodInput],
    pub(super) backbones: &'a [BackboneFacts],
    pub(super) datasets: &'a mut Vec<DatasetFacts>,
    pub(super) absent: &'a mut Vec<Absent>,
}

/// A row for each file that the suite's `modules` match, each file once.
pub(super) fn rows(
    suite: &Suite,
    registry: &Registry,
    mut known: Known<'_>,
) -> Result<Vec<MethodInput>, RunError> {
    let mut labels: HashSet<String> = known.rows.iter().map(|row| row.label.clone()).collect();
    let mut seen = HashSet::new();
    let mut rows = Vec::new();
    for entry in &suite.modules {
        let files = registry.search_path.files(&entry.path);
        let files = files.map_err(|error| PlacementError::Unusable {
            path: entry.path.clone().into(),
            reason: error.to_string(),
        })?;
        for path in files {
            if !seen.insert(path.clone()) {
                continue;
            }
            let file = ModuleFile::read(&path)?;
            let label = label(&file, &labels);
            labels.insert(label.clone());
            let method = MethodEntry {
                id: file.header.method.clone(),
                label,
                config: serde_json::Map::new(),
                recipe: RecipeChoice::default(),
                module: None,
                python: None,
            };
            let Some((plugin, card)) = registry.method(&method.id) else {
                return Err(RunError::Method {
                    label: method.label,
                    id: method.id,
                });
            };
            let home = ModuleHome {
                dataset: dataset(entry, &file, registry, &mut known)?,
                sources: sources(entry, &file, suite, known.backbones)?,
                draw: draw(&file, suite)?,
            };
            rows.push(MethodInput {
                home: Some(home),
                ..MethodInput::new(&method, suite, (card, plugin), Some(file))
            });
        }
    }
    Ok(rows)
}

/// The file's name without its extension; of equal names, the path or the hash too.
fn label(file: &ModuleFile, taken: &HashSet<String>) -> String {
    let stem = Path::new(file.path.file_name().unwrap_or_default()).with_extension("");
    let whole = file.path.with_extension("");
    let hash: String = file.sha256.chars().take(12).collect();
    let names = [stem.as_path(), &whole].map(|name| name.to_string_lossy().into_owned());
    let free = names.iter().find(|name| !taken.contains(*name));
    free.cloned()
        .unwrap_or_else(|| format!("{}_{hash}", whole.display()))
}

/// The data set that the entry names, that the module was trained on by hash or name, or one
/// of that name elsewhere, which is added.
fn dataset(
    entry: &ModuleEntry,
    file: &ModuleFile,
    registry: &Registry,
    known: &mut Known<'_>,
) -> Result<DatasetIndex, RunError> {
    let header = &file.header;
    let origin = header.origin.as_ref();
    let by_name = |datasets: &[DatasetFacts], name: &str| {
        datasets.iter().position(|facts| facts.goes_by(name))
    };
    let name = entry.dataset.as_ref().unwrap_or(&header.dataset);
    let by_hash = || {
        let mut datasets = known.datasets.iter();
        let sha256 = &origin?.dataset_sha256;
        datasets.position(|facts| {
            let files = facts.reference.files.present();
            files.is_some_and(|files| files.manifest_sha256 == *sha256)
        })
    };
    let found = match entry.dataset.is_some() {
        true => by_name(known.datasets, name),
        false => by_hash().or_else(|| by_name(known.datasets, name)),
    };
    let index = match found {
        Some(index) => index,
        None if registry.has_dataset(name).is_ok_and(|known| known) => {
            let named = DatasetEntry::named(name);
            let facts = DatasetFacts::read(&registry.search_path, &named, "");
            let facts = or_absent(facts, known.absent)?;
            let facts = facts.unwrap_or_else(|| DatasetFacts::absent(&named));
            known.datasets.push(facts);
            known.datasets.len() - 1
        }
        None => {
            return Err(PlacementError::UnknownDataset {
                path: file.path.clone(),
                dataset: name.clone(),
            }
            .into());
        }
    };
    let facts = &known.datasets[index];
    let trained: HashSet<&String> = header.classes.iter().collect();
    let contents = facts.contents.present().filter(|_| !trained.is_empty());
    let here: Option<HashSet<&String>> = contents.map(|known| known.class_ids.iter().collect());
    if let Some(here) = here.filter(|here| entry.dataset.is_none() && trained != *here) {
        return Err(PlacementError::OtherClasses {
            path: file.path.clone(),
            dataset: name.clone(),
            trained: trained.len(),
            found: here.len(),
        }
        .into());
    }
    Ok(DatasetIndex(index))
}

/// The suite's sources that are the backbone the module was trained on: by the hash in its
/// header, and by name only where it has none.
fn sources(
    entry: &ModuleEntry,
    file: &ModuleFile,
    suite: &Suite,
    backbones: &[BackboneFacts],
) -> Result<Vec<BackboneIndex>, PlacementError> {
    let header = &file.header;
    let sha256 = header.origin.as_ref().map(|origin| &origin.source_sha256);
    let pairs = suite.pairs();
    let names: HashSet<&str> = pairs.iter().map(|pair| pair.source).collect();
    let begins = |name: &str| pairs.iter().any(|pair| pair.source == name && pair.begins);
    let is_own = |facts: &BackboneFacts| match (sha256, facts.reference.files.present()) {
        (Some(sha256), Some(files)) => files.sha256 == *sha256,
        // An absent backbone has no hash yet; it is compared once its files are there.
        _ => facts.reference.name == header.source,
    };
    let all = backbones.iter().enumerate();
    let all = all.filter(|(_, facts)| names.contains(facts.reference.name.as_str()));
    let found: Vec<BackboneIndex> = all
        .filter(|(_, facts)| {
            (entry.allow_other_source && begins(&facts.reference.name)) || is_own(facts)
        })
        .map(|(index, _)| BackboneIndex(index))
        .collect();
    if found.is_empty() {
        let mut known: Vec<&str> = names.into_iter().collect();
        known.sort_unstable();
        return Err(PlacementError::OtherSource {
            path: file.path.clone(),
            source_name: header.source.clone(),
            sha256: sha256.cloned(),
            known: known.join(", "),
        });
    }
    Ok(found)
}

/// The draw of the header. A file without an origin does not say its shots: the suite's, where
/// it lists one number, or 0.
fn draw(file: &ModuleFile, suite: &Suite) -> Result<Draw, PlacementError> {
    let origin = file.header.origin.as_ref();
    let of_suite = match suite.shots[..] {
        [only] => only,
        _ => 0,
    };
    let sampler = match origin.map(|origin| origin.sampler.parse()) {
        Some(sampler) => sampler.map_err(|error: UnknownSampler| PlacementError::Unusable {
            path: file.path.clone(),
            reason: error.to_string(),
        })?,
        None => suite.sampler.into(),
    };
    Ok(Draw {
        shots: origin.map_or(of_suite, |origin| origin.shots),
        seeds: seeds_of(&file.header),
        sampler,
    })
}
