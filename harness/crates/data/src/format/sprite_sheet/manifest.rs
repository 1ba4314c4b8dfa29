//! `dataset.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::decode::read_bounded;
use crate::error::DataError;
use crate::listing::{Item, Listing, Pixels};
use crate::problems::Problems;
use crate::relative::stays_inside;
use crate::summary::{Class, Split};

pub(super) const FILE_NAME: &str = "dataset.json";
pub(super) const FORMAT: &str = "sheet/1";
const MAX_BYTES: u64 = 64 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) format: String,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) license: String,
    pub(super) source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shift_of: Option<String>,
    /// Width and height of a tile in pixels.
    pub(super) tile: (u32, u32),
    pub(super) classes: Vec<Class>,
    pub(super) templates: Vec<String>,
    pub(super) splits: Splits,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Splits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) train: Option<SheetSplit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) val: Option<SheetSplit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) test: Option<SheetSplit>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SheetSplit {
    /// Path of the sprite sheet, relative to the manifest.
    pub(super) sheet: String,
    /// Tiles per row of the sprite sheet.
    pub(super) columns: u32,
    /// One label per tile, row by row.
    pub(super) labels: Vec<u32>,
}

impl Manifest {
    /// Reads the manifest in `dir` without checking it; see [`Manifest::check`].
    pub(super) fn read(dir: &Path) -> Result<Manifest, DataError> {
        let path = dir.join(FILE_NAME);
        let bytes = read_bounded(&path, MAX_BYTES)?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| DataError::malformed(&path, format!("not a manifest: {error}")))?;
        if manifest.format != FORMAT {
            let found = &manifest.format;
            let reason = format!("expected format `{FORMAT}`, found `{found}`");
            return Err(DataError::malformed(&path, reason));
        }
        Ok(manifest)
    }

    /// Checks what is particular to this format, without reading a sprite sheet.
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.tile.0 == 0 || self.tile.1 == 0 {
            let (width, height) = self.tile;
            problems.add("empty tile", format!("{width}x{height}"));
        }
        for split in Split::ALL {
            let Some(part) = self.splits.get(split) else {
                continue;
            };
            if part.columns == 0 {
                problems.add("sprite sheet without columns", split.as_str());
            }
            if !stays_inside(&part.sheet) {
                let kind = "sprite sheet outside the data set's folder";
                problems.add(kind, format!("{split}: `{}`", part.sheet));
            }
        }
    }

    /// The listing of the manifest in `dir`.
    pub(super) fn listing(&self, dir: &Path) -> Listing {
        Listing {
            origin: dir.join(FILE_NAME),
            name: self.name.clone(),
            title: self.title.clone(),
            license: self.license.clone(),
            source: self.source.clone(),
            shift_of: self.shift_of.clone(),
            format: "sheet",
            classes: self.classes.clone(),
            templates: self.templates.clone(),
            items: Split::ALL.map(|split| self.items(split)),
            pixels: Pixels::Custom,
        }
    }

    /// A tile has no file of its own, so its name is that of the sprite sheet and its number.
    fn items(&self, split: Split) -> Vec<Item> {
        let Some(part) = self.splits.get(split) else {
            return Vec::new();
        };
        let tiles = part.labels.iter().enumerate();
        tiles
            .map(|(index, &label)| Item {
                path: format!("{}#{index}", part.sheet),
                label,
            })
            .collect()
    }
}

impl Splits {
    pub(super) fn get(&self, split: Split) -> Option<&SheetSplit> {
        match split {
            Split::Train => self.train.as_ref(),
            Split::Val => self.val.as_ref(),
            Split::Test => self.test.as_ref(),
        }
    }
}

impl SheetSplit {
    /// Width and height in pixels of the sprite sheet that holds exactly these tiles.
    ///
    /// `columns` is not zero.
    pub(super) fn sheet_size(&self, tile: (u32, u32)) -> (u64, u64) {
        let rows = (self.labels.len() as u64).div_ceil(u64::from(self.columns));
        let width = u64::from(self.columns) * u64::from(tile.0);
        (width, rows.saturating_mul(u64::from(tile.1)))
    }
}
