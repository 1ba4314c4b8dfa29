//! Downloads the files that a suite needs, before it runs.

use std::path::{Path, PathBuf};

pub use harness_hub::{Download, FetchError, Progress, RetryPolicy, Verification};
use harness_hub::{Fetched, Repo, Request};

use crate::lock::{Lock, LockDifference, LockError};
use crate::registry::{
    Absent, Location, SearchPath, fetch_shards, fetch_weights, missing, not_found, repository,
};
use crate::run::RunError;
use crate::suite::{Document, SuiteError};

/// The inputs of a suite and which of their files are on this machine.
#[derive(Debug)]
pub struct Needs {
    search_path: SearchPath,
    /// Inputs whose files are not all on disk.
    pub absent: Vec<Absent>,
    /// Files of backbones on a hub, with the backbone's name in the suite.
    requests: Vec<(String, Request)>,
    /// Data sets on a hub; some of their files list the others.
    repositories: Vec<(String, Repo)>,
}

/// An input whose files are complete now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    pub name: String,
    /// The folder with its files.
    pub folder: PathBuf,
    /// What was downloaded.
    pub downloads: Vec<Download>,
}

impl Needs {
    /// Everything that a suite names. Looks for files without reading them. `data` is a
    /// folder of data sets that is searched before the suite's own.
    ///
    /// # Errors
    /// The suite cannot be read, or a name is unknown.
    pub fn of_suite(suite: &Path, data: Option<&Path>) -> Result<Self, RunError> {
        let document = Document::read(suite)?;
        let search_path = SearchPath::of_suite(suite).with_data(data, document.data());
        let search_path = search_path.with_aliases()?;
        let backbones = document.backbones(&search_path).map_err(SuiteError::from)?;
        let mut needs = Self::of(search_path, &backbones)?;
        let entries = document.datasets().map_err(SuiteError::from)?;
        document
            .check_datasets(&needs.search_path)
            .map_err(SuiteError::from)?;
        for entry in entries {
            needs.add_dataset(&entry.name)?;
            // Other names refer to an entry of the suite, or to nothing that a hub has.
            if let Some(base) = entry.shift_of.filter(|base| repository(base).is_some()) {
                needs.add_dataset(&base)?;
            }
        }
        Ok(needs)
    }

    /// Backbones and data sets by name, without a suite. `data` is the folder of data
    /// sets.
    ///
    /// # Errors
    /// A name is unknown.
    pub fn of_names(
        backbones: &[String],
        datasets: &[String],
        data: Option<&Path>,
    ) -> Result<Self, RunError> {
        let search_path = SearchPath::of_current_folder().with_data(data, None);
        let mut needs = Self::of(search_path.with_aliases()?, backbones)?;
        for name in datasets {
            needs.add_dataset(name)?;
        }
        Ok(needs)
    }

    fn add_dataset(&mut self, name: &str) -> Result<(), RunError> {
        // A data set with two labels is fetched once.
        if self.repositories.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let found = self.search_path.dataset(name);
        match found.map_err(|source| not_found(name, source))? {
            Location::Found(_) => {}
            Location::Absent(absent) => self.absent.push(*absent),
            Location::Unknown => return Err(missing("data set", name, "").into()),
        }
        if let Some(Ok(repo)) = repository(name) {
            self.repositories.push((name.to_owned(), repo));
        }
        Ok(())
    }

    fn of(search_path: SearchPath, names: &[String]) -> Result<Self, RunError> {
        let mut absent = Vec::new();
        let mut requests = Vec::new();
        for name in names {
            let found = search_path.backbone(name);
            match found.map_err(|source| not_found(name, source))? {
                Location::Found(_) => {}
                Location::Absent(input) => absent.push(*input),
                Location::Unknown => return Err(missing("backbone", name, "").into()),
            }
            requests.extend(
                search_path
                    .request(name)
                    .map(|request| (name.clone(), request)),
            );
        }
        Ok(Self {
            search_path,
            absent,
            requests,
            repositories: Vec::new(),
        })
    }

    /// Whether [`Needs::fetch`] would download something.
    pub fn is_fetchable(&self) -> bool {
        let mut absent = self.absent.iter();
        !self.search_path.hub().is_offline() && absent.any(|input| input.request.is_some())
    }

    /// The repositories that the inputs are published in, each with its revision and, where it has
    /// one, its mirror.
    pub fn repositories(&self) -> Vec<String> {
        let weights = self.requests.iter().map(|(_, request)| shown(request));
        let data = self.repositories.iter().map(|(_, repo)| repo.to_string());
        let mut all: Vec<String> = weights.chain(data).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Those from which [`Needs::fetch`] would download for the first time and that the lock
    /// beside the suite does not name.
    ///
    /// # Errors
    /// The lock cannot be read; with `is_binding`, there are such repositories.
    pub fn unlocked(&self, suite: &Path, is_binding: bool) -> Result<Vec<String>, LockError> {
        let lock = Lock::of_suite(suite, is_binding)?;
        let requests = self
            .absent
            .iter()
            .filter_map(|input| input.request.as_ref());
        let unnamed = lock.unnamed(requests.map(shown).collect());
        if is_binding {
            let difference = |repository| LockDifference::Download { repository };
            lock.refuse(unnamed.into_iter().map(difference).collect())?;
            return Ok(Vec::new());
        }
        Ok(unnamed)
    }

    /// Downloads the files that are missing, and checks the hashes of those on disk.
    ///
    /// # Errors
    /// A file cannot be downloaded. Files that were downloaded before it are kept.
    pub fn fetch(
        &self,
        policy: RetryPolicy,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Served>, FetchError> {
        let hub = self.search_path.hub();
        let mut served = Vec::new();
        let mut add = |name: &String, fetched: Fetched| {
            served.push(Served {
                name: name.clone(),
                folder: fetched.located.folder,
                downloads: fetched.downloads,
            });
        };
        for (name, request) in &self.requests {
            add(name, fetch_weights(hub, request, policy, progress)?);
        }
        for (name, repo) in &self.repositories {
            add(name, fetch_shards(hub, repo, policy, progress)?);
        }
        Ok(served)
    }
}

/// A repository, with the mirror that takes its place.
fn shown(request: &Request) -> String {
    let repo = &request.repo;
    match &request.mirror {
        Some(mirror) => format!("{repo} from {mirror}"),
        None => repo.to_string(),
    }
}
