//! Does the checks one after the other, each in a worker of its own.

use harness_abi::wire::MethodCard;
use serde_json::Value;

use super::PluginCheckError;
use crate::job::{
    BackboneRef, CheckWork, DatasetRef, JobOutput, MethodCheck, MethodRef, Presence, Work,
};
use crate::registry::{DatasetFacts, FactsError, PresentBackbone, RegisteredPlugin, SearchPath};
use crate::schedule::{Observer, Pool, PoolTask, TaskResult};
use crate::suite::DatasetEntry;

/// Bytes of a log that are kept.
const LOG_TAIL: usize = 2000;

/// The backbones and the data set that a method is checked on.
#[derive(Clone, Debug)]
pub struct Inputs {
    source: BackboneRef,
    target: BackboneRef,
    dataset: DatasetRef,
}

impl Inputs {
    /// Looks up the names.
    ///
    /// # Errors
    /// One of them is not on disk.
    pub fn find(
        search_path: &SearchPath,
        (source, target): (&str, &str),
        dataset: &str,
    ) -> Result<Self, FactsError> {
        let backbone = |name: &str| {
            let PresentBackbone { name, files, .. } = PresentBackbone::read(search_path, name)?;
            Ok::<_, FactsError>(BackboneRef {
                name,
                files: Presence::Present(files),
            })
        };
        let entry = DatasetEntry::named(dataset);
        Ok(Self {
            source: backbone(source)?,
            target: backbone(target)?,
            dataset: DatasetFacts::read(search_path, &entry, "")?.reference,
        })
    }
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed {
        note: Option<String>,
    },
    Failed {
        message: String,
        /// The end of what the plugin wrote.
        log: String,
    },
    /// It needs a training, which fails.
    Skipped,
    /// The checks were interrupted.
    NotRun,
}

/// A check of a method with a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub method: String,
    pub config: Value,
    pub check: MethodCheck,
    pub outcome: Outcome,
}

/// Checks a method with each of the configurations. Those that need a training are skipped
/// where a training fails, so that one fault is reported once.
///
/// # Errors
/// No worker can be started.
pub fn check(
    (plugin, card): (&RegisteredPlugin, &MethodCard),
    configs: &[Value],
    inputs: &Inputs,
    pool: &Pool<'_>,
    observer: &mut dyn Observer,
) -> Result<Vec<Checked>, PluginCheckError> {
    let mut all = Vec::new();
    for config in configs {
        let mut trains = true;
        // The card speaks of the default configuration.
        let is_default = config.as_object().is_some_and(serde_json::Map::is_empty);
        let checks = MethodCheck::ALL.into_iter();
        for check in checks.filter(|check| is_default || *check != MethodCheck::Card) {
            let outcome = if check.needs_training() && !trains {
                Outcome::Skipped
            } else {
                let work = CheckWork {
                    check,
                    method: MethodRef {
                        plugin: plugin.path.clone(),
                        plugin_sha256: plugin.sha256.clone(),
                        id: card.id.clone(),
                        config: config.clone(),
                    },
                    carried: card.carried.clone(),
                    source: inputs.source.clone(),
                    target: inputs.target.clone(),
                    dataset: inputs.dataset.clone(),
                };
                one(work, pool, observer)?
            };
            if check == MethodCheck::Training {
                trains = matches!(outcome, Outcome::Passed { .. });
            }
            all.push(Checked {
                method: card.id.clone(),
                config: config.clone(),
                check,
                outcome,
            });
        }
    }
    Ok(all)
}

/// A pool of its own for each check ends with a process of its own.
fn one(
    work: CheckWork,
    pool: &Pool<'_>,
    observer: &mut dyn Observer,
) -> Result<Outcome, PluginCheckError> {
    let task = PoolTask {
        name: format!("check {} {:?}", work.method.id, work.check),
        work: Work::Check(Box::new(work)),
        needs: Vec::new(),
        log: None,
        weight: 1.0,
    };
    let mut results = pool.run(&[task], &mut Quiet(observer), &mut |_, result| Ok(result))?;
    Ok(match results.pop() {
        Some(TaskResult::Finished { output, .. }) => match *output {
            JobOutput::Checked { note } => Outcome::Passed { note },
            other => Outcome::Failed {
                message: format!("unexpected reply to a check: {other:?}"),
                log: String::new(),
            },
        },
        Some(TaskResult::NotInjectable { reason }) => Outcome::Failed {
            message: format!("not injectable into the source: {reason}"),
            log: String::new(),
        },
        Some(TaskResult::Failed { message, log } | TaskResult::Crashed { message, log }) => {
            Outcome::Failed {
                message,
                log: end_of(&log),
            }
        }
        Some(TaskResult::TimedOut { seconds, log }) => Outcome::Failed {
            message: format!("no answer within {seconds} s"),
            log: end_of(&log),
        },
        Some(TaskResult::Blocked { .. } | TaskResult::NotRun) | None => Outcome::NotRun,
    })
}

/// Passes on warnings alone: failures are in the result, and one check has no progress.
struct Quiet<'o>(&'o mut dyn Observer);

impl Observer for Quiet<'_> {
    fn finished(&mut self, _task: &PoolTask, _result: &TaskResult) {}
    fn tick(&mut self, progress: &crate::schedule::Progress) {
        self.0.tick(progress);
    }
    fn warn(&mut self, message: &str) {
        self.0.warn(message);
    }
}

fn end_of(log: &str) -> String {
    let mut start = log.len().saturating_sub(LOG_TAIL);
    while !log.is_char_boundary(start) {
        start += 1;
    }
    log[start..].to_owned()
}
