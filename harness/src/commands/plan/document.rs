//! `harness plan --json`.

use harness_engine::registry::Absent;
use harness_engine::run::{CellState, Forecast, ForecastCell, Proposal};
use harness_report::Seeds;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::asked::{Asked, run_command};
use super::cluster::ClusterCost;
use super::state::State;
use crate::power::{Power, power};

/// What a run of a suite would do and cost. Times are in seconds, sizes in bytes.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PlanDocument {
    /// `harness-plan/2`.
    schema: &'static str,
    /// Name of the suite.
    suite: String,
    /// One for each method, data set, upgrade, number of shots and seed that is selected.
    cells: Vec<PlannedCell>,
    to_do: UnitCounts,
    /// What that costs; null if nothing is to do or the cost could not be measured.
    cost: Option<Cost>,
    /// With `--budget`: what fits into it.
    budget: Option<BudgetProposal>,
    /// For each data set the losses that the suite's gate would detect; empty without a gate.
    power: Vec<Power>,
    /// Inputs whose files are not on this machine.
    absent: Vec<AbsentInput>,
    /// With `--slurm`: what it takes in tasks of a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<ClusterCost>,
}

/// One cell.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct PlannedCell {
    method: String,
    dataset: String,
    source: String,
    target: String,
    shots: u32,
    seed: Seeds,
    state: State,
    /// Why it is not injectable or broken, or the names of the inputs that it waits for.
    reason: Option<String>,
    /// Tensors of the module that the target has no counterpart of, block numbers as `*`.
    left_out: Vec<String>,
}

/// Units that are not cached.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct UnitCounts {
    features: usize,
    zero_shots: usize,
    trainings: usize,
    injections: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Cost {
    /// What the towers run on; null for cores.
    gpu: Option<Gpu>,
    /// Seconds of one GPU, or of one core.
    processor_seconds: f64,
    by_method_and_dataset: Vec<MethodCost>,
    /// Wall time with this machine's GPUs or workers and, with `--cores`, with so many more.
    wall: Vec<WallTime>,
    /// Peak memory of the worker that needs most.
    worker_bytes: u64,
    /// What the cache grows by.
    disk_bytes: u64,
    /// Measured floating-point operations per second of each tower on one GPU or in one thread.
    text_flops: f64,
    image_flops: f64,
    /// Seconds that a call of a tower takes whatever its size.
    call_seconds: f64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Gpu {
    name: String,
    count: usize,
    /// `f32`, `tf32` or `bf16`.
    precision: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct MethodCost {
    /// Null for image features and zero-shots, which all methods share.
    method: Option<String>,
    /// Trainings for a shifted data set count for its base.
    dataset: String,
    processor_seconds: f64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct WallTime {
    workers: usize,
    seconds: f64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct BudgetProposal {
    seconds: f64,
    workers: usize,
    /// Whether everything fits.
    fits: bool,
    /// Cells of the part that fits; null if everything or nothing does.
    cells: Option<usize>,
    processor_seconds: Option<f64>,
    wall_seconds: Option<f64>,
    /// The command that runs this part.
    command: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct AbsentInput {
    /// `backbone` or `data set`.
    kind: String,
    name: String,
    /// Where it is published, or how to get it.
    advice: String,
    files: Vec<AbsentFile>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct AbsentFile {
    name: String,
    /// Exact or approximate; null if unknown.
    bytes: Option<u64>,
}

/// The JSON Schema of the document.
pub(crate) fn plan_schema() -> Value {
    schemars::schema_for!(PlanDocument).to_value()
}

impl PlanDocument {
    pub(super) fn of(forecast: &Forecast, asked: &Asked<'_>, cluster: Option<ClusterCost>) -> Self {
        Self {
            schema: "harness-plan/2",
            suite: forecast.suite.clone(),
            cells: forecast.cells.iter().map(cell).collect(),
            to_do: UnitCounts {
                features: forecast.features,
                zero_shots: forecast.zero_shots,
                trainings: forecast.trainings,
                injections: forecast.injections,
            },
            cost: cost(forecast, asked),
            budget: budget(forecast, asked),
            power: power(forecast),
            absent: forecast.absent.iter().map(absent).collect(),
            cluster,
        }
    }
}

fn cell(cell: &ForecastCell) -> PlannedCell {
    let reason = match &cell.state {
        CellState::Stored | CellState::ToRun => None,
        CellState::NotInjectable { reason } => Some(reason.clone()),
        CellState::Waiting { inputs } => Some(inputs.join(", ")),
        CellState::Broken { message } => Some(message.clone()),
    };
    PlannedCell {
        method: cell.method.clone(),
        dataset: cell.dataset.clone(),
        source: cell.source.clone(),
        target: cell.target.clone(),
        shots: cell.shots,
        seed: cell.seed,
        state: State::of(&cell.state),
        reason,
        left_out: cell.left_out.clone(),
    }
}

fn cost(forecast: &Forecast, asked: &Asked<'_>) -> Option<Cost> {
    let estimate = forecast.estimate.as_ref()?;
    let shares = estimate.shares.iter().map(|share| MethodCost {
        method: share.method.clone(),
        dataset: share.dataset.clone(),
        processor_seconds: share.processor_seconds,
    });
    let workers = std::iter::once(asked.here).chain(asked.there);
    let wall = workers.map(|workers| WallTime {
        workers,
        seconds: estimate.wall_seconds(workers),
    });
    let gpu = estimate.gpus.as_ref().map(|gpus| Gpu {
        name: gpus.name.clone(),
        count: gpus.count,
        precision: gpus.precision.to_owned(),
    });
    Some(Cost {
        gpu,
        processor_seconds: estimate.processor_seconds(),
        by_method_and_dataset: shares.collect(),
        wall: wall.collect(),
        worker_bytes: estimate.worker_bytes,
        disk_bytes: estimate.disk_bytes,
        text_flops: estimate.throughput.text,
        image_flops: estimate.throughput.image,
        call_seconds: estimate.throughput.call_seconds,
    })
}

fn budget(forecast: &Forecast, asked: &Asked<'_>) -> Option<BudgetProposal> {
    let mut proposal = BudgetProposal {
        seconds: asked.budget?,
        workers: asked.processors(),
        fits: false,
        cells: None,
        processor_seconds: None,
        wall_seconds: None,
        command: None,
    };
    match &forecast.proposal {
        // Nothing is to do.
        None | Some(Proposal::Everything) => proposal.fits = true,
        Some(Proposal::Nothing { .. }) => {}
        Some(Proposal::Part {
            selection,
            cells,
            processor_seconds,
            wall_seconds,
        }) => {
            proposal.cells = Some(*cells);
            proposal.processor_seconds = Some(*processor_seconds);
            proposal.wall_seconds = Some(*wall_seconds);
            proposal.command = Some(run_command(asked, selection));
        }
    }
    Some(proposal)
}

fn absent(input: &Absent) -> AbsentInput {
    let files = input.files.iter().map(|file| AbsentFile {
        name: file.name.clone(),
        bytes: file.size.or(file.about),
    });
    AbsentInput {
        kind: input.kind.name().to_owned(),
        name: input.name.clone(),
        advice: input.advice.clone(),
        files: files.collect(),
    }
}
