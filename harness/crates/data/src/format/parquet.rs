//! Image data sets of the hub in Parquet: files with a column of images, each a struct of `bytes` and
//! `path`, and one of labels, whose names the library `datasets` puts into the metadata.
//!
//! Images are copied into a temporary file per Parquet file, where they can be read in any order.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;

use super::webdataset::name_of;
use crate::error::DataError;
use crate::format::contract::{Format, Request};
use crate::listing::{Extent, Item, Listing, Pixels, Shard};
use crate::problems::Problems;
use crate::summary::{Class, Split};

const TEMPLATE: &str = "a photo of a {}.";
/// Key of the metadata of `datasets`.
const METADATA: &str = "huggingface";
/// Folders in which the hub keeps the files, relative to the data set's.
const FOLDERS: [&str; 5] = ["", "data", "train", "test", "validation"];
/// Beginnings of the names of files and folders, and their splits.
const SPLITS: [(&str, Split); 5] = [
    ("train", Split::Train),
    ("validation", Split::Val),
    ("valid", Split::Val),
    ("val", Split::Val),
    ("test", Split::Test),
];

pub(crate) struct ParquetFormat;

/// The columns that are read, and the names of the labels.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Columns {
    image: String,
    label: String,
    names: Vec<String>,
}

impl Format for ParquetFormat {
    fn matches(&self, path: &Path) -> bool {
        files(path).iter().any(|(_, split)| *split == Split::Test)
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let dir = request.path;
        let mut columns: Option<Columns> = None;
        let mut items = [const { Vec::new() }; 3];
        let mut extents = [const { Vec::new() }; 3];
        for (path, split) in files(dir) {
            let (file, _) = fs_err::File::open(&path)?.into_parts();
            let reader = SerializedFileReader::new(file).map_err(|error| broken(&path, &error))?;
            let found = Columns::of(&path, &reader)?;
            if columns.as_ref().is_some_and(|known| *known != found) {
                let item = path.display().to_string();
                problems.add(
                    "file with other columns or class names than the first",
                    item,
                );
                continue;
            }
            let rows = read(&path, &reader, &found)?;
            columns = Some(found);
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            for (row, (label, extent)) in rows.into_iter().enumerate() {
                let path = format!("{split}/{file}/{row}");
                let Some(label) = label else {
                    problems.add("image without a label", path);
                    continue;
                };
                let label = request.options.label(label, || path.clone(), problems);
                let Some(label) = label else { continue };
                items[split.index()].push(Item { path, label });
                extents[split.index()].push(extent);
            }
        }
        let names = columns.map(|columns| columns.names).unwrap_or_default();
        let name = name_of(dir);
        Ok(Listing {
            title: name.clone(),
            name,
            license: "not stated".to_owned(),
            source: dir.display().to_string(),
            shift_of: None,
            format: "parquet",
            classes: names.iter().map(|name| class(name)).collect(),
            templates: vec![TEMPLATE.to_owned()],
            items,
            pixels: Pixels::Shards(extents),
            origin: dir.to_owned(),
        })
    }
}

fn class(id: &str) -> Class {
    Class {
        name: id.replace('_', " "),
        id: id.to_owned(),
    }
}

/// The Parquet files below a data set's folder with their splits, in byte order.
fn files(dir: &Path) -> Vec<(PathBuf, Split)> {
    let split_of = |name: &str| {
        let mut splits = SPLITS.iter();
        splits.find(|(start, _)| name.starts_with(start))
    };
    let mut found = Vec::new();
    for folder in FOLDERS {
        let entries = fs_err::read_dir(dir.join(folder)).into_iter();
        for path in entries.flatten().flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(name) = name.filter(|name| name.ends_with(".parquet")) else {
                continue;
            };
            if let Some((_, split)) = split_of(name).or_else(|| split_of(folder)) {
                found.push((path, *split));
            }
        }
    }
    found.sort();
    found
}

fn broken(path: &Path, error: &ParquetError) -> DataError {
    DataError::malformed(path, format!("not a readable Parquet file: {error}"))
}

