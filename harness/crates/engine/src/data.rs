//! What `harness data` needs: few-shot splits and checks of data sets.

use std::path::{Path, PathBuf};

use harness_data::{Annotations, DataError};
pub use harness_data::{DatasetCheck, KnownDataset, ProblemGroup, Sampler, Split};

pub use crate::job::Draw;
use crate::registry::{Absent, FactsError, SearchPath, find_dataset as find};
use crate::run::{RunError, cut_by_clip};
use crate::suite::{DatasetEntry, Document, SuiteError};

/// The paths of a few-shot split, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FewShotPaths {
    pub train: Vec<String>,
    pub val: Vec<String>,
    /// The folder that the paths count from.
    pub image_folder: PathBuf,
    /// The hash of the split, as in a report.
    pub sha256: String,
    /// CoOp's folder of pickled few-shot splits, which is not read.
    pub unread_pickles: Option<PathBuf>,
}

/// Why a data set could not be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookError {
    #[error(transparent)]
    Facts(#[from] FactsError),
    #[error("{absent}\nrun `harness fetch --dataset {name}` to download it")]
    NotFetched { name: String, absent: Box<Absent> },
    #[error(transparent)]
    Data(#[from] DataError),
}

/// A data set that was checked.
#[derive(Debug)]
pub struct Checked {
    /// As the command line or the suite calls it.
    pub label: String,
    /// The result, or why the check could not run.
    pub outcome: Result<DatasetCheck, LookError>,
}

/// The data sets that go by a name wherever they lie.
pub fn known() -> &'static [KnownDataset] {
    KnownDataset::all()
}

/// The images that a run with this draw trains on, from annotations alone.
///
/// # Errors
/// There is no such data set, or something is wrong with its annotations.
pub fn few_shot(
    search_path: &SearchPath,
    name: &str,
    draw: Draw,
) -> Result<FewShotPaths, LookError> {
    let (path, opening) = find(search_path, &DatasetEntry::named(name), "")?;
    let annotations = Annotations::read(&path, &opening)?;
    let split = annotations.few_shot(draw.shots as usize, draw.seeds.split, draw.sampler);
    let paths = |part, indices: &[usize]| {
        let paths = indices.iter();
        paths
            .filter_map(|&index| annotations.path(part, index))
            .map(str::to_owned)
            .collect()
    };
    Ok(FewShotPaths {
        train: paths(Split::Train, &split.train),
        val: paths(Split::Val, &split.val),
        image_folder: annotations.image_folder().to_owned(),
        sha256: split.sha256,
        unread_pickles: annotations.unread_pickles(),
    })
}

/// Checks one data set. `progress` is called with the images decoded and in total.
pub fn check(
    name: &str,
    data: Option<&Path>,
    decode: bool,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Checked {
    let search_path = SearchPath::of_current_folder().with_data(data, None);
    look(&search_path, &DatasetEntry::named(name), decode, progress)
}

/// Checks every data set of a suite as the suite reads it.
///
/// # Errors
/// The suite cannot be read, or an entry of its data sets is malformed.
pub fn check_suite(
    suite: &Path,
    data: Option<&Path>,
    decode: bool,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Checked>, RunError> {
    let document = Document::read(suite)?;
    let search_path = SearchPath::of_suite(suite).with_data(data, document.data());
    let entries = document.datasets().map_err(SuiteError::from)?;
    let checked = entries.iter();
    Ok(checked
        .map(|entry| look(&search_path, entry, decode, progress))
        .collect())
}

/// Notes the classes whose prompts do not fit into CLIP's context.
fn with_cut_prompts(mut check: DatasetCheck) -> DatasetCheck {
    let names: Vec<&str> = check
        .classes
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    // A name that cannot be encoded is reported by what encodes it.
    let cut = cut_by_clip(&check.templates, &names).unwrap_or_default();
    let items: Vec<String> = cut.into_iter().map(str::to_owned).collect();
    if !items.is_empty() {
        check.notes.push(ProblemGroup {
            kind: "prompt cut to CLIP's context of 77 tokens",
            items,
        });
    }
    check
}

fn look(
    search_path: &SearchPath,
    entry: &DatasetEntry,
    decode: bool,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Checked {
    let found = find(search_path, entry, "").map_err(LookError::from);
    let outcome = found
        .and_then(|(path, opening)| Ok(DatasetCheck::run(&path, &opening, decode, progress)?))
        .map(with_cut_prompts)
        .map_err(|error| match error {
            LookError::Facts(FactsError::Absent(absent)) if absent.request.is_some() => {
                LookError::NotFetched {
                    name: entry.name.clone(),
                    absent,
                }
            }
            error => error,
        });
    Checked {
        label: entry.label.clone(),
        outcome,
    }
}
