//! From a module file and paths of images to predictions.

use std::path::{Path, PathBuf};

use harness_abi::wire::Class;
use harness_data::Summary;

use super::error::PredictError;
use super::job::{PredictJob, Prediction};
use crate::analysis::AnalysisError;
use crate::analysis::images;
use crate::job::{BackboneRef, JobOutput, MethodRef, Presence, Work};
use crate::registry::{
    ModuleFile, NamedPlugins, PresentBackbone, Registry, SearchPath, find_dataset,
};
use crate::schedule::{Observer, Pool, PoolTask};
use crate::suite::DatasetEntry;

/// Images of a job: few enough that workers share them and that their pixels fit.
const BATCH: usize = 64;
/// Unreadable images that a message names.
const NAMED: usize = 5;

/// What is to be predicted.
#[derive(Clone, Copy, Debug)]
pub struct PredictRequest<'a> {
    pub module: &'a Path,
    /// A name or a path.
    pub backbone: &'a str,
    /// Image files, or folders of them.
    pub images: &'a [PathBuf],
    /// The data set that classes and templates are of; by default those of the module's header.
    pub dataset: Option<&'a str>,
    /// Labels that are wanted of each image, at least 1.
    pub top: usize,
}

/// What a module says of some images.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// In the order of the request, folders in byte order of the paths in them.
    pub images: Vec<PathBuf>,
    /// One an image.
    pub predictions: Vec<Prediction>,
    /// Names in label order.
    pub classes: Vec<String>,
    /// What is read of the backbone otherwise than it is stored, a line each.
    pub notes: Vec<String>,
}

/// Classifies images with a module in a backbone, and with the backbone's zero-shot.
///
/// # Errors
/// The module, the backbone, the data set or an image cannot be used, or a worker failed. No
/// prediction is returned unless all images were read.
pub fn predict(
    search_path: SearchPath,
    request: PredictRequest<'_>,
    pool: &Pool<'_>,
    observer: &mut dyn Observer,
) -> Result<Predictions, PredictError> {
    let module = ModuleFile::read(request.module)?;
    let paths = list(request.images)?;
    let PresentBackbone {
        name,
        files,
        architecture,
    } = PresentBackbone::read(&search_path, request.backbone)?;
    let (dataset, classes, templates) = classes(&module, request.dataset, &search_path)?;
    let registry = Registry::discover(search_path, &NamedPlugins::default(), pool, None, observer)?;
    let header = &module.header;
    let no_method = || PredictError::NoMethod {
        path: module.path.clone(),
        method: header.method.clone(),
    };
    let (plugin, _) = registry.method(&header.method).ok_or_else(no_method)?;
    let job = PredictJob {
        method: MethodRef {
            plugin: plugin.reference.clone(),
            plugin_sha256: plugin.sha256.clone(),
            id: header.method.clone(),
            config: header.config.clone(),
        },
        backbone: BackboneRef {
            name: name.clone(),
            files: Presence::Present(files),
        },
        module: module.path.clone(),
        dataset,
        classes,
        templates,
        images: Vec::new(),
        top: request.top,
    };
    let batches = paths.chunks(BATCH).enumerate();
    let tasks: Vec<PoolTask> = batches
        .map(|(at, batch)| PoolTask {
            name: format!("images {} to {}", at * BATCH + 1, at * BATCH + batch.len()),
            work: Work::Predict(Box::new(PredictJob {
                images: batch.to_vec(),
                ..job.clone()
            })),
            needs: Vec::new(),
            weight: batch.len() as f64,
            log: None,
        })
        .collect();
    let results = pool.run(&tasks, observer, &mut |_, result| Ok(result))?;
    let mut predictions = Vec::with_capacity(paths.len());
    let mut unreadable = Vec::new();
    for result in results {
        let output = result.output().map_err(|source| PredictError::Task {
            path: module.path.clone(),
            backbone: name.clone(),
            source,
        })?;
        match output {
            JobOutput::Predicted {
                predictions: own,
                unreadable: bad,
            } => {
                predictions.extend(own);
                unreadable.extend(bad);
            }
            _ => return Err(PredictError::Unexpected),
        }
    }
    if !unreadable.is_empty() {
        let more = if unreadable.len() > NAMED {
            "; …"
        } else {
            ""
        };
        return Err(PredictError::Unreadable {
            unreadable: unreadable.len(),
            images: paths.len(),
            named: unreadable[..unreadable.len().min(NAMED)].join("; ") + more,
        });
    }
    Ok(Predictions {
        images: paths,
        predictions,
        classes: job.classes.into_iter().map(|class| class.name).collect(),
        notes: architecture.notes,
    })
}

/// The image files, those of folders by their paths.
fn list(named: &[PathBuf]) -> Result<Vec<PathBuf>, AnalysisError> {
    let mut paths = Vec::new();
    for path in named {
        let unusable = |reason: String| AnalysisError::Input {
            path: path.clone(),
            reason,
        };
        match std::fs::metadata(path) {
            Err(error) => return Err(unusable(error.to_string())),
            Ok(found) if found.is_dir() => {
                let names = images::list(path)?;
                paths.extend(names.iter().map(|name| path.join(name)));
            }
            Ok(_) => paths.push(path.clone()),
        }
    }
    for path in &paths {
        if path.to_str().is_none() {
            return Err(AnalysisError::Input {
                path: path.clone(),
                reason: "the name is not UTF-8".to_owned(),
            });
        }
    }
    Ok(paths)
}

/// Name, classes and templates of a data set, or of the one in the module's header.
fn classes(
    module: &ModuleFile,
    dataset: Option<&str>,
    search_path: &SearchPath,
) -> Result<(String, Vec<Class>, Vec<String>), PredictError> {
    if let Some(name) = dataset {
        let (path, opening) = find_dataset(search_path, &DatasetEntry::named(name), "")?;
        let summary = Summary::read(&path, &opening)?;
        let classes = summary.classes.into_iter().map(|class| Class {
            id: class.id,
            name: class.name,
        });
        return Ok((summary.name, classes.collect(), summary.templates));
    }
    let header = &module.header;
    let origin = header.origin.as_ref();
    let origin = origin.ok_or_else(|| PredictError::NoClasses {
        path: module.path.clone(),
    })?;
    let classes = header.classes.iter().zip(&origin.class_names);
    let classes = classes.map(|(id, name)| Class {
        id: id.clone(),
        name: name.clone(),
    });
    Ok((
        header.dataset.clone(),
        classes.collect(),
        origin.templates.clone(),
    ))
}
