//! The file that a plugin's code is in.

use std::path::{Path, PathBuf};

use harness_abi::wire::{Script, ScriptFacts};
use harness_store::sha256_hex;
use serde::{Deserialize, Serialize};

/// A plugin: a shared library, or a script that a library runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRef {
    /// The library that is loaded.
    #[serde(with = "harness_store::json_path")]
    pub library: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptRef>,
}

/// A script with its interpreter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptRef {
    #[serde(flatten)]
    pub script: Script,
    /// Of the [`ScriptFacts`] with which it was read; another run of it must find the same. None
    /// where it is read for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts_sha256: Option<String>,
}

impl PluginRef {
    /// A library.
    pub fn library(path: PathBuf) -> Self {
        Self {
            library: path,
            script: None,
        }
    }

    /// What its author calls the plugin: the script, or else the library.
    pub fn file(&self) -> &Path {
        match &self.script {
            Some(script) => Path::new(&script.script.path),
            None => &self.library,
        }
    }

    /// The same script as it was read.
    pub(crate) fn with_facts(mut self, facts: Option<&ScriptFacts>) -> Self {
        if let (Some(script), Some(facts)) = (&mut self.script, facts) {
            script.facts_sha256 = Some(facts_sha256(facts));
        }
        self
    }

    /// The digest that stands for the plugin's code, from that of the library.
    pub(crate) fn sha256(&self, library: &str) -> String {
        let facts = self.script.as_ref().and_then(|s| s.facts_sha256.as_ref());
        match facts {
            Some(facts) => sha256_hex(format!("{library} {facts}").as_bytes()),
            None => library.to_owned(),
        }
    }
}

/// Name of a plugin's file, for display.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// Digest of everything that decides what a script computes, apart from the library that runs it.
pub(crate) fn facts_sha256(facts: &ScriptFacts) -> String {
    // Maps of strings are always representable, in the order of their keys.
    sha256_hex(&serde_json::to_vec(facts).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn versions_and_files_are_part_of_the_digest_and_the_place_is_not() {
        let map = |value: &str| BTreeMap::from([("x".to_owned(), value.to_owned())]);
        let facts = |versions: &str, files: &str| ScriptFacts {
            versions: map(versions),
            files: map(files),
        };
        let digest = |path: &str, facts: &ScriptFacts| {
            let script = Script {
                path: path.to_owned(),
                interpreter: "python3".to_owned(),
            };
            let plugin = PluginRef {
                library: "bridge.so".into(),
                script: Some(ScriptRef {
                    script,
                    facts_sha256: None,
                }),
            };
            plugin.with_facts(Some(facts)).sha256("library")
        };
        let first = digest("/a/x.py", &facts("1", "f"));
        assert_eq!(first, digest("/b/x.py", &facts("1", "f")));
        assert_ne!(first, digest("/a/x.py", &facts("2", "f")));
        assert_ne!(first, digest("/a/x.py", &facts("1", "g")));
        let library = PluginRef::library("/a/x.so".into());
        assert_eq!(library.with_facts(None).sha256("library"), "library");
    }
}
