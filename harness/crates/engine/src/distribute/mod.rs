//! A plan cut into tasks for many machines that share a store, and put together again.

mod collect;
mod cut;
mod error;
mod frozen;
mod outline;
mod propose;
mod record;
mod request;
#[cfg(test)]
mod simulation;
mod stage;
mod state;
mod submission;
mod task;
mod units;
mod visibility;

pub use collect::{EndedTask, collect};
pub use cut::CutBy;
pub use error::DistributionError;
pub use frozen::Frozen;
pub use outline::{Outline, OutlineStage, outline};
pub use propose::{Proposal, ProposalOptions, propose};
pub use record::{TaskRecord, UnitEnd, UnitRecord};
pub use request::{Floor, Request, TIME_FACTOR};
pub use stage::{Stage, StageError};
pub use state::{PlannedState, UnitState, planned_state};
pub use submission::{PlannedUnit, StagePlan, Submission, TaskPlan};
pub use task::{Shard, TaskSummary, run_task};
