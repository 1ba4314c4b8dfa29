//! Position embeddings of another grid.

use candle_core::{Device, Tensor};

use crate::checkpoint::{Architecture, Weights};
use crate::error::Result;
use crate::transform::{Filter, weights as filter_weights};

/// Class token and patches: `[1 + P, D]` of the tower's grid, from those of the grid that is stored.
///
/// As open_clip does (`resize_pos_embed`): the class token's is kept, the others are interpolated by
/// the antialiased bicubic filter with a = -0.5.
pub(super) fn load(
    weights: &mut Weights,
    architecture: &Architecture,
    name: &str,
    leading: &[usize],
) -> Result<Tensor> {
    let image = &architecture.dims.image;
    let (old, new) = (
        architecture.stored_grid,
        image.image_size / image.patch_size,
    );
    let width = image.width;
    let shape = [leading, &[old * old + 1, width]].concat();
    let stored = weights.take(name, &shape)?;
    if old == new || weights.is_placeholder() {
        return Ok(stored);
    }
    let values = stored.flatten_all()?.to_vec1::<f32>()?;
    let (class, patches) = values.split_at(width);
    let mut resized = class.to_vec();
    resized.extend(interpolate(patches, (old, new), width));
    Ok(Tensor::from_vec(
        resized,
        (new * new + 1, width),
        &Device::Cpu,
    )?)
}

/// A square grid of vectors at another size, rows and then columns.
fn interpolate(patches: &[f32], (old, new): (usize, usize), width: usize) -> Vec<f32> {
    let windows = filter_weights(old, new, Filter::Bicubic);
    // One line of vectors, `step` apart, becomes another.
    let line = |from: &[f32], step: usize, out: &mut [f32], out_step: usize| {
        for (at, (first, shares)) in windows.iter().enumerate() {
            let target = &mut out[at * out_step..at * out_step + width];
            for (offset, share) in shares.iter().enumerate() {
                let source = &from[(first + offset) * step..][..width];
                for (sum, value) in target.iter_mut().zip(source) {
                    *sum += (*share * f64::from(*value)) as f32;
                }
            }
        }
    };
    let mut rows = vec![0.0; old * new * width];
    for row in 0..old {
        let from = &patches[row * old * width..];
        line(from, width, &mut rows[row * new * width..], width);
    }
    let mut out = vec![0.0; new * new * width];
    for column in 0..new {
        let from = &rows[column * width..];
        line(from, new * width, &mut out[column * width..], new * width);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_grids_stay_constant_and_ramps_stay_ordered() {
        let constant = interpolate(&[0.5; 9 * 2], (3, 5), 2);
        assert_eq!(constant.len(), 50);
        assert!(constant.iter().all(|value| (value - 0.5).abs() < 1e-6));
        let ramp: Vec<f32> = (0..16).map(|at| (at % 4) as f32).collect();
        let found = interpolate(&ramp, (4, 2), 1);
        assert!(found[0] < found[1] && (found[0] - found[2]).abs() < 1e-6);
    }
}
