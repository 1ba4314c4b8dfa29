//! Checks that hold for every format.

use std::collections::HashSet;

use crate::problems::Problems;
use crate::summary::{Class, Split};

/// The parts of a data set that can be checked before any image is read.
pub(crate) struct Content<'a> {
    pub(crate) name: &'a str,
    pub(crate) shifted: bool,
    pub(crate) classes: &'a [Class],
    pub(crate) templates: &'a [String],
    /// Labels by split, in the order of [`Split::ALL`].
    pub(crate) labels: [&'a [u32]; 3],
}

/// Bytes of a class name; far more than a prompt can hold.
const MAX_NAME_BYTES: usize = 1000;

/// Adds everything that is wrong with `content` to the problems.
pub(crate) fn check(content: &Content<'_>, problems: &mut Problems) {
    if content.name.trim().is_empty() {
        problems.add("empty text", "name");
    }
    check_classes(content.classes, problems);
    check_templates(content.templates, problems);
    for split in Split::ALL {
        check_labels(content, split, problems);
    }
    if content.labels[Split::Test.index()].is_empty() {
        problems.add("split without images", "test");
    }
    check_every_class_trains(content, problems);
}

fn check_classes(classes: &[Class], problems: &mut Problems) {
    if classes.is_empty() {
        problems.add("empty list", "classes");
    }
    let mut seen = HashSet::new();
    for (label, class) in classes.iter().enumerate() {
        if class.name.trim().is_empty() {
            problems.add("empty text", format!("name of class {label}"));
        }
        if class.name.len() > MAX_NAME_BYTES {
            let item = format!("class {label} has {} bytes", class.name.len());
            problems.add("class name longer than 1000 bytes", item);
        }
        if class.id.trim().is_empty() {
            problems.add("empty text", format!("id of class {label}"));
        } else if !seen.insert(class.id.as_str()) {
            problems.add("class id used twice", format!("`{}`", class.id));
        }
    }
}

fn check_templates(templates: &[String], problems: &mut Problems) {
    if templates.is_empty() {
        problems.add("empty list", "templates");
    }
    for template in templates {
        let marks = template.matches("{}").count();
        if marks != 1 {
            let kind = "template without exactly one {}";
            problems.add(kind, format!("`{template}` has {marks}"));
        }
    }
}

fn check_labels(content: &Content<'_>, split: Split, problems: &mut Problems) {
    let classes = content.classes.len();
    for (index, &label) in content.labels[split.index()].iter().enumerate() {
        if label as usize >= classes {
            let item = format!("{split}[{index}] = {label} with {classes} classes");
            problems.add("label out of range", item);
        }
    }
}

// A shifted data set may have test images only; otherwise every class needs a training image.
fn check_every_class_trains(content: &Content<'_>, problems: &mut Problems) {
    let train = content.labels[Split::Train.index()];
    if train.is_empty() && content.shifted {
        return;
    }
    let present: HashSet<u32> = train.iter().copied().collect();
    for (label, class) in (0_u32..).zip(content.classes) {
        if !present.contains(&label) {
            problems.add(
                "class without train images",
                format!("`{}` ({label})", class.id),
            );
        }
    }
}
