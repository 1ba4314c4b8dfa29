//! From pixels and the tokens of edits to the input of the first block.

use super::frozen::{Frozen, Sizes};

impl Frozen<'_> {
    /// The patches of some images as rows `[images, S, 3 p p]`.
    pub(super) fn patches(&self, first: usize, images: usize, patches: &mut [f32]) {
        let Sizes {
            side,
            patch,
            tokens,
            ..
        } = self.sizes;
        let pixels = &self.pixels[first * 3 * side * side..];
        write_patches(pixels, (side, patch, tokens), images, patches);
    }

    /// Class token, positions and appended tokens, `[images, S, D]`, to which the patches are added.
    pub(super) fn beginning(&self, first: usize, x: &mut [f32]) {
        let Sizes { tokens, width, .. } = self.sizes;
        for (image, x) in x.chunks_exact_mut(tokens * width).enumerate() {
            let (own, mut rest) = x.split_at_mut(self.start.len());
            own.copy_from_slice(&self.start);
            for appended in &self.appended {
                let (next, after) = rest.split_at_mut(appended.count * width);
                next.copy_from_slice(appended.of_image(first + image, width));
                rest = after;
            }
        }
    }

    /// Replaces tokens at the input of a block.
    pub(super) fn replace(&self, index: usize, first: usize, x: &mut [f32]) {
        let Sizes { tokens, width, .. } = self.sizes;
        for edit in self.replaced.iter().filter(|edit| edit.layer == index) {
            for (image, x) in x.chunks_exact_mut(tokens * width).enumerate() {
                let new = edit.tokens.of_image(first + image, width);
                x[edit.start * width..][..new.len()].copy_from_slice(new);
            }
        }
    }
}

/// Patches of images of `side` pixels as rows `[images, tokens, 3 p p]`; zeros for tokens that are none.
pub(in crate::image) fn write_patches(
    pixels: &[f32],
    (side, patch, tokens): (usize, usize, usize),
    images: usize,
    patches: &mut [f32],
) {
    let (grid, inner) = (side / patch, 3 * patch * patch);
    patches.fill(0.0);
    for image in 0..images {
        let pixels = &pixels[image * 3 * side * side..][..3 * side * side];
        let target = &mut patches[image * tokens * inner..][..tokens * inner];
        // Row 0 is the class token's.
        for (line, values) in pixels.chunks_exact(side).enumerate() {
            let (channel, y) = (line / side, line % side);
            let place = (channel * patch + y % patch) * patch;
            for (column, values) in values.chunks_exact(patch).take(grid).enumerate() {
                let row = 1 + (y / patch) * grid + column;
                target[row * inner + place..][..patch].copy_from_slice(values);
            }
        }
    }
}
