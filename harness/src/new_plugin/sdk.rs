//! Where a new plugin gets the SDK from.

use std::path::{Path, PathBuf};

/// A dependency on the SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sdk {
    /// A folder, such as that of a checkout. Absolute.
    Folder(PathBuf),
    /// A git repository.
    Git(String),
    /// A version of crates.io.
    Version(String),
}

/// Why a text names no SDK.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSdk {
    #[error("expected a folder, the URL of a git repository, or a version")]
    Kind,
    #[error("{0} has no harness-sdk in it")]
    Folder(String),
    #[error("{path}: {error}")]
    Io { path: String, error: std::io::Error },
}

impl Sdk {
    /// A folder, the URL of a git repository, or a version.
    ///
    /// # Errors
    /// It is none of these.
    pub(crate) fn parse(text: &str) -> Result<Self, NoSdk> {
        if text.contains("://") || text.starts_with("git@") {
            return Ok(Self::Git(text.to_owned()));
        }
        let path = Path::new(text);
        if path.is_dir() {
            let found = [path.to_owned(), path.join("harness/crates/sdk")];
            let found = found.into_iter().find(|path| is_sdk(path));
            let folder = found.ok_or_else(|| NoSdk::Folder(text.to_owned()))?;
            let folder = folder.canonicalize();
            return folder.map(Self::Folder).map_err(|error| NoSdk::Io {
                path: text.to_owned(),
                error,
            });
        }
        match text.starts_with(|first: char| first.is_ascii_digit()) {
            true => Ok(Self::Version(text.to_owned())),
            false => Err(NoSdk::Kind),
        }
    }

    /// That of the checkout this program was built in, or the published one of this version.
    pub(crate) fn of_this_program() -> Self {
        let executable = std::env::current_exe().and_then(|path| path.canonicalize());
        let above = executable.ok().and_then(|executable| {
            let mut folders = executable.ancestors().map(|f| f.join("harness/crates/sdk"));
            folders.find(|folder| is_sdk(folder))
        });
        above.map_or_else(
            || Self::Version(env!("CARGO_PKG_VERSION").to_owned()),
            Self::Folder,
        )
    }

    /// The line of a manifest.
    pub(super) fn dependency(&self) -> String {
        // A JSON string is one of TOML.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Folder(folder) => {
                let folder = quoted(&folder.to_string_lossy());
                format!("harness-sdk = {{ path = {folder} }}")
            }
            Self::Git(url) => format!("harness-sdk = {{ git = {} }}", quoted(url)),
            Self::Version(version) => format!("harness-sdk = {}", quoted(version)),
        }
    }
}

fn is_sdk(folder: &Path) -> bool {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml"));
    manifest.is_ok_and(|text| text.contains("name = \"harness-sdk\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_gives_its_dependency() {
        let line = |text: &str| Sdk::parse(text).unwrap().dependency();
        assert_eq!(line("0.1"), "harness-sdk = \"0.1\"");
        assert_eq!(
            line("https://example.org/harness.git"),
            "harness-sdk = { git = \"https://example.org/harness.git\" }"
        );
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let from_checkout = line(checkout.to_str().unwrap());
        assert!(from_checkout.ends_with("crates/sdk\" }"), "{from_checkout}");
        assert!(Sdk::parse("somewhere").is_err());
    }
}
