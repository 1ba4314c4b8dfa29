//! A run, from the settings to the report.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Instant;

use harness_data::DataError;
use harness_report::Report;
use harness_report::samples::CellPredictions;

use super::assemble::assemble;
use super::error::RunError;
use super::execute::{ExecContext, execute};
use super::live::{Live, Ticking, Watcher};
use super::results::Results;
use super::samples::TestImages;
use super::setup::{SetUp, Settings};
use super::{clock, samples};
use crate::cost::CostModel;
use crate::job::JobOutput;
use crate::modules::{NamedModule, name_all};
use crate::plan::{Plan, UnitResult};
use crate::registry::{ModuleFile, ModuleFileError};
use crate::schedule::Observer;

/// A run that ended, or was interrupted.
pub struct Finished<'s> {
    pub report: Report,
    setup: SetUp<'s>,
    results: Results,
}

impl<'s> Finished<'s> {
    pub(crate) fn new(report: Report, setup: SetUp<'s>, results: Results) -> Self {
        Self {
            report,
            setup,
            results,
        }
    }

    /// The modules that were trained on the sources, named.
    ///
    /// # Errors
    /// A module file cannot be read.
    pub fn modules(&self) -> Result<Vec<NamedModule>, ModuleFileError> {
        let mut keys = BTreeSet::new();
        for cell in &self.setup.plan.cells {
            if let Ok(unit) = cell.train
                && let Some(JobOutput::Trained(_)) = self.results.output(unit)
            {
                keys.insert(&self.setup.plan.graph[unit].key);
            }
        }
        let paths = keys.into_iter().map(|key| self.setup.store.module(key));
        let files = paths.map(|path| ModuleFile::read(&path));
        Ok(name_all(files.collect::<Result<_, _>>()?))
    }

    /// Writes the predictions of every cell, a line of JSON for each test image.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn write_samples(&self, images: &TestImages, out: &mut dyn Write) -> io::Result<()> {
        samples::write(&self.predictions(), images, out)
    }

    /// The predictions of each cell that has any measurement, in the order of the plan.
    pub fn predictions(&self) -> Vec<CellPredictions<'_>> {
        samples::predictions(&self.setup, &self.results)
    }

    /// The test images of the run's data sets.
    ///
    /// # Errors
    /// A data set cannot be opened any more.
    pub fn test_images(&self) -> Result<TestImages, DataError> {
        TestImages::open(&self.setup)
    }
}

/// Runs what is not stored, and reports on everything.
///
/// # Errors
/// The suite, a plugin, a backbone or a data set is wrong, the selection is empty,
/// or a result could not be stored. A failure in a worker is not an error here but
/// the status of its cell.
pub fn run<'s>(
    settings: &Settings<'s>,
    observer: &mut dyn Observer,
) -> Result<Finished<'s>, RunError> {
    run_with(settings, observer, None)
}

/// The same, with reports on everything so far for `watcher`.
///
/// # Errors
/// See [`run`].
pub fn run_watched<'s>(
    settings: &Settings<'s>,
    observer: &mut dyn Observer,
    watcher: &mut dyn Watcher,
) -> Result<Finished<'s>, RunError> {
    run_with(settings, observer, Some(watcher))
}

fn run_with<'s>(
    settings: &Settings<'s>,
    observer: &mut dyn Observer,
    watcher: Option<&mut dyn Watcher>,
) -> Result<Finished<'s>, RunError> {
    let clock = (clock::now_rfc3339(), Instant::now());
    let setup = SetUp::new(settings, observer)?;
    let is_waiting = !Plan::waiting(&setup.inputs, &settings.selection).is_empty();
    if is_waiting {
        return Err(RunError::Absent {
            suite: settings.suite.clone(),
            absent: setup.inputs.absent,
        });
    }
    let costs =
        CostModel::new(&setup.inputs, &setup.fits).with_activations(setup.memory.activations());
    let wanted = setup.plan.cells.iter().flat_map(|cell| cell.units());
    let context = ExecContext {
        store: &setup.store,
        pool: &setup.pool,
        is_fresh: settings.fresh,
        weight: &|unit| costs.weight(unit),
    };
    let graph = &setup.plan.graph;
    let results = match watcher {
        None => execute(graph, wanted, &context, &|_, _| (), observer)?,
        Some(watcher) => {
            // What cannot be assembled yet is an error of the whole report at the end.
            let so_far =
                |results: &Results| assemble(settings, &setup, results, clock.clone()).ok();
            let live = Live::new(watcher, &so_far);
            let settled = |unit, result: &UnitResult| live.settled(unit, result);
            let mut observer = Ticking {
                observer,
                live: &live,
            };
            execute(graph, wanted, &context, &settled, &mut observer)?
        }
    };
    let report = assemble(settings, &setup, &results, clock)?;
    Ok(Finished {
        report,
        setup,
        results,
    })
}
