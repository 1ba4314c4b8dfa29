//! Getting the files that a suite needs, before it runs.

use std::path::{Path, PathBuf};

pub use harness_hub::{Download, FetchError, Progress, RetryPolicy, Verification};
use harness_hub::{Fetched, Repo, Request};

use crate::registry::{
    Absent, DatasetPlace, Places, Whereabouts, fetch_shards, malformed, missing, repository,
};
use crate::run::RunError;
use crate::suite::{Document, SuiteError};

/// The inputs of a suite, as this machine has them.
#[derive(Debug)]
pub struct Needs {
    places: Places,
    /// Inputs whose files are not all on disk.
    pub absent: Vec<Absent>,
    /// What a hub has of the inputs, with the name that the suite gives.
    requests: Vec<(String, Request)>,
    /// Data sets of a hub, whose files say which others there are.
    repositories: Vec<(String, Repo)>,
}

/// An input whose files were looked after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    pub name: String,
    /// The folder that its files are in.
    pub folder: PathBuf,
    /// What came over the network.
    pub downloads: Vec<Download>,
}

impl Needs {
    /// Everything that a suite names. Files are looked for, not read. `data` is the
    /// folder of data sets, where the suite names none.
    ///
    /// # Errors
    /// The suite cannot be read, or a name leads nowhere.
    pub fn of_suite(suite: &Path, data: Option<&Path>) -> Result<Self, RunError> {
        let document = Document::read(suite)?;
        let places = Places::of_suite(suite).with_data(data, document.data());
        let places = places.with_aliases()?;
        let backbones = document.backbones(&places).map_err(SuiteError::from)?;
        let mut needs = Self::of(places, &backbones)?;
        let entries = document.datasets().map_err(SuiteError::from)?;
        document
            .check_datasets(&needs.places)
            .map_err(SuiteError::from)?;
        for entry in entries {
            needs.add_dataset(&entry.name)?;
            // Other names mean an entry of the suite, or nothing that a hub has.
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
    /// A name leads nowhere.
    pub fn of_names(
        backbones: &[String],
        datasets: &[String],
        data: Option<&Path>,
    ) -> Result<Self, RunError> {
        let places = Places::of_current_folder().with_data(data, None);
        let mut needs = Self::of(places.with_aliases()?, backbones)?;
        for name in datasets {
            needs.add_dataset(name)?;
        }
        Ok(needs)
    }

    fn add_dataset(&mut self, name: &str) -> Result<(), RunError> {
        // Under two labels it is fetched once.
        if self.repositories.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let found = self.places.dataset(name);
        match found.map_err(|reason| malformed(name, reason))? {
            DatasetPlace::Here { .. } => {}
            DatasetPlace::Absent { advice, missing } => {
                self.absent.push(Absent::by_hand(name, advice, missing));
            }
            DatasetPlace::Unfetched(absent) => self.absent.push(*absent),
            DatasetPlace::Nowhere => return Err(missing("data set", name, "").into()),
        }
        if let Some(Ok(repo)) = repository(name) {
            self.repositories.push((name.to_owned(), repo));
        }
        Ok(())
    }

    fn of(places: Places, names: &[String]) -> Result<Self, RunError> {
        let mut absent = Vec::new();
        let mut requests = Vec::new();
        for name in names {
            let found = places.backbone(name);
            match found.map_err(|reason| malformed(name, reason))? {
                Whereabouts::Here(_) => {}
                Whereabouts::Absent(input) => absent.push(*input),
                Whereabouts::Nowhere => return Err(missing("backbone", name, "").into()),
            }
            requests.extend(places.request(name).map(|request| (name.clone(), request)));
        }
        Ok(Self {
            places,
            absent,
            requests,
            repositories: Vec::new(),
        })
    }

    /// Whether something is absent that [`Needs::fetch`] would get.
    pub fn is_fetchable(&self) -> bool {
        let mut absent = self.absent.iter();
        !self.places.hub().is_offline() && absent.any(|input| input.request.is_some())
    }

    /// Gets what hubs have of the inputs and is not on disk, and checks the hashes of
    /// what is.
    ///
    /// # Errors
    /// A file is not to be had. What came before it stays.
    pub fn fetch(
        &self,
        policy: RetryPolicy,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Served>, FetchError> {
        let hub = self.places.hub();
        let mut served = Vec::new();
        let mut add = |name: &String, fetched: Fetched| {
            served.push(Served {
                name: name.clone(),
                folder: fetched.located.folder,
                downloads: fetched.downloads,
            });
        };
        for (name, request) in &self.requests {
            add(name, hub.fetch(request, policy, progress)?);
        }
        for (name, repo) in &self.repositories {
            add(name, fetch_shards(hub, repo, policy, progress)?);
        }
        Ok(served)
    }
}
