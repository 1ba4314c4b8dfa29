//! The files of an installation, by their path under the prefix.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use harness_engine::registry::{INSTALLED_PLUGINS, INSTALLED_SUITES, plugin_files, suite_folder};
use harness_report::ExitCode;

use super::manual;
use crate::failure::Failure;

/// Where an installation lists its own files, so that the next one can remove what is gone.
pub(super) const MANIFEST: &str = "share/harness/files.txt";

/// A file under the prefix.
pub(super) struct Item {
    /// From the prefix, with `/` between folders.
    pub(super) path: String,
    pub(super) is_executable: bool,
    source: Source,
}

enum Source {
    File(PathBuf),
    Bytes(Vec<u8>),
}

impl Item {
    fn file(path: String, from: PathBuf, is_executable: bool) -> Self {
        Self {
            path,
            is_executable,
            source: Source::File(from),
        }
    }

    fn bytes(path: String, bytes: Vec<u8>) -> Self {
        Self {
            path,
            is_executable: false,
            source: Source::Bytes(bytes),
        }
    }

    pub(super) fn read(&self) -> std::io::Result<Vec<u8>> {
        match &self.source {
            Source::File(path) => fs_err::read(path),
            Source::Bytes(bytes) => Ok(bytes.clone()),
        }
    }
}

/// Everything that an installation consists of, in order of the paths.
pub(crate) struct Contents {
    pub(super) items: Vec<Item>,
    pub(crate) plugins: usize,
    pub(crate) suites: usize,
}

impl Contents {
    /// What this executable uses: itself, the plugins it finds, its suites and embedded data.
    pub(crate) fn gather() -> Result<Self, Failure> {
        let set_up = |message: String| Failure::new(ExitCode::SetUp, message);
        let executable = std::env::current_exe()
            .map_err(|error| set_up(format!("cannot find this executable: {error}")))?;
        let plugins = plugin_files().map_err(|error| set_up(error.to_string()))?;
        if plugins.is_empty() {
            return Err(set_up("no plugins found to install".to_owned())
                .hint("`cargo build` puts them beside the executable"));
        }
        let Some(suites) = suite_folder() else {
            return Err(
                set_up("no built-in suites found to install".to_owned()).hint(
                    "run the executable in the `target` folder of a checkout, or an installed one",
                ),
            );
        };
        let mut items = vec![Item::file("bin/harness".to_owned(), executable, true)];
        for plugin in &plugins {
            let name = name_of(plugin)?;
            items.push(Item::file(
                format!("{INSTALLED_PLUGINS}/{name}"),
                plugin.clone(),
                true,
            ));
        }
        let before = items.len();
        for path in list(&suites)? {
            let is_suite = path.extension() == Some(OsStr::new("yaml"));
            if path.is_file() && is_suite {
                let name = name_of(&path)?;
                items.push(Item::file(
                    format!("{INSTALLED_SUITES}/{name}"),
                    path,
                    false,
                ));
            }
        }
        let count = items.len() - before;
        let embedded = format!("{INSTALLED_SUITES}/embedded");
        add_folder(&mut items, &suites.join("embedded"), &embedded)?;
        items.extend(written().map(|(path, bytes)| Item::bytes(path, bytes)));
        items.sort_by(|a, b| a.path.cmp(&b.path));
        let mut manifest: String = items
            .iter()
            .map(|item| format!("{}\n", item.path))
            .collect();
        manifest += &format!("{MANIFEST}\n");
        items.push(Item::bytes(MANIFEST.to_owned(), manifest.into_bytes()));
        Ok(Self {
            items,
            plugins: plugins.len(),
            suites: count,
        })
    }
}

/// Files that the program writes from what it has in itself.
fn written() -> impl Iterator<Item = (String, Vec<u8>)> {
    let licences = [
        (
            "LICENSE-APACHE",
            &include_bytes!("../../../LICENSE-APACHE")[..],
        ),
        ("LICENSE-MIT", &include_bytes!("../../../LICENSE-MIT")[..]),
    ];
    let licences =
        licences.map(|(name, text)| (format!("share/doc/harness/{name}"), text.to_vec()));
    let pages = manual::pages().into_iter();
    let pages = pages.map(|(name, text)| (format!("share/man/man1/{name}"), text));
    pages.chain(manual::completions()).chain(licences)
}

/// All files below a folder. Hidden ones are left out.
fn add_folder(items: &mut Vec<Item>, folder: &Path, under: &str) -> Result<(), Failure> {
    for path in list(folder)? {
        let name = name_of(&path)?;
        if name.starts_with('.') {
            continue;
        }
        let to = format!("{under}/{name}");
        if path.is_dir() {
            add_folder(items, &path, &to)?;
        } else {
            items.push(Item::file(to, path, false));
        }
    }
    Ok(())
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs_err::read_dir(folder).and_then(|entries| {
        let paths = entries.map(|entry| Ok(entry?.path()));
        paths.collect::<std::io::Result<Vec<_>>>()
    });
    entries.map_err(|error| Failure::new(ExitCode::SetUp, error))
}

fn name_of(path: &Path) -> Result<&str, Failure> {
    path.file_name().and_then(OsStr::to_str).ok_or_else(|| {
        let message = format!("{}: expected a file name in UTF-8", path.display());
        Failure::new(ExitCode::SetUp, message)
    })
}
