//! How a suite is to be cut and submitted: the command line over the suite over the user.

use std::path::{Path, PathBuf};

use harness_engine::distribute::{CutBy, TIME_FACTOR};
use harness_engine::run::RunError;
use harness_engine::suite::{Document, SlurmOptions, SuiteError};
use harness_report::ExitCode;

use crate::cli::SubmitArguments;
use crate::failure::Failure;

/// Hours of a task where nothing is said: long enough for a queue, short enough for its gaps.
const TASK_HOURS: f64 = 2.0;

/// What was chosen.
pub(crate) struct Chosen {
    pub(crate) cut: CutBy,
    pub(crate) workers: Option<usize>,
    pub(crate) gpus: Option<u32>,
    pub(crate) time_factor: f64,
    /// Options for sbatch, each as a script has it.
    pub(crate) sbatch: Vec<String>,
}

/// # Errors
/// A file of settings cannot be read or has mistakes.
pub(crate) fn choose(arguments: &SubmitArguments, suite: &Path) -> Result<Chosen, Failure> {
    let read = |path: &Path| Document::read(path).map_err(RunError::from);
    let wrong = |mistakes| Failure::from(RunError::from(SuiteError::from(mistakes)));
    let of_suite = read(suite)?.slurm().map_err(wrong)?.unwrap_or_default();
    let of_user = match user_file() {
        Some(path) if path.exists() => {
            let settings = read(&path)?.user_settings().map_err(wrong)?;
            settings.slurm.unwrap_or_default()
        }
        _ => SlurmOptions::default(),
    };
    let asked = SlurmOptions {
        sbatch: None,
        tasks: arguments.tasks,
        task_hours: arguments.task_hours,
        jobs: arguments.suite.jobs,
        gpus: arguments.gpus,
        time_factor: arguments.time_factor,
    };
    // Options for sbatch add up, and of two the later counts.
    let all = [&of_user.sbatch, &of_suite.sbatch];
    let given = all.into_iter().flatten().chain(&arguments.sbatch);
    let mut sbatch = Vec::new();
    for text in given {
        let words = words(text);
        sbatch.extend(words.map_err(|error| Failure::new(ExitCode::Usage, error.to_string()))?);
    }
    let all = asked.over(of_suite).over(of_user);
    let hours = all.task_hours.unwrap_or(TASK_HOURS);
    Ok(Chosen {
        cut: match all.tasks {
            Some(tasks) => CutBy::Tasks(tasks as usize),
            None => CutBy::Seconds(hours * 3600.0),
        },
        workers: all.jobs.map(usize::from),
        gpus: all.gpus,
        time_factor: all.time_factor.unwrap_or(TIME_FACTOR),
        sbatch,
    })
}

/// `$HARNESS_CONFIG`, or `harness/config.yaml` in the user's folder of settings.
fn user_file() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = variable("HARNESS_CONFIG") {
        return Some(path.into());
    }
    let folder = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")))?;
    Some(folder.join("harness/config.yaml"))
}

/// A text that does not begin with an option of `sbatch`.
#[derive(Debug, thiserror::Error)]
#[error("--sbatch {0:?}: expected options, such as --partition=long")]
struct NoOption(String);

/// Options one a line, which `#SBATCH` wants: a word that begins with a dash begins an option.
fn words(text: &str) -> Result<Vec<String>, NoOption> {
    let mut all: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match all.last_mut() {
            _ if word.starts_with('-') => all.push(word.to_owned()),
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None => {
                return Err(NoOption(text.to_owned()));
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn options_are_one_a_line() {
        let found = words("--partition=long -A vision  --gres=gpu:1").unwrap();
        assert_eq!(found, ["--partition=long", "-A vision", "--gres=gpu:1"]);
        assert!(words("long").is_err());
        assert!(words("").unwrap().is_empty());
    }
}
