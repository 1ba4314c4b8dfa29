//! What the annotations of a data set say, without touching an image.

use std::path::PathBuf;

use crate::options::OpenOptions;
use crate::problems::Problems;
use crate::summary::{Class, Split, Summary};
use crate::validate::{self, Content};

/// The annotations of a data set, whatever its format.
pub(crate) struct Listing {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) license: String,
    pub(crate) source: String,
    pub(crate) shift_of: Option<String>,
    pub(crate) format: &'static str,
    /// In label order.
    pub(crate) classes: Vec<Class>,
    pub(crate) templates: Vec<String>,
    /// Images by split, in the order in which few-shot sampling numbers them.
    pub(crate) items: [Vec<Item>; 3],
    pub(crate) pixels: Pixels,
    /// What messages name: the annotation file, or the folder whose structure is the annotation.
    pub(crate) origin: PathBuf,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Relative to the image folder; a name for an image that is not a file of its own.
    pub(crate) path: String,
    pub(crate) label: u32,
}

/// Where pixels come from.
pub(crate) enum Pixels {
    /// Files below a folder, at the paths of the items.
    Files(PathBuf),
    /// Parts of tar files, one per item.
    Shards([Vec<Extent>; 3]),
    /// The format reads them itself.
    Custom,
}

/// A file that contains many images.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) path: PathBuf,
    /// What is read instead: its contents, in a file without a name.
    pub(crate) unpacked: Option<std::fs::File>,
}

/// A range of bytes of a file.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    pub(crate) shard: std::sync::Arc<Shard>,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

impl Listing {
    /// Replaces what the data set says about itself by what the options say.
    pub(crate) fn apply(&mut self, options: &OpenOptions) {
        if let Some(templates) = &options.templates {
            self.templates = templates.list();
        }
        if let Some(base) = &options.shift_of {
            self.shift_of = Some(base.clone());
        }
    }

    /// Checks what every format has to fulfil.
    pub(crate) fn check(&self, problems: &mut Problems) {
        let labels = self.labels();
        let content = Content {
            name: &self.name,
            shifted: self.shift_of.is_some(),
            classes: &self.classes,
            templates: &self.templates,
            labels: labels.each_ref().map(Vec::as_slice),
        };
        validate::check(&content, problems);
    }

    pub(crate) fn labels(&self) -> [Vec<u32>; 3] {
        self.items
            .each_ref()
            .map(|items| items.iter().map(|item| item.label).collect())
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary {
            name: self.name.clone(),
            title: self.title.clone(),
            license: self.license.clone(),
            source: self.source.clone(),
            shift_of: self.shift_of.clone(),
            format: self.format,
            classes: self.classes.clone(),
            templates: self.templates.clone(),
            counts: self.items.each_ref().map(Vec::len),
        }
    }

    /// Keeps the items with a `true` in `keep`, and their extents.
    pub(crate) fn retain(&mut self, split: Split, keep: &[bool]) {
        let at = split.index();
        let mut kept = keep.iter();
        self.items[at].retain(|_| kept.next().copied().unwrap_or(false));
        if let Pixels::Shards(extents) = &mut self.pixels {
            let mut kept = keep.iter();
            extents[at].retain(|_| kept.next().copied().unwrap_or(false));
        }
    }
}
