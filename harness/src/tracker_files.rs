//! Writing a report for trackers.

use harness_report::{ExitCode, Report};
use harness_trackers::{TrackerError, mlflow, model_card, runs, tensorboard, wandb};

use crate::cli::TrackerArguments;
use crate::failure::Failure;

/// Writes everything that was asked for, and reports what cannot be written.
pub(crate) fn write_trackers(report: &Report, arguments: &TrackerArguments) -> ExitCode {
    if arguments.is_empty() {
        return ExitCode::Ok;
    }
    let write = || -> Result<(), TrackerError> {
        let runs = runs(report)?;
        if let Some(folder) = &arguments.tensorboard {
            tensorboard(&runs, folder)?;
            say!(
                "wrote {} runs for TensorBoard to {}",
                runs.len(),
                folder.display()
            );
        }
        if let Some(folder) = &arguments.mlflow {
            mlflow(&runs, folder)?;
            say!(
                "wrote {} runs for MLflow to {}",
                runs.len(),
                folder.display()
            );
        }
        if let Some(folder) = &arguments.wandb {
            wandb(&runs, folder)?;
            say!(
                "wrote {} runs for Weights & Biases to {}",
                runs.len(),
                folder.display()
            );
        }
        if let Some(path) = &arguments.model_card {
            model_card(report, path)?;
        }
        Ok(())
    };
    match write() {
        Ok(()) => ExitCode::Ok,
        Err(error) => Failure::new(code(&error), error).report(),
    }
}

fn code(error: &TrackerError) -> ExitCode {
    match error {
        TrackerError::Write { .. } => ExitCode::OutputNotWritten,
        _ => ExitCode::SetUp,
    }
}
