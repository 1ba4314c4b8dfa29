//! Files that a method's configuration names.
//!
//! A property of a configuration whose schema has the format `harness-file` is a path in a suite.
//! The text of the file takes its place, so that content keys cover it and that plugin, module
//! and target get it whatever the file is called later.

use std::path::{Path, PathBuf};

use harness_store::sha256_hex;
use serde_json::{Map, Value, json};

/// Format of a property that names a file, as `harness_sdk::SideFile` states it.
const FORMAT: &str = "harness-file";
/// Largest file in bytes; it becomes part of every job and module.
const LARGEST: usize = 16 << 20;

/// Why a file cannot be part of a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SideFileError {
    #[error(transparent)]
    Read(#[from] std::io::Error),
    #[error("{}: expected text in UTF-8", .0.display())]
    NotText(PathBuf),
    #[error("{}: expected at most 16 MiB, found {bytes} bytes", .path.display())]
    TooLarge { path: PathBuf, bytes: usize },
}

/// Reads a file as a configuration carries it: `{"name", "text"}`.
///
/// # Errors
/// The file cannot be read, is no text, or is too large.
pub(crate) fn read(path: &Path) -> Result<Value, SideFileError> {
    let bytes = fs_err::read(path)?;
    if bytes.len() > LARGEST {
        return Err(SideFileError::TooLarge {
            path: path.to_owned(),
            bytes: bytes.len(),
        });
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy().into_owned();
    match String::from_utf8(bytes) {
        Ok(text) => Ok(json!({"name": name, "text": text})),
        Err(_) => Err(SideFileError::NotText(path.to_owned())),
    }
}

/// Names of the properties that are files.
pub(crate) fn properties(schema: &Value) -> impl Iterator<Item = &str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let all = properties.into_iter().flatten();
    let files = all.filter(|(_, property)| property.get("format") == Some(&FORMAT.into()));
    files.map(|(name, _)| name.as_str())
}

/// Puts the texts of the files that a configuration names into it. `locate` finds the file of a
/// path in a suite.
///
/// # Errors
/// A file cannot be used.
pub(crate) fn resolve(
    config: &mut Map<String, Value>,
    schema: &Value,
    locate: impl Fn(&str) -> PathBuf,
) -> Result<(), SideFileError> {
    for name in properties(schema) {
        if let Some(Value::String(path)) = config.get(name) {
            let file = read(&locate(path))?;
            config.insert(name.to_owned(), file);
        }
    }
    Ok(())
}

/// A configuration for a report: of its files name and SHA-256, without the text.
pub(crate) fn without_texts(config: &Value, schema: &Value) -> Value {
    let mut config = config.clone();
    for name in properties(schema) {
        let Some(file) = config.get_mut(name).and_then(Value::as_object_mut) else {
            continue;
        };
        if let Some(Value::String(text)) = file.remove("text") {
            file.insert("sha256".to_owned(), sha256_hex(text.as_bytes()).into());
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({"properties": {
            "words": {"type": ["string", "null"], "format": "harness-file"},
            "title": {"type": "string"},
        }})
    }

    #[test]
    fn the_text_takes_the_place_of_the_path_and_a_report_names_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("w.json"), "{}").unwrap();
        let locate = |path: &str| folder.path().join(path);
        let Value::Object(mut config) = json!({"words": "w.json", "title": "w.json"}) else {
            unreachable!()
        };
        resolve(&mut config, &schema(), locate).unwrap();
        let expected = json!({"words": {"name": "w.json", "text": "{}"}, "title": "w.json"});
        assert_eq!(Value::Object(config.clone()), expected);
        let once = config.clone();
        resolve(&mut config, &schema(), locate).unwrap();
        assert_eq!(config, once, "a file is not read twice");
        let shown = without_texts(&Value::Object(config), &schema());
        let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let expected = json!({"words": {"name": "w.json", "sha256": digest}, "title": "w.json"});
        assert_eq!(shown, expected);
    }

    #[test]
    fn files_that_are_no_text_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.png");
        std::fs::write(&path, [0x89, 0x50, 0xff]).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("picture.png: expected text"), "{error}");
        let error = read(&folder.path().join("gone.json")).unwrap_err();
        assert!(error.to_string().contains("gone.json"), "{error}");
    }
}
