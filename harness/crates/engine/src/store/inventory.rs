//! What lies in the store, in which state, and what of it can go.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use harness_data::{FeatureStore, StoredEntry, temporary_owner};
use rustix::process::{Pid, test_kill_process};

use super::root::Record;
use super::{Store, StoreError, entry, sha256_file};

/// Age at which an unfinished file is given up whose writer is not known.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What a file of the store is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A shard of image features.
    Features,
    /// What came of a unit of work.
    Unit,
    /// A trained module.
    Module,
    /// What a plugin says of itself.
    Descriptor,
    /// What a failed unit wrote.
    Log,
}

/// Whether a file is of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Good,
    /// A running process is writing it.
    InUse,
    /// A process that is gone left it unfinished.
    Leftover,
    /// Not what it should be; it is never used, and why.
    Damaged(String),
    /// A module that no stored training tells of.
    Orphan,
}

/// One file of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    pub kind: Kind,
    pub path: PathBuf,
    pub bytes: u64,
    pub written: SystemTime,
    pub state: State,
}

impl Kind {
    /// All kinds, in the order of listings.
    pub const ALL: [Kind; 5] = [
        Kind::Features,
        Kind::Unit,
        Kind::Module,
        Kind::Descriptor,
        Kind::Log,
    ];

    /// The folder that holds files of this kind.
    pub fn folder(self) -> &'static str {
        match self {
            Kind::Features => "features",
            Kind::Unit => "units",
            Kind::Module => "modules",
            Kind::Descriptor => "descriptors",
            Kind::Log => "logs",
        }
    }
}

impl State {
    /// Why the file can go, if it can.
    pub fn reason_to_go(&self) -> Option<String> {
        match self {
            State::Good | State::InUse => None,
            State::Leftover => Some("left by a process that is gone".to_owned()),
            State::Damaged(reason) => Some(format!("damaged: {reason}")),
            State::Orphan => Some("no stored training tells of it".to_owned()),
        }
    }
}

impl Store {
    /// Every file of the store, read and verified, in the order of kinds and paths.
    ///
    /// # Errors
    /// A folder or file cannot be read.
    pub fn files(&self) -> Result<Vec<StoredFile>, StoreError> {
        let walk = || -> std::io::Result<Vec<StoredFile>> {
            let mut files = Vec::new();
            for kind in Kind::ALL {
                let folder = self.root().join(kind.folder());
                list(kind, &folder, &mut files)?;
            }
            Ok(files)
        };
        let mut files = walk().map_err(|source| self.error(source))?;
        let damaged: HashMap<PathBuf, String> = self
            .features()?
            .into_iter()
            .flat_map(|entry| entry.damaged)
            .collect();
        for file in files.iter_mut().filter(|file| file.state == State::Good) {
            file.state = self.state(file, &damaged);
        }
        files.sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
        Ok(files)
    }

    /// The image features of the store, matrix by matrix.
    ///
    /// # Errors
    /// A folder or file cannot be read.
    pub fn features(&self) -> Result<Vec<StoredEntry>, StoreError> {
        let folder = self.root().join(Kind::Features.folder());
        let entries = FeatureStore::open(folder).and_then(|store| store.entries());
        entries.map_err(|error| self.error(std::io::Error::other(error)))
    }

    /// Removes a file, and the folder of a matrix whose last shard it was.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn remove(&self, file: &StoredFile) -> Result<(), StoreError> {
        match fs_err::remove_file(&file.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(self.error(error));
            }
            _ => {}
        }
        if file.kind == Kind::Features
            && let Some(folder) = file.path.parent()
        {
            // Refused by the system unless it is empty.
            let _ = std::fs::remove_dir(folder);
        }
        Ok(())
    }

    fn state(&self, file: &StoredFile, damaged: &HashMap<PathBuf, String>) -> State {
        let name = file.path.file_name().and_then(|name| name.to_str());
        let found = match file.kind {
            Kind::Features => damaged.get(&file.path).cloned().map_or(Ok(()), Err),
            Kind::Unit => match entry::read::<Record>(&file.path) {
                Ok(Some(record)) if Some(record.key.as_str()) != name => {
                    Err("it belongs to another unit".to_owned())
                }
                read => read.map(drop).map_err(|warning| warning.reason),
            },
            Kind::Module => return self.module_state(file, name.unwrap_or_default()),
            Kind::Descriptor => entry::read::<serde_json::Value>(&file.path)
                .map(drop)
                .map_err(|warning| warning.reason),
            Kind::Log => Ok(()),
        };
        found.map_or_else(State::Damaged, |()| State::Good)
    }

    /// A module is good if the unit of the same key noted its digest.
    fn module_state(&self, file: &StoredFile, name: &str) -> State {
        let key = name.strip_suffix(".safetensors").unwrap_or(name);
        let record = entry::read::<Record>(&self.root().join("units").join(key));
        let noted = record.ok().flatten().and_then(|record| record.module());
        match (noted, sha256_file(&file.path)) {
            (None, _) => State::Orphan,
            (Some(noted), Ok(found)) if noted == found => State::Good,
            (Some(_), Ok(_)) => State::Damaged("its digest does not match".to_owned()),
            (Some(_), Err(error)) => State::Damaged(error.to_string()),
        }
    }
}

