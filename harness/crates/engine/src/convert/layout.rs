//! Whether tensors are a backbone's.

use harness_backbone::{BackboneError, CheckpointLayout};
use harness_checkpoint::Inspected;

/// The name of the layout that the tensors of a file have.
///
/// # Errors
/// Why they are no backbone that is supported.
pub fn backbone_layout(inspected: &Inspected) -> Result<&'static str, BackboneError> {
    let shapes = inspected.tensors.iter().map(|(name, tensor)| {
        let shape = tensor.shape.iter().map(|side| *side as usize).collect();
        (name.clone(), shape)
    });
    let layout = CheckpointLayout::recognise("the file", shapes);
    layout.map(|layout| layout.name())
}
