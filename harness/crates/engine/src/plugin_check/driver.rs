//! Does the checks one after the other, each in a worker of its own.

use harness_abi::wire::MethodCard;
use serde_json::Value;

use super::PluginCheckError;
use super::inputs::{Inputs, method_ref};
use super::single::{Reply, single};
use crate::job::{CheckWork, JobOutput, MethodCheck, Work};
use crate::registry::RegisteredPlugin;
use crate::schedule::{Observer, Pool};

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
                    method: method_ref(plugin, &card.id, config.clone()),
                    carried: card.carried.clone(),
                    sites: is_default.then(|| card.sites.clone()),
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

fn one(
    work: CheckWork,
    pool: &Pool<'_>,
    observer: &mut dyn Observer,
) -> Result<Outcome, PluginCheckError> {
    let name = format!("check {} {:?}", work.method.id, work.check);
    let reply = single(name, Work::Check(Box::new(work)), pool, observer)?;
    Ok(match reply {
        Reply::Done(output) => match *output {
            JobOutput::Checked { note } => Outcome::Passed { note },
            other => Outcome::Failed {
                message: format!("unexpected reply to a check: {other:?}"),
                log: String::new(),
            },
        },
        Reply::Failed { message, log } => Outcome::Failed { message, log },
        Reply::NotRun => Outcome::NotRun,
    })
}
