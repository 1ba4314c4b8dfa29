//! What a plugin talks to, for a job.

use std::sync::Arc;

use harness_host::boundary::{HostBench, TaskData, backbone_facts};

use super::channel::Channel;
use super::error::JobError;
use super::state::LoadedBackbone;
use crate::job::BackboneRef;

/// The host's side of a backbone and a task. Progress goes to `channel` under the job's id.
pub(super) fn bench(
    reference: &BackboneRef,
    loaded: &LoadedBackbone,
    task: TaskData,
    (id, channel): (u64, &Channel),
) -> Result<HostBench, JobError> {
    let LoadedBackbone {
        backbone,
        class_features,
    } = loaded;
    let facts = backbone_facts(&reference.name, backbone.dims());
    let path = &reference.files()?.path;
    let words = backbone.tokenizer().ok_or_else(|| {
        JobError::Failed(format!(
            "{}: no tokenizer.json beside the weights, so prompts cannot be tokenized",
            path.display()
        ))
    })?;
    let channel = channel.clone();
    Ok(HostBench::new(
        facts,
        Arc::clone(backbone),
        Arc::clone(class_features),
        Arc::new(words.clone()),
        task,
        Box::new(move |done, total| {
            channel
                .progress(id, done, total)
                .map_err(|error| format!("cannot reach the scheduler: {error}").into())
        }),
    ))
}
