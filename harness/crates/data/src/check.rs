//! Everything that can be said about a data set before it is used.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::DataError;
use crate::dataset::Dataset;
use crate::format::Request;
use crate::known::Known;
use crate::opening::Opening;
use crate::problems::{Kind, Problems, UNREADABLE};
use crate::summary::{Class, Split};

/// What a check found.
#[derive(Debug)]
pub struct Check {
    pub name: String,
    pub format: &'static str,
    /// In label order.
    pub classes: Vec<Class>,
    /// Images of each class by split, in the order of [`Split::ALL`], as annotated.
    pub counts: Vec<[usize; 3]>,
    /// The entry of the list whose sizes it should have.
    pub known: Option<&'static Known>,
    /// What stands against a run.
    pub problems: Vec<Kind>,
    /// What a run would not mind, such as an image in both train and test.
    pub notes: Vec<Kind>,
    /// Images that a run with `allow_missing` would leave out.
    pub missing: usize,
    /// The hash that a report would carry; none if there could be no run.
    pub manifest_sha256: Option<String>,
}

impl Check {
    /// Checks what lies at `path`: annotations, presence and, with `decode`, the pixels of
    /// every image. `progress` hears of decoded images and of their number.
    ///
    /// # Errors
    /// There is no data set, or its annotations cannot be read at all.
    pub fn run(
        path: &Path,
        opening: &Opening,
        decode: bool,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Check, DataError> {
        let request = Request::new(path, opening);
        let mut problems = Problems::default();
        let listing = request.list(&mut problems)?;
        let summary = listing.summary();
        let counts = counts(&summary.classes, &listing.labels());
        let mut notes = Problems::default();
        let known = Known::find(&summary.name).filter(|_| request.is_layout_of(&summary.name));
        if let Some(known) = known {
            sizes(known, &counts, &mut notes);
        }
        // Counted here whether or not a run would mind.
        let strict = Opening {
            allow_missing: false,
            ..opening.clone()
        };
        let parts = Request::new(path, &strict).resolve(listing, &mut problems)?;
        let content = parts.content.clone();
        let dataset = Dataset::from_parts(parts);
        duplicates(&dataset, &content, &mut notes);
        if decode {
            unreadable(&dataset, progress, &mut problems);
        }
        let kinds = problems.into_kinds();
        let lost = kinds.iter().filter(|kind| kind.is_about_images());
        let missing = lost.map(|kind| kind.which.len()).sum();
        let is_runnable = kinds
            .iter()
            .all(|kind| opening.allow_missing && kind.is_about_images());
        let manifest_sha256 = is_runnable.then(|| dataset.manifest_sha256().to_owned());
        Ok(Check {
            name: summary.name,
            format: summary.format,
            classes: summary.classes,
            counts,
            known,
            problems: kinds,
            notes: notes.into_kinds(),
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

fn sizes(known: &Known, counts: &[[usize; 3]], notes: &mut Problems) {
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
            let which = format!("{found} {what}, {expected} are published");
            notes.add("other size than published", which);
        }
    }
}

/// Test images that are, byte for byte, also in train or val.
fn duplicates(dataset: &Dataset, content: &[Vec<String>; 3], notes: &mut Problems) {
    // The content of a sheet is one for all its images.
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

/// Decodes every image and notes those that cannot be.
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
    for which in failed {
        problems.add(UNREADABLE, which);
    }
}