/// Files of a folder and, for features, of the folders in it.
fn list(kind: Kind, folder: &Path, files: &mut Vec<StoredFile>) -> std::io::Result<()> {
    let entries = match fs_err::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let about = match fs_err::metadata(&path) {
            // Another process may move or remove files at the same time.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            about => about?,
        };
        if about.is_dir() {
            list(kind, &path, files)?;
            continue;
        }
        let written = about.modified()?;
        files.push(StoredFile {
            kind,
            bytes: about.len(),
            written,
            state: unfinished(&path, written).unwrap_or(State::Good),
            path,
        });
    }
    Ok(())
}

/// The state of a file that some process has not finished.
fn unfinished(path: &Path, written: SystemTime) -> Option<State> {
    let name = path.file_name()?.to_str()?;
    let draft_owner = || {
        let (_, process) = name.strip_suffix(".part")?.rsplit_once('.')?;
        process.parse::<u32>().ok()
    };
    if !name.starts_with(".tmp") && !name.ends_with(".part") {
        return None;
    }
    let is_abandoned = match temporary_owner(name).or_else(draft_owner) {
        Some(process) => !is_running(process),
        None => written.elapsed().is_ok_and(|age| age > ABANDONED),
    };
    Some(if is_abandoned {
        State::Leftover
    } else {
        State::InUse
    })
}

fn is_running(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    // A process of another user answers with a refusal, which is an answer too.
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

impl Record {
    /// The digest of the module that this unit left.
    fn module(&self) -> Option<String> {
        super::root::module_digest(&self.outcome).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Outcome, Output, Usage};
    use crate::store::Key;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path().join("store"))).unwrap();
        (folder, store)
    }

    fn write(store: &Store, path: &str, text: &str) {
        let path = store.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The state of every file by its path below the root.
    fn states(store: &Store) -> Vec<(String, State)> {
        let files = store.files().unwrap().into_iter();
        let shown = files.map(|file| {
            let path = file.path.strip_prefix(store.root()).unwrap();
            (path.display().to_string(), file.state)
        });
        shown.collect()
    }

    #[test]
    fn what_a_killed_run_left_is_told_from_what_is_being_written() {
        let (_folder, store) = store();
        let alive = std::process::id();
        // Linux gives no process a number this large.
        let dead = i32::MAX;
        write(&store, &format!("modules/k.{alive}.part"), "");
        write(&store, &format!("modules/k.{dead}.part"), "");
        write(&store, &format!("units/.tmp-{dead}-x"), "");
        write(&store, &format!("features/d/.tmp-{dead}-x"), "");
        write(&store, "units/.tmpAbCdEf", "");
        let found = states(&store);
        let state = |path: &str| {
            let named = found.iter().find(|(name, _)| name == path);
            named.map(|(_, state)| state.clone()).unwrap()
        };
        assert_eq!(state(&format!("modules/k.{alive}.part")), State::InUse);
        assert_eq!(state(&format!("modules/k.{dead}.part")), State::Leftover);
        assert_eq!(state(&format!("units/.tmp-{dead}-x")), State::Leftover);
        assert_eq!(state(&format!("features/d/.tmp-{dead}-x")), State::Leftover);
        assert_eq!(state("units/.tmpAbCdEf"), State::InUse, "young, unknown");
        for file in store.files().unwrap() {
            if file.state.reason_to_go().is_some() {
                store.remove(&file).unwrap();
            }
        }
        assert_eq!(states(&store).len(), 2);
        assert!(!store.root().join("features/d").exists());
    }

    #[test]
    fn damage_and_orphans_are_found() {
        let (_folder, store) = store();
        let done = Outcome::Done {
            output: Box::new(Output::Features { images: 1 }),
            usage: Usage::default(),
        };
        let key = Key::of(&"good".into());
        store.put_unit(&key, &done).unwrap();
        let lines = states(&store);
        assert_eq!(lines, [(format!("units/{key}"), State::Good)]);
        let path = store.root().join("units").join(key.as_str());
        std::fs::copy(&path, store.root().join("units/elsewhere")).unwrap();
        write(&store, "units/torn", "abc");
        write(&store, "modules/m.safetensors", "abc");
        write(&store, "features/d/00000000.safetensors", "abc");
        write(&store, "logs/l.log", "anything");
        let found = states(&store);
        let bad = found.iter().filter(|(_, state)| *state != State::Good);
        let bad: Vec<String> = bad
            .map(|(path, state)| format!("{path}: {}", state.reason_to_go().unwrap()))
            .collect();
        assert_eq!(bad.len(), 4, "{bad:#?}");
        assert!(bad[0].starts_with("features/d/00000000.safetensors: damaged: not a whole shard"));
        assert_eq!(
            bad[1],
            "units/elsewhere: damaged: it belongs to another unit"
        );
        assert_eq!(bad[2], "units/torn: damaged: it has no digest line");
        assert_eq!(
            bad[3],
            "modules/m.safetensors: no stored training tells of it"
        );
    }
}
