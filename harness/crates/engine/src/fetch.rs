//! Getting the files that a suite needs, before it runs.

use std::path::{Path, PathBuf};

use harness_hub::Request;
pub use harness_hub::{Arrival, Check, FetchError, Patience, Progress};

use crate::registry::{Absent, DatasetPlace, Places, Whereabouts, malformed, missing};
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
}

/// An input whose files were looked after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    pub name: String,
    /// The folder that its files are in.
    pub folder: PathBuf,
    /// What came over the network.
    pub arrived: Vec<Arrival>,
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
        for entry in document.datasets().map_err(SuiteError::from)? {
            match needs.places.dataset(&entry.name) {
                DatasetPlace::Here { .. } => {}
                DatasetPlace::Absent { advice, missing } => {
                    let absent = Absent::by_hand(&entry.name, advice, missing);
                    needs.absent.push(absent);
                }
                DatasetPlace::Nowhere => return Err(missing("data set", &entry.name, "").into()),
            }
        }
        Ok(needs)
    }

    /// Backbones by name, without a suite.
    ///
    /// # Errors
    /// A name leads nowhere.
    pub fn of_backbones(names: &[String]) -> Result<Self, RunError> {
        Self::of(Places::of_current_folder().with_aliases()?, names)
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
        patience: Patience,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Served>, FetchError> {
        let hub = self.places.hub();
        let requests = self.requests.iter();
        requests
            .map(|(name, request)| {
                let fetched = hub.fetch(request, patience, progress)?;
                Ok(Served {
                    name: name.clone(),
                    folder: fetched.located.folder,
                    arrived: fetched.arrived,
                })
            })
            .collect()
    }
}
