//! A table with one image per row: CSV, TSV or JSON lines.
//!
//! Columns: `path`, relative to the table's folder, and `class`, the class name. Optional: `split`
//! (`train`, `val` or `test`, in every row or in none), `id` (the class id, by default the class
//! name) and `label` (the class's number; by default classes are in byte order of their ids). Also
//! `metadata.csv` of the library `datasets`, with `file_name` and `label`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::decode::read_bounded;
use crate::error::DataError;
use crate::format::contract::{Format, Request};
use crate::listing::{Item, Listing, Pixels};
use crate::problems::Problems;
use crate::random_split::random_split;
use crate::relative::PathReader;
use crate::summary::{Class, Split, display_name};
use crate::text::utf8;

const TEMPLATE: &str = "a photo of a {}.";
const NAMES: [&str; 3] = ["manifest.csv", "manifest.tsv", "manifest.jsonl"];
/// What the library `datasets` reads beside images, at the root or in the folder of each split.
const METADATA: [&str; 2] = ["metadata.csv", "metadata.jsonl"];
const MAX_BYTES: u64 = 1 << 30;

pub(crate) struct TableFormat;

/// A row as it is in the table.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    path: String,
    class: String,
    #[serde(default)]
    split: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    label: Option<u32>,
}

/// A row of `metadata.csv`; other columns are for other uses.
#[derive(Deserialize)]
struct MetadataRow {
    file_name: String,
    label: ClassName,
}

/// A class by name, or by a number that is its name.
#[derive(Deserialize)]
#[serde(untagged)]
enum ClassName {
    Name(String),
    Number(u64),
}

impl MetadataRow {
    /// The row of a table; `below` is the split whose folder the file is in.
    fn into_row(self, below: Option<Split>) -> Row {
        let path = match below {
            Some(split) => format!("{split}/{}", self.file_name),
            None => self.file_name,
        };
        let folder = path.split(['/', '\\']).find(|part| *part != ".");
        let split = Split::ALL
            .into_iter()
            .find(|split| folder == Some(split.as_str()))
            .or_else(|| (folder == Some("validation")).then_some(Split::Val));
        Row {
            class: match self.label {
                ClassName::Name(name) => name,
                ClassName::Number(number) => number.to_string(),
            },
            split: split.map(|split| split.as_str().to_owned()),
            path,
            id: None,
            label: None,
        }
    }
}

impl Format for TableFormat {
    fn matches(&self, path: &Path) -> bool {
        table(path).is_some() || !metadata(path).is_empty()
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let (path, mut rows) = match table(request.path) {
            Some(path) => {
                let rows = read::<Row>(&path)?;
                (path, rows)
            }
            None => read_metadata(request.path)?,
        };
        for (index, row) in rows.iter_mut().enumerate() {
            let location = || format!("row {}", index + 1);
            if let Some(stored) = row.label {
                row.label = request.options.label(stored, location, problems);
            }
        }
        let classes = classes(&rows, problems);
        let labels: BTreeMap<&str, u32> = classes
            .iter()
            .map(|class| class.id.as_str())
            .zip(0..)
            .collect();
        let mut given = [const { Vec::new() }; 3];
        let mut free = Vec::new();
        let mut unread = 0;
        let folder = path.parent().unwrap_or(Path::new(""));
        let paths = PathReader::new(&[folder]);
        for (index, row) in rows.iter().enumerate() {
            let location = || format!("row {}: `{}`", index + 1, row.path);
            let Some(relative) = paths.read(&row.path, &location, problems) else {
                unread += 1;
                continue;
            };
            let label = labels.get(row.id()).copied().unwrap_or_default();
            let item = Item {
                path: relative,
                label,
            };
            match row.split.as_deref().filter(|split| !split.is_empty()) {
                None => free.push(item),
                Some(name) => match Split::ALL.into_iter().find(|split| split.as_str() == name) {
                    Some(split) => given[split.index()].push(item),
                    None => problems.add("split other than train, val or test", location()),
                },
            }
        }
        let is_given = given.iter().any(|items| !items.is_empty());
        if is_given && !free.is_empty() {
            let item = format!("{} rows, such as `{}`", free.len(), free[0].path);
            problems.add("row without a split although others have one", item);
        } else if is_given && request.options.random_split.is_some() {
            problems.add("unneeded random split", "the table has a `split` column");
        }
        // Without any path nothing is known of the splits.
        let items = if is_given || unread == rows.len() {
            given
        } else {
            random_split(free, &classes, request.options.random_split, problems)
        };
        let name = display_name(request.path);
        Ok(Listing {
            title: name.clone(),
            name,
            license: "not stated".to_owned(),
            source: request.path.display().to_string(),
            shift_of: None,
            format: "table",
            classes,
            templates: vec![TEMPLATE.to_owned()],
            items,
            pixels: Pixels::Files(folder.to_owned()),
            origin: path,
        })
    }
}

impl Row {
    fn id(&self) -> &str {
        let id = self.id.as_deref().filter(|id| !id.is_empty());
        id.unwrap_or(&self.class)
    }
}

