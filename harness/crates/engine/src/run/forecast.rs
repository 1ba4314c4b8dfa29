//! What a run would do: which cells are stored, which would run, which cannot.

use super::error::RunError;
use super::execute::{ExecContext, backlog};
use super::setup::{SetUp, Settings};
use crate::cost::{Budget, CostModel, Estimate, Fitting, UnitCosts, fitting};
use crate::job::UnitWork;
use crate::plan::{
    CellPlan, Coordinates, DatasetIndex, Inputs, MethodIndex, NotMeasured, Plan, UnitIndex,
    UnitResult,
};
use crate::registry::Absent;
use crate::schedule::{Observer, Silent, TaskResult};
use crate::suite::Gate;
use harness_report::Seeds;
use harness_report::selection::Selection;

/// The state of a cell before a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellState {
    Stored,
    ToRun,
    /// Base and the zero-shots can be measured, New cannot.
    NotInjectable {
        reason: String,
    },
    /// Files of these inputs are not on disk.
    Waiting {
        inputs: Vec<String>,
    },
    /// The plugin could not say whether it fits.
    Broken {
        message: String,
    },
}

/// One cell of a forecast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastCell {
    pub method: String,
    pub dataset: String,
    pub source: String,
    pub target: String,
    pub shots: u32,
    pub seed: Seeds,
    /// Tensors of the module that the target has no counterpart of, block numbers as `*`.
    pub left_out: Vec<String>,
    pub state: CellState,
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    pub suite: String,
    /// Workers on this machine, and the GPUs or cores that they share.
    pub workers: usize,
    pub processors: usize,
    /// In the order of the report, then those that wait for files.
    pub cells: Vec<ForecastCell>,
    /// Units to do: image features, zero-shots, trainings, injections.
    pub features: usize,
    pub zero_shots: usize,
    pub trainings: usize,
    pub injections: usize,
    /// What the suite's gate asks for, if it has one.
    pub gate: Option<Gate>,
    /// Test images of each data set that is a column.
    pub test_images: Vec<(String, u64)>,
    /// None if nothing is left to do.
    pub estimate: Option<Estimate>,
    /// What fits into the budget, if there is one and something is left to do.
    pub proposal: Option<Proposal>,
    /// Inputs whose files are not on disk, with every file that is missing.
    pub absent: Vec<Absent>,
}

/// What fits into a budget.
#[derive(Clone, Debug, PartialEq)]
pub enum Proposal {
    Everything,
    Part {
        /// What was selected before, and these methods and data sets.
        selection: Selection,
        cells: usize,
        processor_seconds: f64,
        wall_seconds: f64,
    },
    /// Not even the cheapest method on one data set, which takes so many seconds.
    Nothing {
        cheapest_seconds: f64,
    },
}

/// Plans a suite without running it. Weights are hashed but not loaded; cells whose
/// inputs are not on disk wait. A `budget` is in seconds that pass, with so many `processors`:
/// GPUs or cores, by default those of this machine.
///
/// # Errors
/// As for [`super::run`].
pub fn forecast(
    settings: &Settings<'_>,
    budget: Option<f64>,
    processors: Option<usize>,
    observer: &mut dyn Observer,
) -> Result<Forecast, RunError> {
    let setup = SetUp::new(settings, observer)?;
    let placement = setup.placement.as_ref();
    let here = placement.map_or(setup.pool.jobs, |placement| placement.numbers.len());
    let budget = budget.map(|seconds| Budget {
        seconds,
        workers: processors.unwrap_or(here),
    });
    let context = ExecContext {
        store: &setup.store,
        pool: &setup.pool,
        is_fresh: settings.fresh,
        weight: &|_| 1.0,
    };
    let wanted = setup.plan.cells.iter().flat_map(CellPlan::units);
    let backlog = backlog(&setup.plan.graph, wanted, &context, observer);
    let inputs = &setup.inputs;
    let planned = setup.plan.cells.iter().map(|cell| {
        let at = cell.coordinates();
        let state = state(cell, |unit| backlog.open.binary_search(&unit).is_err());
        let mut planned = forecast_cell(inputs, at, state);
        planned.left_out.clone_from(&cell.left_out);
        planned
    });
    let waiting = Plan::waiting(inputs, &settings.selection);
    let waiting = waiting.into_iter().map(|at| {
        let names = at.absent(inputs).into_iter().map(str::to_owned);
        let state = CellState::Waiting {
            inputs: names.collect(),
        };
        forecast_cell(inputs, at, state)
    });
    let cells: Vec<ForecastCell> = planned.chain(waiting).collect();
    let test_images = test_images(inputs, &setup.plan.cells);
    // With the cells that wait for files, as if every module fitted.
    let (plan, open) = match inputs.absent.is_empty() {
        true => (setup.plan, backlog.open),
        false => {
            let plan = setup.plan.with_waiting(inputs, &settings.selection);
            let wanted = plan.cells.iter().flat_map(CellPlan::units);
            // Damaged entries were reported when the plan itself was looked up.
            let open = self::backlog(&plan.graph, wanted, &context, &mut Silent).open;
            (plan, open)
        }
    };
    let count = |is_kind: fn(&UnitWork) -> bool| {
        let open = open.iter();
        open.filter(|unit| is_kind(&plan.graph[**unit].work))
            .count()
    };
    let costs = CostModel::new(inputs, &setup.fits).with_activations(setup.memory.activations());
    let measured = UnitCosts::of(&plan.graph, &open, &costs, setup.placement.as_ref())
        .unwrap_or_else(|error| {
            observer.warn(&format!("no estimate of the cost: {error}"));
            None
        });
    let parameters: Vec<Option<u64>> = (0..inputs.methods.len())
        .map(|method| setup.fits.parameters(MethodIndex(method)))
        .collect();
    Ok(Forecast {
        suite: inputs.suite.name.clone(),
        workers: setup.pool.jobs,
        processors: here,
        estimate: measured
            .as_ref()
            .map(|units| units.estimate(&plan.graph, inputs, &costs, &parameters)),
        proposal: measured.as_ref().zip(budget).map(|(units, budget)| {
            let fits = fitting(&plan, units, budget);
            proposal(inputs, &plan, &settings.selection, fits)
        }),
        cells,
        absent: inputs.absent.clone(),
        features: count(|work| matches!(work, UnitWork::Features { .. })),
        zero_shots: count(|work| matches!(work, UnitWork::ZeroShot { .. })),
        trainings: count(|work| matches!(work, UnitWork::Train { .. })),
        injections: count(|work| matches!(work, UnitWork::Inject { .. })),
        gate: inputs.suite.gate,
        test_images,
    })
}

