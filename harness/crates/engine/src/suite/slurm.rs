//! How a suite is run on a cluster: in the suite, or for all suites in the user's settings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Document, Mistakes};

/// How a suite is cut into jobs of Slurm. The command line takes precedence over the suite, and
/// the suite over the user's settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SlurmOptions {
    /// Options for sbatch, as in a shell: "--partition=long --account=vision".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub sbatch: Option<String>,
    /// Tasks of each stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub tasks: Option<u32>,
    /// Hours that a task should take; not with `tasks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub task_hours: Option<f64>,
    /// Worker processes, and CPUs, of each task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub jobs: Option<u16>,
    /// GPUs of each task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u32>,
    /// How many times the estimate to ask for as a time limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub time_factor: Option<f64>,
}

/// What one user wants in every suite.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSettings {
    /// As in a suite.
    #[serde(default)]
    pub slurm: Option<SlurmOptions>,
}

impl SlurmOptions {
    /// These, and where they leave something open, `below`. Tasks and hours of a task exclude
    /// each other, so that one above hides the other below.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        let is_cut = self.tasks.is_some() || self.task_hours.is_some();
        let below_cut = if is_cut {
            (None, None)
        } else {
            (below.tasks, below.task_hours)
        };
        Self {
            sbatch: self.sbatch.or(below.sbatch),
            tasks: self.tasks.or(below_cut.0),
            task_hours: self.task_hours.or(below_cut.1),
            jobs: self.jobs.or(below.jobs),
            gpus: self.gpus.or(below.gpus),
            time_factor: self.time_factor.or(below.time_factor),
        }
    }
}

impl Document {
    /// The suite's settings for a cluster.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn slurm(&self) -> Result<Option<SlurmOptions>, Mistakes> {
        let Some(node) = self.tree().get("slurm") else {
            return Ok(None);
        };
        serde_json::from_value(node.to_json())
            .map_err(|error| self.mistakes(vec![super::Mistake::new(node.mark, error.to_string())]))
    }

    /// The document as a user's settings, if it has no mistakes.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn user_settings(&self) -> Result<UserSettings, Mistakes> {
        let schema = schemars::schema_for!(UserSettings).to_value();
        let found = self.shape(&schema, "the settings");
        if !found.is_empty() {
            return Err(self.mistakes(found));
        }
        self.values(|text| serde_yaml::from_str(text))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(Path::new("settings.yaml"), text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn what_is_said_nearer_counts() {
        let user = "slurm: {sbatch: --partition=a, task-hours: 2, jobs: 4}";
        let user = document(user).user_settings().unwrap().slurm.unwrap();
        let suite = "slurm: {sbatch: --partition=b, tasks: 16}";
        let suite = document(suite).slurm().unwrap().unwrap();
        let both = suite.over(user);
        assert_eq!(both.sbatch.as_deref(), Some("--partition=b"));
        assert_eq!(
            (both.tasks, both.task_hours, both.jobs),
            (Some(16), None, Some(4))
        );
    }

    #[test]
    fn mistakes_in_settings_have_their_place() {
        let error = document("slurm:\n  task: 3\n").user_settings().unwrap_err();
        let text = error.to_string();
        assert!(text.contains("settings.yaml:2:3"), "{text}");
        assert!(text.contains("tasks"), "{text}");
    }
}
