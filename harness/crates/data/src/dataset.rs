//! An opened data set, whatever its format.

use std::fmt;

use image::RgbImage;

use crate::error::DataError;
use crate::summary::{Class, Split, Summary};
use harness_store::FieldDigest;

/// Where a format gets its pixels from.
pub(crate) trait ImageSource: Send + Sync {
    /// Image `index` of `split`; the index has been checked against the labels.
    fn image(&self, split: Split, index: usize) -> Result<RgbImage, DataError>;
    /// Name of image `index` of `split` in messages.
    fn name(&self, split: Split, index: usize) -> String {
        format!("{split}[{index}]")
    }
}

/// What a format provides once its files have been checked.
pub(crate) struct Parts {
    pub(crate) summary: Summary,
    /// Labels by split, in the order of [`Split::ALL`].
    pub(crate) labels: [Vec<u32>; 3],
    /// By split, what identifies the pixels: hashes of files, the geometry of a sprite sheet.
    pub(crate) content: [Vec<String>; 3],
    /// Images that were left out because they are missing or unreadable.
    pub(crate) missing: usize,
    pub(crate) images: Box<dyn ImageSource>,
}

/// The labels of one split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitData {
    /// One label per image, each below the number of classes.
    pub labels: Vec<u32>,
}

impl SplitData {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether the data set lacks this split.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// A data set whose manifest and files have been checked. Safe to share between threads.
pub struct Dataset {
    summary: Summary,
    class_names: Vec<String>,
    class_ids: Vec<String>,
    splits: [SplitData; 3],
    manifest_sha256: String,
    missing: usize,
    images: Box<dyn ImageSource>,
}

impl Dataset {
    pub(crate) fn from_parts(parts: Parts) -> Dataset {
        let classes = &parts.summary.classes;
        Dataset {
            class_names: classes.iter().map(|class| class.name.clone()).collect(),
            class_ids: classes.iter().map(|class| class.id.clone()).collect(),
            manifest_sha256: manifest_sha256(&parts),
            summary: parts.summary,
            splits: parts.labels.map(|labels| SplitData { labels }),
            missing: parts.missing,
            images: parts.images,
        }
    }

    pub fn name(&self) -> &str {
        &self.summary.name
    }

    pub fn title(&self) -> &str {
        &self.summary.title
    }

    pub fn license(&self) -> &str {
        &self.summary.license
    }

    /// Where the images come from.
    pub fn source(&self) -> &str {
        &self.summary.source
    }

    /// The data set of which this one is a shifted version, if it is one.
    pub fn shift_of(&self) -> Option<&str> {
        self.summary.shift_of.as_deref()
    }

    /// Images that were left out because they are missing or unreadable.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Classes in label order.
    pub fn classes(&self) -> &[Class] {
        &self.summary.classes
    }

    /// Names in label order; two classes may share one.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Ids in label order, unique; the key for mapping classes between data sets.
    pub fn class_ids(&self) -> &[String] {
        &self.class_ids
    }

    /// Prompt templates, each with exactly one `{}`.
    pub fn templates(&self) -> &[String] {
        &self.summary.templates
    }

    pub fn split(&self, split: Split) -> &SplitData {
        &self.splits[split.index()]
    }

    /// Number of images in `split`.
    pub fn len(&self, split: Split) -> usize {
        self.split(split).len()
    }

    /// Whether no split has an image.
    pub fn is_empty(&self) -> bool {
        self.summary.is_empty()
    }

    /// The pixels of one image as PIL's `convert("RGB")` gives them: alpha is dropped, grey is
    /// copied to all channels, EXIF orientation is ignored.
    ///
    /// # Errors
    /// An index beyond the split, an image that cannot be decoded, a file that has changed.
    pub fn image(&self, split: Split, index: usize) -> Result<RgbImage, DataError> {
        let len = self.len(split);
        if index >= len {
            return Err(DataError::OutOfRange {
                split: split.as_str(),
                index,
                len,
            });
        }
        self.images.image(split, index)
    }

    /// Name of an image: its path, where it has one, otherwise `split[index]`.
    pub fn image_name(&self, split: Split, index: usize) -> String {
        self.images.name(split, index)
    }

    /// Hex SHA-256 over everything here that can change a result: class ids and names, templates,
    /// the labels of each split and the bytes of every image file.
    pub fn manifest_sha256(&self) -> &str {
        &self.manifest_sha256
    }
}

/// The images of a data set whose annotations are too broken to find any.
struct NoImages;

impl ImageSource for NoImages {
    fn image(&self, split: Split, index: usize) -> Result<RgbImage, DataError> {
        Err(DataError::OutOfRange {
            split: split.as_str(),
            index,
            len: 0,
        })
    }
}

impl Parts {
    pub(crate) fn without_images(summary: Summary, labels: [Vec<u32>; 3]) -> Parts {
        Parts {
            summary,
            labels,
            content: [const { Vec::new() }; 3],
            missing: 0,
            images: Box::new(NoImages),
        }
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Dataset")
            .field("summary", &self.summary)
            .field("manifest_sha256", &self.manifest_sha256)
            .finish_non_exhaustive()
    }
}

fn manifest_sha256(parts: &Parts) -> String {
    let mut digest = FieldDigest::default();
    digest.text("harness-data manifest/1");
    digest.number(parts.summary.classes.len() as u64);
    for class in &parts.summary.classes {
        digest.text(&class.id).text(&class.name);
    }
    digest.number(parts.summary.templates.len() as u64);
    for template in &parts.summary.templates {
        digest.text(template);
    }
    for split in Split::ALL {
        let labels = &parts.labels[split.index()];
        digest.number(labels.len() as u64);
        for &label in labels {
            digest.number(u64::from(label));
        }
        let content = &parts.content[split.index()];
        digest.number(content.len() as u64);
        for identity in content {
            digest.text(identity);
        }
    }
    digest.hex()
}
