//! A method with its module, once: what an author looks at after a change.

use serde_json::Value;

use super::PluginCheckError;
use super::inputs::{Inputs, method_ref};
use super::single::{Reply, single};
use crate::job::{ComparisonStep, ComparisonWork, Draw, TrialWork, Work};
use crate::registry::RegisteredPlugin;
use crate::schedule::{Observer, Pool};

/// A method of a library with the images that it is trained on.
pub struct Subject<'s> {
    pub plugin: &'s RegisteredPlugin,
    pub method: &'s str,
    pub config: Value,
    pub draw: Draw,
}

/// Trains a method once and moves its module.
///
/// # Errors
/// No worker can be started.
pub fn attempt(
    subject: Subject<'_>,
    inputs: &Inputs,
    pool: &Pool<'_>,
    observer: &mut dyn Observer,
) -> Result<Reply, PluginCheckError> {
    let work = TrialWork {
        method: method_ref(subject.plugin, subject.method, subject.config),
        source: inputs.source.clone(),
        target: inputs.target.clone(),
        dataset: inputs.dataset.clone(),
        draw: subject.draw,
    };
    let name = format!("try {}", subject.method);
    single(name, Work::Try(Box::new(work)), pool, observer)
}

/// Compares a method on the source with another implementation, or writes what that needs.
///
/// # Errors
/// No worker can be started.
pub fn compare(
    subject: Subject<'_>,
    inputs: &Inputs,
    (batch, step): (usize, ComparisonStep),
    pool: &Pool<'_>,
    observer: &mut dyn Observer,
) -> Result<Reply, PluginCheckError> {
    let work = ComparisonWork {
        method: method_ref(subject.plugin, subject.method, subject.config),
        backbone: inputs.source.clone(),
        dataset: inputs.dataset.clone(),
        draw: subject.draw,
        batch,
        step,
    };
    let name = format!("compare {}", subject.method);
    single(name, Work::Compare(Box::new(work)), pool, observer)
}
