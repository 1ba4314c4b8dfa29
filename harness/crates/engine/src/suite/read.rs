//! From a file to a [`Suite`], or to every mistake in it.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::tree::{self, Node};
use super::{
    DatasetEntry, Known, KnownInputs, Mark, Mistake, Mistakes, Suite, bounds, names, schema, shape,
};

/// How a report begins, within its first bytes.
const REPORT: &str = "\"schema\": \"harness-report/";

/// Bytes that are read; a file with as many is too large.
const MOST_BYTES: u64 = (1 << 20) + 1;

/// Why a suite file could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    #[error("cannot read the suite: {0}")]
    Read(#[from] std::io::Error),
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
}

/// A suite's text as a tree, before its names are looked up.
#[derive(Debug)]
pub struct Document {
    path: PathBuf,
    text: String,
    tree: Node,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, is not UTF-8, not YAML, or larger than any suite.
    pub fn read(path: &Path) -> Result<Self, SuiteError> {
        let mut bytes = Vec::new();
        fs_err::File::open(path)?
            .take(MOST_BYTES)
            .read_to_end(&mut bytes)?;
        Ok(Self::parse(path, bytes)?)
    }

    /// Reads the bytes of a file at `path`.
    pub(crate) fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, Mistakes> {
        let shown = path.display().to_string();
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
        if start.trim_start().starts_with('{') && start.contains(REPORT) {
            let mistake = Mistake::new(Mark::default(), "this is a report, not a suite").hint(
                "`harness export` and `harness gate` read reports; name the suite it was run from",
            );
            return Err(Mistakes::new(&shown, "", vec![mistake]));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            let message = format!("line {line} is not UTF-8 text");
            Mistakes::new(&shown, "", vec![Mistake::new(Mark::default(), message)])
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        let tree =
            tree::parse(&text).map_err(|mistake| Mistakes::new(&shown, &text, vec![mistake]))?;
        Ok(Self {
            path: path.to_owned(),
            text,
            tree,
        })
    }

    /// Where the suite was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The suite's text, without a byte order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The entries of `plugins`, needed before methods can be looked up.
    pub fn plugins(&self) -> Vec<&str> {
        let items = self.tree.get("plugins").map(Node::items);
        items
            .unwrap_or_default()
            .iter()
            .filter_map(Node::as_str)
            .collect()
    }

    /// The Python files that entries of `methods` name.
    pub fn scripts(&self) -> Vec<&str> {
        let entries = self.tree.get("methods").map(Node::items);
        let entries = entries.unwrap_or_default().iter();
        let scripts = entries.filter_map(|entry| entry.get("python")?.as_str());
        scripts.filter(|path| !path.is_empty()).collect()
    }

    /// The interpreter of Python files.
    pub fn python(&self) -> Option<&str> {
        let named = self.tree.get("python").and_then(Node::as_str);
        named.filter(|name| !name.is_empty())
    }

    /// The folder of data sets, needed before data sets can be looked up.
    pub fn data(&self) -> Option<&str> {
        self.tree.get("data").and_then(Node::as_str)
    }

    /// The data sets that the suite names, whatever else is wrong with it.
    ///
    /// # Errors
    /// What is wrong with the entries themselves.
    pub fn datasets(&self) -> Result<Vec<DatasetEntry>, Mistakes> {
        let whole = schema();
        let part = json!({
            "type": "object",
            "properties": { "datasets": whole["properties"]["datasets"] },
            "$defs": whole["$defs"],
        });
        self.none_of(shape::check(&self.tree, &part, "the suite"))?;
        let items = self.tree.get("datasets").map(Node::items);
        let entries = items.unwrap_or_default().iter().map(|item| {
            serde_json::from_value(item.to_json())
                .map_err(|error| self.mistakes(vec![Mistake::new(item.mark, error.to_string())]))
        });
        entries.collect()
    }

    /// Checks the names of the data sets, whatever else is wrong with the suite.
    ///
    /// # Errors
    /// Every unknown name, at once.
    pub fn check_datasets(&self, known: &dyn KnownInputs) -> Result<(), Mistakes> {
        self.none_of(names::check_datasets(&self.tree, known))
    }

    /// The backbones that the suite names, each once, whatever else is wrong with it.
    ///
    /// # Errors
    /// Every unknown name, at once.
    pub fn backbones(&self, known: &dyn KnownInputs) -> Result<Vec<String>, Mistakes> {
        self.none_of(names::check_backbones(&self.tree, known))?;
        let mut all: Vec<String> = Vec::new();
        for (name, _) in names::backbones(&self.tree) {
            if all.iter().all(|known| known != name) {
                all.push(name.to_owned());
            }
        }
        Ok(all)
    }

    /// Fails with `found`, unless it is empty.
    fn none_of(&self, found: Vec<Mistake>) -> Result<(), Mistakes> {
        match found.as_slice() {
            [] => Ok(()),
            _ => Err(self.mistakes(found)),
        }
    }

    pub(super) fn tree(&self) -> &Node {
        &self.tree
    }

    /// Differences from a schema, and duplicate keys.
    pub(super) fn shape(&self, schema: &Value, name: &str) -> Vec<Mistake> {
        let mut found = shape::check(&self.tree, schema, name);
        duplicate_keys(&self.tree, &mut found);
        found
    }

    pub(super) fn mistakes(&self, found: Vec<Mistake>) -> Mistakes {
        Mistakes::new(&self.path.display().to_string(), &self.text, found)
    }

    /// The values, read by serde_yaml.
    pub(super) fn values<T>(
        &self,
        read: impl FnOnce(&str) -> Result<T, serde_yaml::Error>,
    ) -> Result<T, Mistakes> {
        read(&self.text).map_err(|error| {
            let mark = error.location().map_or_else(Mark::default, |place| Mark {
                line: place.line(),
                column: place.column(),
                width: 1,
            });
            self.mistakes(vec![Mistake::new(mark, error.to_string())])
        })
    }

    /// The suite, if it has no mistakes.
    ///
    /// # Errors
    /// Every mistake in its form and every unknown name, at once.
    pub fn check(&self, known: &dyn Known) -> Result<Suite, Mistakes> {
        let mut found = self.shape(&schema(), "the suite");
        found.extend(names::check(&self.tree, known));
        self.none_of(found)?;
        let suite: Suite = self.values(|text| serde_yaml::from_str(text))?;
        self.none_of(bounds::check(&suite, &self.tree).into_iter().collect())?;
        suite.images.check().map_err(|error| {
            let images = self.tree.get("images");
            let node = images.and_then(|images| images.get(error.key())).or(images);
            let mark = node.map_or_else(Mark::default, |node| node.mark);
            let message = format!("{:?}: {error}", error.key());
            self.mistakes(vec![Mistake::new(mark, message)])
        })?;
        Ok(suite)
    }
}

fn duplicate_keys(node: &Node, found: &mut Vec<Mistake>) {
    let mut first = HashMap::new();
    for (key, child) in node.entries() {
        let original = *first.entry(key.text.as_str()).or_insert(key.mark);
        if original != key.mark {
            found.push(Mistake::new(
                key.mark,
                format!(
                    "duplicate key {:?}, first on line {}",
                    key.text, original.line
                ),
            ));
        }
        duplicate_keys(child, found);
    }
    for child in node.items() {
        duplicate_keys(child, found);
    }
}
