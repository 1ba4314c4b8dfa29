//! Arguments that write a report for other tools.

use std::path::PathBuf;

use clap::Args;

/// Where the modules of a report go.
#[derive(Args)]
pub(crate) struct TrackerArguments {
    /// Write each trained module as a run for TensorBoard (`tensorboard --logdir DIR`)
    #[arg(long, value_name = "DIR", help_heading = "Trackers")]
    pub(crate) tensorboard: Option<PathBuf>,
    /// Write each trained module as a run for MLflow (`mlflow ui --backend-store-uri file:DIR`)
    #[arg(long, value_name = "DIR", help_heading = "Trackers")]
    pub(crate) mlflow: Option<PathBuf>,
    /// Write each trained module as an offline run of Weights & Biases (`wandb sync DIR/offline-run-*`)
    #[arg(long, value_name = "DIR", help_heading = "Trackers")]
    pub(crate) wandb: Option<PathBuf>,
    /// Write the model card of the one module that is selected, as hubs show it
    #[arg(long, value_name = "README.md", help_heading = "Trackers")]
    pub(crate) model_card: Option<PathBuf>,
}

impl TrackerArguments {
    pub(crate) fn is_empty(&self) -> bool {
        let folders = [&self.tensorboard, &self.mlflow, &self.wandb];
        folders.iter().all(|folder| folder.is_none()) && self.model_card.is_none()
    }
}
