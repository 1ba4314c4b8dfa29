//! Where, when and with what a report was made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What it takes to make the same report again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Version of the harness.
    pub harness: String,
    /// `major.minor` of the plugin contract.
    pub abi: String,
    /// Compiler of the harness.
    pub rustc: String,
    pub os: String,
    pub arch: String,
    pub cpu: Cpu,
    /// What the towers ran on; absent where that was the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<ComputeDevice>,
    /// Threads of each worker process.
    pub threads_per_worker: u32,
    /// Worker processes at once.
    pub jobs: u32,
    /// The repository the run was started in; absent outside of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
    /// Start of the run, RFC 3339, UTC.
    pub started: String,
    /// Wall-clock seconds of the run.
    pub wall_seconds: f64,
    /// Command line that makes the run again, one argument an entry.
    pub rerun: Vec<String>,
    /// Tasks that computed the cells, where the run was cut into tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskProvenance>,
}

/// One attempt at a task, and the cells that it computed a part of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskProvenance {
    /// `features`, `trainings` or `injections`.
    pub stage: String,
    /// Number of the task in its stage, from 1.
    pub shard: u64,
    pub place: TaskPlace,
    /// Positions in the report's `cells`, from 0.
    pub cells: Vec<u64>,
}

/// Where a task ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskPlace {
    /// Job of the cluster, such as `1234_5`; absent for a task that was started by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Times that the job was put back into the queue before.
    pub restarts: u32,
    pub node: String,
    /// What the towers ran on.
    pub device: String,
    /// Processor, as the operating system names it.
    pub cpu: String,
}

/// The GPUs that computed the towers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputeDevice {
    /// `cuda` or `metal`.
    pub kind: String,
    /// What the driver calls the first.
    pub name: String,
    /// Number of GPUs.
    pub count: u32,
    /// `f32`, `tf32` or `bf16`.
    pub precision: String,
    /// Version of the tensor library.
    pub candle: String,
}

impl ComputeDevice {
    /// The device in a few words.
    pub fn describe(&self) -> String {
        match self.count {
            1 => format!("{}, {}", self.name, self.precision),
            count => format!("{count} × {}, {}", self.name, self.precision),
        }
    }
}

/// The processor of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cpu {
    /// As the operating system names it.
    pub model: String,
    /// Logical cores the run could use.
    pub cores: u32,
}

/// State of a git working tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Git {
    pub revision: String,
    /// Whether the working tree differed from the revision.
    pub dirty: bool,
}