/// The table at a path, or in the folder at a path.
fn table(path: &Path) -> Option<PathBuf> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if path.is_file() && matches!(extension, Some("csv" | "tsv" | "jsonl")) {
        return Some(path.to_owned());
    }
    let mut candidates = NAMES.map(|name| path.join(name)).into_iter();
    candidates.find(|candidate| candidate.is_file())
}

/// The files of `datasets` in a folder, with the split whose folder they are in.
fn metadata(dir: &Path) -> Vec<(PathBuf, Option<Split>)> {
    let of = |folder: &Path, split: Option<Split>| {
        let mut names = METADATA.iter().map(|name| folder.join(name));
        Some((names.find(|path| path.is_file())?, split))
    };
    match of(dir, None) {
        Some(root) => vec![root],
        None => Split::ALL
            .into_iter()
            .filter_map(|split| of(&dir.join(split.as_str()), Some(split)))
            .collect(),
    }
}

/// The rows of these files, and the first of them or, of several, the folder.
fn read_metadata(dir: &Path) -> Result<(PathBuf, Vec<Row>), DataError> {
    let files = metadata(dir);
    let mut rows = Vec::new();
    for (path, split) in &files {
        let found = read::<MetadataRow>(path)?.into_iter();
        rows.extend(found.map(|row| row.into_row(*split)));
    }
    match files.as_slice() {
        [(path, None)] => Ok((path.clone(), rows)),
        // Paths are relative to the folder, in which no file of this name has to be.
        [(path, _), ..] => Ok((dir.join(path.file_name().unwrap_or_default()), rows)),
        [] => Err(DataError::UnknownFormat {
            dir: dir.to_owned(),
        }),
    }
}

fn read<R: DeserializeOwned>(path: &Path) -> Result<Vec<R>, DataError> {
    let bytes = read_bounded(path, MAX_BYTES)?;
    let bytes = utf8(&bytes);
    if path
        .extension()
        .is_some_and(|extension| extension == "jsonl")
    {
        return json_lines(path, &bytes);
    }
    let is_tsv = path.extension().is_some_and(|extension| extension == "tsv");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if is_tsv { b'\t' } else { delimiter(&bytes) })
        .trim(csv::Trim::All)
        .from_reader(&*bytes);
    // Spreadsheets capitalise headings.
    if let Ok(headings) = reader.headers() {
        let lower = headings.iter().map(str::to_lowercase).collect();
        reader.set_headers(lower);
    }
    let is_metadata = METADATA.iter().any(|name| path.ends_with(name));
    let columns = match is_metadata {
        true => "file_name and label",
        false => "path and class, and optionally split, id and label",
    };
    let mut rows = Vec::new();
    for row in reader.deserialize() {
        let malformed = |error: csv::Error| {
            DataError::malformed(path, format!("{error}; expected the columns {columns}"))
        };
        rows.push(row.map_err(malformed)?);
    }
    Ok(rows)
}

/// A spreadsheet separates columns by semicolons where the comma is the decimal mark.
fn delimiter(bytes: &[u8]) -> u8 {
    let headings = bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes);
    let separates = |byte: &u8| headings.contains(byte);
    let candidates = [b',', b';', b'\t'];
    candidates.into_iter().find(separates).unwrap_or(b',')
}

fn json_lines<R: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<Vec<R>, DataError> {
    let mut rows = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        rows.push(
            serde_json::from_slice(line).map_err(|error| {
                DataError::malformed(path, format!("line {}: {error}", index + 1))
            })?,
        );
    }
    Ok(rows)
}

/// The classes in label order; each id must have the same name and label in every row.
fn classes(rows: &[Row], problems: &mut Problems) -> Vec<Class> {
    let mut by_id: BTreeMap<&str, &Row> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let first = *by_id.entry(row.id()).or_insert(row);
        if first.class != row.class {
            let item = format!(
                "row {}: `{}` is `{}` and `{}`",
                index + 1,
                row.id(),
                first.class,
                row.class
            );
            problems.add("two names for one class id", item);
        }
        if first.label != row.label {
            let item = format!("row {}: `{}`", index + 1, row.id());
            problems.add("class with two labels", item);
        }
    }
    let mut classes: Vec<(&str, &Row)> = by_id.into_iter().collect();
    let labelled = classes
        .iter()
        .filter(|(_, row)| row.label.is_some())
        .count();
    if labelled > 0 {
        classes.sort_by_key(|(_, row)| row.label);
        let expected = (0..)
            .zip(&classes)
            .find(|(next, (_, row))| row.label != Some(*next));
        if let Some((next, (id, row))) = expected {
            let from_one = next == 0 && row.label == Some(1);
            let found = match row.label {
                Some(_) if from_one => {
                    "1: labels begin at 1, write `label_base: 1` in the suite's entry".to_owned()
                }
                Some(label) => label.to_string(),
                None => "nothing".to_owned(),
            };
            problems.add(
                "labels that are not 0, 1, 2, …",
                format!("`{id}` has {found}, expected {next}"),
            );
        }
    }
    classes
        .into_iter()
        .map(|(id, row)| Class {
            name: row.class.replace('_', " "),
            id: id.to_owned(),
        })
        .collect()
}
