//! Checking a data set before a run uses it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::format::{Request, list, resolve};
use crate::known::KnownDataset;
use crate::options::OpenOptions;
use crate::problems::{ProblemGroup, Problems, UNREADABLE};
use crate::summary::{Class, Split};

/// The result of a check.
#[derive(Debug)]
pub struct DatasetCheck {
    pub name: String,
    pub format: &'static str,
    /// In label order.
    pub classes: Vec<Class>,
    /// Prompt templates, each with exactly one `{}`.
    pub templates: Vec<String>,
    /// Images of each class by split, in the order of [`Split::ALL`], as annotated.
    pub counts: Vec<[usize; 3]>,
    /// The known data set whose published sizes it should have.
    pub known: Option<&'static KnownDataset>,
    /// What prevents a run.
    pub problems: Vec<ProblemGroup>,
    /// What does not, such as an image in both train and test.
    pub notes: Vec<ProblemGroup>,
    /// Images that a run with `allow_missing` would leave out.
    pub missing: usize,
    /// The hash that a report would carry; `None` if the data set cannot be run.
    pub manifest_sha256: Option<String>,
}

impl DatasetCheck {
    /// Checks the data set at `path`: annotations, presence of the images and, with `decode`, their
    /// pixels. `progress` is called with the numbers of decoded images and of all images.
    ///
    /// # Errors
    /// There is no data set, or its annotations cannot be read at all.
    pub fn run(
        path: &Path,
        options: &OpenOptions,
        decode: bool,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<DatasetCheck, DataError> {
        let request = Request::new(path, options);
        let mut problems = Problems::default();
        let listing = list(request, &mut problems)?;
        let summary = listing.summary();
        let counts = counts(&summary.classes, &listing.labels());
        let mut notes = Problems::default();
        let known = KnownDataset::find(&summary.name)
            .filter(|known| known.is_published(&summary.name, path));
        if let Some(known) = known {
            sizes(known, &counts, &mut notes);
        }
        // Missing images are counted even where a run would accept them.
        let strict = OpenOptions {
            allow_missing: false,
            ..options.clone()
        };
        let parts = resolve(Request::new(path, &strict), listing, &mut problems)?;
        let content = parts.content.clone();
        let dataset = Dataset::from_parts(parts);
        duplicates(&dataset, &content, &mut notes);
        if decode {
            unreadable(&dataset, progress, &mut problems);
        }
        shared_names(&summary.classes, &mut notes);
        let mut all_notes = problems.take_notes();
        all_notes.extend(notes.into_groups());
        let groups = problems.into_groups();
        let lost = groups.iter().filter(|group| group.is_about_images());
        let missing = lost.map(|group| group.items.len()).sum();
        let is_runnable = groups
            .iter()
            .all(|group| options.allow_missing && group.is_about_images());
        let manifest_sha256 = is_runnable.then(|| dataset.manifest_sha256().to_owned());
        Ok(DatasetCheck {
            name: summary.name,
            format: summary.format,
            classes: summary.classes,
            templates: summary.templates,
            counts,
            known,
            problems: groups,
            notes: all_notes,
            missing,
            manifest_sha256,
        })
    }

    /// Images of a split, as annotated.
    pub fn len(&self, split: Split) -> usize {
        self.counts.iter().map(|counts| counts[split.index()]).sum()
    }

    /// Whether nothing is annotated.
    pub fn is_empty(&self) -> bool {
        Split::ALL.into_iter().all(|split| self.len(split) == 0)
    }
}

fn counts(classes: &[Class], labels: &[Vec<u32>; 3]) -> Vec<[usize; 3]> {
    let mut counts = vec![[0; 3]; classes.len()];
    for (split, labels) in labels.iter().enumerate() {
        for &label in labels {
            if let Some(counts) = counts.get_mut(label as usize) {
                counts[split] += 1;
            }
        }
    }
    counts
}

fn sizes(known: &KnownDataset, counts: &[[usize; 3]], notes: &mut Problems) {
    let of = |split: Split| counts.iter().map(|counts| counts[split.index()]).sum();
    let expected = known.sizes;
    let pairs: [(&str, usize, usize); 4] = [
        ("classes", counts.len(), expected.classes),
        ("train images", of(Split::Train), expected.train),
        ("val images", of(Split::Val), expected.val),
        ("test images", of(Split::Test), expected.test),
    ];
    for (what, found, expected) in pairs {
        if found != expected {
            let item = format!("{found} {what}, published are {expected}");
            notes.add("size differs from the published one", item);
        }
    }
}

/// Classes that get the same prompts.
fn shared_names(classes: &[Class], notes: &mut Problems) {
    let mut labels: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (label, class) in classes.iter().enumerate() {
        let labels = labels.entry(class.name.as_str()).or_default();
        labels.push(label.to_string());
    }
    for (name, labels) in labels.iter().filter(|(_, labels)| labels.len() > 1) {
        notes.add(
            "class name used twice (zero-shot cannot tell them apart)",
            format!("`{name}` ({})", labels.join(", ")),
        );
    }
}

/// Test images that are, byte for byte, also in train or val.
fn duplicates(dataset: &Dataset, content: &[Vec<String>; 3], notes: &mut Problems) {
    // A sprite sheet has one content for all its images.
    let digests = |split: Split| {
        let digests = &content[split.index()];
        let is_whole = digests.len() == dataset.len(split);
        digests
            .iter()
            .take(if is_whole { digests.len() } else { 0 })
            .enumerate()
    };
    let mut seen: HashMap<&str, (Split, usize)> = HashMap::new();
    for split in [Split::Train, Split::Val] {
        seen.extend(digests(split).map(|(index, sha256)| (sha256.as_str(), (split, index))));
    }
    for (index, sha256) in digests(Split::Test) {
        if let Some(&(split, other)) = seen.get(sha256.as_str()) {
            let (test, other) = (
                dataset.image_name(Split::Test, index),
                dataset.image_name(split, other),
            );
            notes.add(
                "test image that is also in train or val",
                format!("{test} = {other}"),
            );
        }
    }
}

/// Decodes every image and adds those that cannot be decoded to the problems.
fn unreadable(
    dataset: &Dataset,
    progress: &(dyn Fn(usize, usize) + Sync),
    problems: &mut Problems,
) {
    let all: Vec<(Split, usize)> = Split::ALL
        .into_iter()
        .flat_map(|split| (0..dataset.len(split)).map(move |index| (split, index)))
        .collect();
    let done = AtomicUsize::new(0);
    let failed: Vec<String> = all
        .par_iter()
        .filter_map(|&(split, index)| {
            let failed = dataset.image(split, index).err();
            progress(1 + done.fetch_add(1, Ordering::Relaxed), all.len());
            failed.map(|error| error.to_string())
        })
        .collect();
    for item in failed {
        problems.add(UNREADABLE, item);
    }
}
