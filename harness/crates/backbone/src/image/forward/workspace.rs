//! Buffers that every block and every group of images uses again.

/// Buffers of a group of images.
#[derive(Default)]
pub(super) struct Workspace {
    /// The residual stream, `[images, S, D]`.
    pub(super) x: Vec<f32>,
    /// Patches, then queries, keys and values, `[images, S, 3 D]`.
    pub(super) wide: Vec<f32>,
    /// One for each part of the rows.
    pub(super) rooms: Vec<Room>,
}

/// Buffers of a part of a group's rows.
#[derive(Default)]
pub(super) struct Room {
    /// Normalised rows, then the heads' output.
    pub(super) rows: Vec<f32>,
    /// Hidden layer of the MLP.
    pub(super) hidden: Vec<f32>,
    /// The other half of a gated hidden layer.
    pub(super) gated: Vec<f32>,
    /// Attention weights of one head.
    pub(super) scores: Vec<f32>,
}

impl Workspace {
    /// Buffers for rows that are computed in some parts.
    pub(super) fn in_parts(parts: usize) -> Self {
        Self {
            rooms: (0..parts).map(|_| Room::default()).collect(),
            ..Self::default()
        }
    }
}

/// The first `length` values of a buffer that grows as needed; their content is arbitrary.
pub(super) fn take(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}
