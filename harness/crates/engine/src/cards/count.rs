//! How many numbers each method trains, from its declarations.

use std::collections::BTreeMap;

use harness_abi::wire::{Class, ParameterShape, Role};
use harness_backbone::Dims;

use crate::job::{Declaration, JobOutput, Work};
use crate::registry::RegisteredPlugin;
use crate::schedule::{Pool, PoolError, PoolTask, Silent, TaskError, TaskResult};
use harness_host::boundary::{backbone_facts, setting, task_facts};

/// Numbers that a method trains in a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// `None` if it cannot be injected.
    pub trained: Option<u64>,
    /// Whether the number of classes decides.
    pub per_class: bool,
    /// Whether the number of training images decides.
    pub per_image: bool,
}

/// Why a plugin could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("cannot count the parameters of {plugin}: {source}")]
    Plugin {
        plugin: String,
        source: DeclarationError,
    },
}

/// Why a plugin did not say what it would train.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeclarationError {
    #[error(transparent)]
    Worker(#[from] TaskError),
    #[error("expected the parameters of methods from the worker, found {0:?}")]
    Unexpected(Box<JobOutput>),
}

/// What every method of some plugins trains with its default configuration, by its
/// id, in a backbone of these dimensions, with `classes` classes of `shots` images.
///
/// # Errors
/// A worker cannot be started, or a plugin fails in it.
pub fn counts(
    plugins: &[&RegisteredPlugin],
    (name, dims): (&str, &Dims),
    (classes, shots): (usize, usize),
    pool: &Pool<'_>,
) -> Result<BTreeMap<String, Count>, CardError> {
    let list: Vec<Class> = (0..classes)
        .map(|class| Class {
            id: format!("class{class}"),
            name: format!("class{class}"),
        })
        .collect();
    let task = task_facts("counting", list, &["a photo of a {}.".to_owned()]);
    let setting = setting(backbone_facts(name, dims), Role::Target, task);
    let tasks: Vec<PoolTask> = plugins
        .iter()
        .map(|plugin| PoolTask {
            name: format!("declare {}", plugin.path.display()),
            work: Work::Declare {
                plugin: plugin.reference.clone(),
                setting: Box::new(setting.clone()),
            },
            needs: Vec::new(),
            log: None,
            weight: 1.0,
        })
        .collect();
    let results = pool.run(&tasks, &mut Silent, &mut |_, result| Ok(result))?;
    let mut counts = BTreeMap::new();
    for (plugin, result) in plugins.iter().zip(results) {
        let methods = declared(result).map_err(|source| CardError::Plugin {
            plugin: plugin.path.display().to_string(),
            source,
        })?;
        for (id, declaration) in methods {
            counts.insert(id, count(&declaration, classes * shots));
        }
    }
    Ok(counts)
}

fn declared(result: TaskResult) -> Result<BTreeMap<String, Declaration>, DeclarationError> {
    match result.output()? {
        JobOutput::Declared { methods } => Ok(methods),
        other => Err(DeclarationError::Unexpected(Box::new(other))),
    }
}

fn count(declaration: &Declaration, images: usize) -> Count {
    let Declaration::Parameters(parameters) = declaration else {
        return Count {
            trained: None,
            per_class: false,
            per_image: false,
        };
    };
    let trained = || parameters.iter().filter(|parameter| !parameter.fixed);
    // An open dimension is the number of training images.
    let numbers = |parameter: &ParameterShape| -> u64 {
        let dims = parameter.shape.iter();
        dims.map(|&dim| if dim == 0 { images } else { dim } as u64)
            .product()
    };
    Count {
        trained: Some(trained().map(numbers).sum()),
        per_class: trained().any(|parameter| parameter.class_axis.is_some()),
        per_image: trained().any(|parameter| parameter.shape.contains(&0)),
    }
}
