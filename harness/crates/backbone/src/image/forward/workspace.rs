//! Buffers of a group of images.

/// Everything between pixels and features, used again by every block and every group.
#[derive(Default)]
pub(super) struct Workspace {
    /// The residual stream, `[images, S, D]`.
    pub(super) x: Vec<f32>,
    /// Normalised rows, then the heads' output, `[images, S, D]`.
    pub(super) rows: Vec<f32>,
    /// Patches; queries, keys and values; hidden layer of the MLP.
    pub(super) wide: Vec<f32>,
    /// The other half of a gated hidden layer.
    pub(super) gated: Vec<f32>,
    /// Attention weights of one head.
    pub(super) scores: Vec<f32>,
}

/// The first `length` values of a buffer that grows as needed; their content is arbitrary.
pub(super) fn take(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}
