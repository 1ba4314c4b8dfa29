//! Why a part of a plan could not be done.

use std::path::PathBuf;

use super::Stage;

/// Why a part of a plan could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DistributionError {
    #[error(
        "no plan {id} in {}; `harness submit SUITE --print` writes a plan and says its id, and \
         --store must name the same folder", .folder.display()
    )]
    UnknownPlan { id: String, folder: PathBuf },
    #[error("{}: not a plan of tasks: {reason}", .path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("{}: {source}", .path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "plan {id} was made for something else; nothing was computed: {}; submit the suite again, \
         or restore what changed", .changes.join("; ")
    )]
    Changed { id: String, changes: Vec<String> },
    #[error("plan {id} has {found} tasks in stage {stage}, not {asked}")]
    Shards {
        id: String,
        stage: Stage,
        found: usize,
        asked: usize,
    },
    #[error("plan {id} has the unit {name} ({key}), which this suite does not")]
    UnknownUnit {
        id: String,
        name: String,
        key: String,
    },
    #[error("no estimate of the cost: {0}")]
    Cost(#[from] crate::cost::ThroughputError),
    #[error(
        "--fresh cannot be shared by tasks; remove stored results with `harness cache` instead"
    )]
    Fresh,
}
