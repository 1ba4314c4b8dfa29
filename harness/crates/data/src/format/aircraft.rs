//! FGVC Aircraft as it is published: `variants.txt` and `images_variant_{train,val,test}.txt`.
//!
//! Labels are line numbers of `variants.txt`; a line of a list is an image number and a variant,
//! which may contain spaces. CoOp has no split file for this data set and reads these files.

use std::collections::HashMap;
use std::path::Path;

use crate::error::DataError;
use crate::format::contract::{Format, Request};
use crate::known::{DatasetLayout, KnownDataset};
use crate::listing::{Item, Listing, Pixels};
use crate::problems::Problems;
use crate::relative::stays_inside;
use crate::summary::{Class, Split};
use crate::text::lines;

pub(crate) struct AircraftFormat;

impl Format for AircraftFormat {
    fn matches(&self, path: &Path) -> bool {
        entry().is_some_and(|known| known.is_at(path))
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let dir = request.path;
        let Some(known) = request.known.or_else(entry) else {
            return Err(DataError::UnknownFormat {
                dir: dir.to_owned(),
            });
        };
        let variants = lines(&dir.join(&known.annotations))?;
        let labels: HashMap<&str, u32> = variants.iter().map(String::as_str).zip(0..).collect();
        let mut items = [const { Vec::new() }; 3];
        for split in Split::ALL {
            let name = format!("images_variant_{split}.txt");
            for (index, line) in lines(&dir.join(&name))?.iter().enumerate() {
                let location = || format!("{name}, line {}: `{line}`", index + 1);
                let Some((number, variant)) = line.split_once(' ') else {
                    problems.add("line without a variant", location());
                    continue;
                };
                let path = format!("{number}.jpg");
                match labels.get(variant.trim_start()) {
                    _ if !stays_inside(&path) => {
                        problems.add("path outside the image folder", location());
                    }
                    Some(&label) => items[split.index()].push(Item { path, label }),
                    None => problems.add("variant that is not in variants.txt", location()),
                }
            }
        }
        let class = |name: &String| Class {
            name: name.clone(),
            id: name.clone(),
        };
        Ok(Listing {
            name: known.name.clone(),
            title: known.title.clone(),
            license: "not stated".to_owned(),
            source: dir.display().to_string(),
            shift_of: None,
            format: "fgvc-aircraft",
            classes: variants.iter().map(class).collect(),
            templates: vec![known.template.clone()],
            items,
            pixels: Pixels::Files(known.image_folder(dir)),
            origin: dir.to_owned(),
        })
    }
}

fn entry() -> Option<&'static KnownDataset> {
    let mut all = KnownDataset::all().iter();
    all.find(|known| known.layout == DatasetLayout::Aircraft)
}