impl Columns {
    /// The columns that the metadata of `datasets` describe.
    fn of(path: &Path, reader: &SerializedFileReader<File>) -> Result<Self, DataError> {
        let wrong = |reason: String| DataError::malformed(path, reason);
        let metadata = reader.metadata().file_metadata().key_value_metadata();
        let text = metadata
            .and_then(|pairs| pairs.iter().find(|pair| pair.key == METADATA))
            .and_then(|pair| pair.value.as_deref());
        let text = text.ok_or_else(|| {
            wrong(format!(
                "no `{METADATA}` in its metadata, which names the classes; save it by the library datasets"
            ))
        })?;
        let root: Value = serde_json::from_str(text)
            .map_err(|error| wrong(format!("`{METADATA}` of its metadata: {error}")))?;
        let features = root.pointer("/info/features").and_then(Value::as_object);
        let of_type = |wanted: &str| -> Vec<(&String, &Value)> {
            let features = features.into_iter().flatten();
            let is_wanted = |(_, feature): &(&String, &Value)| feature["_type"] == wanted;
            features.filter(is_wanted).collect()
        };
        let one = |wanted: &str, usual: &str| -> Result<(String, Value), DataError> {
            let found = of_type(wanted);
            let named = found.iter().find(|(name, _)| *name == usual);
            match (named, found.as_slice()) {
                (Some((name, feature)), _) | (None, [(name, feature)]) => {
                    Ok(((*name).clone(), (*feature).clone()))
                }
                _ => {
                    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
                    Err(wrong(format!(
                        "expected one column of type {wanted}, or one named `{usual}`; found {names:?}"
                    )))
                }
            }
        };
        let (image, _) = one("Image", "image")?;
        let (label, feature) = one("ClassLabel", "label")?;
        let names: Option<Vec<String>> = serde_json::from_value(feature["names"].clone()).ok();
        let names =
            names.ok_or_else(|| wrong(format!("column `{label}` has no names of classes")))?;
        Ok(Self {
            image,
            label,
            names,
        })
    }
}

/// Label and image of every row. The images are parts of a file without a name.
fn read(
    path: &Path,
    reader: &SerializedFileReader<File>,
    columns: &Columns,
) -> Result<Vec<(Option<u32>, Extent)>, DataError> {
    let mut spool = BufWriter::new(tempfile::tempfile()?);
    let mut rows = Vec::new();
    let mut end = 0;
    let iterator = reader
        .get_row_iter(None)
        .map_err(|error| broken(path, &error))?;
    for (index, row) in iterator.enumerate() {
        let row = row.map_err(|error| broken(path, &error))?;
        let bytes = image(&row, &columns.image).ok_or_else(|| {
            let reason = format!("row {index}: `{}` has no bytes of an image", columns.image);
            DataError::malformed(path, reason)
        })?;
        spool.write_all(bytes)?;
        let length = bytes.len() as u64;
        rows.push((label(&row, &columns.label), (end, length)));
        end += length;
    }
    let unpacked = spool.into_inner().map_err(|error| error.into_error())?;
    let shard = Arc::new(Shard {
        path: path.to_owned(),
        unpacked: Some(unpacked),
    });
    let extent = |(offset, length)| Extent {
        shard: Arc::clone(&shard),
        offset,
        length,
    };
    let rows = rows.into_iter();
    Ok(rows.map(|(label, place)| (label, extent(place))).collect())
}

fn column<'r>(row: &'r Row, name: &str) -> Option<&'r Field> {
    let mut columns = row.get_column_iter();
    columns
        .find(|(column, _)| *column == name)
        .map(|(_, field)| field)
}

fn image<'r>(row: &'r Row, name: &str) -> Option<&'r [u8]> {
    let bytes = match column(row, name)? {
        Field::Group(inside) => column(inside, "bytes")?,
        other => other,
    };
    match bytes {
        Field::Bytes(bytes) => Some(bytes.data()),
        _ => None,
    }
}

fn label(row: &Row, name: &str) -> Option<u32> {
    match column(row, name)? {
        Field::Long(label) => u32::try_from(*label).ok(),
        Field::Int(label) => u32::try_from(*label).ok(),
        Field::Short(label) => u32::try_from(*label).ok(),
        Field::Byte(label) => u32::try_from(*label).ok(),
        Field::UInt(label) => Some(*label),
        Field::UByte(label) => Some(u32::from(*label)),
        _ => None,
    }
}