/// A subset by its names.
fn proposal(inputs: &Inputs, plan: &Plan, selection: &Selection, fits: Fitting) -> Proposal {
    let subset = match fits {
        Fitting::Everything => return Proposal::Everything,
        Fitting::Nothing { cheapest_seconds } => return Proposal::Nothing { cheapest_seconds },
        Fitting::Part(subset) => subset,
    };
    let methods = subset.methods.iter();
    let methods = methods.map(|method| inputs[*method].label.as_str());
    let datasets = subset.datasets.iter();
    let datasets = datasets.map(|dataset| inputs[*dataset].reference.name.as_str());
    let cells = plan.cells.iter().filter(|cell| {
        subset.methods.contains(&cell.method) && subset.datasets.contains(&cell.dataset)
    });
    Proposal::Part {
        selection: selection.clone().narrowed(methods, datasets),
        cells: cells.count(),
        processor_seconds: subset.processor_seconds,
        wall_seconds: subset.wall_seconds,
    }
}

/// Of the data sets that a cell is tested on, in the suite's order.
fn test_images(inputs: &Inputs, cells: &[CellPlan]) -> Vec<(String, u64)> {
    let datasets = inputs.datasets.iter().enumerate();
    datasets
        .filter(|(index, _)| {
            cells
                .iter()
                .any(|cell| cell.dataset == DatasetIndex(*index))
        })
        .map(|(_, facts)| {
            let contents = facts.contents.present();
            let images = contents.map_or(0, |known| known.sizes[2]);
            (facts.reference.name.clone(), images as u64)
        })
        .collect()
}

fn forecast_cell(inputs: &Inputs, at: Coordinates, state: CellState) -> ForecastCell {
    ForecastCell {
        method: inputs[at.method].label.clone(),
        dataset: inputs[at.dataset].reference.name.clone(),
        source: inputs[at.source].reference.name.clone(),
        target: inputs[at.target].reference.name.clone(),
        shots: at.draw.shots,
        seed: at.draw.seeds,
        left_out: Default::default(),
        state,
    }
}

fn state(cell: &CellPlan, is_stored: impl Fn(UnitIndex) -> bool) -> CellState {
    for unit in [&cell.base, &cell.new] {
        match unit {
            Err(NotMeasured::NotInjectable(reason)) => {
                return CellState::NotInjectable {
                    reason: reason.clone(),
                };
            }
            Err(NotMeasured::SurveyFailed(result)) => {
                return CellState::Broken {
                    message: message(result),
                };
            }
            Ok(_) => {}
        }
    }
    if cell.units().all(is_stored) {
        CellState::Stored
    } else {
        CellState::ToRun
    }
}

fn message(result: &UnitResult) -> String {
    match result {
        TaskResult::Failed { message, .. } | TaskResult::Crashed { message, .. } => message.clone(),
        TaskResult::TimedOut { seconds, .. } => format!("no answer within {seconds} s"),
        _ => "the survey did not run".to_owned(),
    }
}
