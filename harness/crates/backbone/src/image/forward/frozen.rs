//! A tower whose weights, pixels and edits carry no gradient.

use candle_core::Tensor;

use super::rows;
use super::weights::{Layer, Map, Norm, Values};
use crate::edits::Replacement;
use crate::error::Result;
use crate::image::ImageTower;
use crate::image::edits::TokenEdits;
use crate::ops::Rope;

/// The kernel sums products of one row, and those with at most this many results, in another order
/// than larger ones. They are enlarged, so that an image by itself gets the features it has in a batch.
const SMALL_PRODUCT: usize = 256;

/// The tower, with a batch of images.
pub(in crate::image) struct Frozen<'t> {
    pub(super) sizes: Sizes,
    pub(super) pixels: Values<'t>,
    pub(super) patch_weight: Map<'t>,
    /// What every image's tokens are before the patches are added, `[1 + P, D]`.
    pub(super) start: Vec<f32>,
    pub(super) appended: Vec<Tokens<'t>>,
    pub(super) replaced: Vec<Replaced<'t>>,
    pub(super) ln_pre: Option<Norm<'t>>,
    pub(super) layers: Vec<Layer<'t>>,
    pub(super) ln_post: Norm<'t>,
    pub(super) head: Map<'t>,
    pub(super) rope: Option<&'t Rope>,
}

/// Tokens `[B, n, D]` of an edit.
pub(super) struct Tokens<'t> {
    values: Values<'t>,
    pub(super) count: usize,
}

/// Tokens that take places from `start` on at the input of a block.
pub(super) struct Replaced<'t> {
    pub(super) layer: usize,
    pub(super) start: usize,
    pub(super) tokens: Tokens<'t>,
}

#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) images: usize,
    /// Pixels on a side of the image and of a patch.
    pub(super) side: usize,
    pub(super) patch: usize,
    /// Tokens of an image, appended ones included.
    pub(super) tokens: usize,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) embed: usize,
    /// Rows that every product is computed for at least.
    pub(super) least: usize,
}

impl Sizes {
    /// Rows that a product of `rows` rows is computed for. What the surplus holds is not read.
    pub(super) fn padded(&self, rows: usize) -> usize {
        rows.max(self.least)
    }

    pub(super) fn head_dim(&self) -> usize {
        self.width / self.heads
    }
}

impl<'t> Tokens<'t> {
    fn of(tokens: &'t Tensor) -> Result<Self> {
        Ok(Self {
            values: Values::of(tokens)?,
            count: tokens.dim(1)?,
        })
    }

    /// Of one image.
    pub(super) fn of_image(&self, image: usize, width: usize) -> &[f32] {
        let length = self.count * width;
        &self.values[image * length..(image + 1) * length]
    }
}

impl<'t> Frozen<'t> {
    /// None if a gradient may be asked for, or a change of a weight needs the graph.
    pub(in crate::image) fn of(
        tower: &'t ImageTower,
        pixels: &'t Tensor,
        edits: &'t TokenEdits,
    ) -> Result<Option<Self>> {
        let edited = edits.replaced().iter().map(|r| &r.tokens);
        let mut given = edits.appended().iter().chain(edited).chain([pixels]);
        if given.any(|tensor| tensor.track_op() || !tensor.is_contiguous()) || tower.is_tracked() {
            return Ok(None);
        }
        let layers = tower.blocks.iter().map(Layer::of);
        let layers: Option<Vec<_>> = layers.collect::<Result<Vec<_>>>()?.into_iter().collect();
        let (Some(layers), Some(head)) = (layers, Map::of(&tower.head)?) else {
            return Ok(None);
        };
        let appended = edits.appended().iter().map(Tokens::of);
        let appended = appended.collect::<Result<Vec<_>>>()?;
        let replaced = edits.replaced().iter().map(|edit: &Replacement| {
            Ok(Replaced {
                layer: edit.layer,
                start: edit.start,
                tokens: Tokens::of(&edit.tokens)?,
            })
        });
        let dims = &tower.dims;
        let hidden = layers.iter().map(|layer| layer.hidden.width()).min();
        let narrowest = hidden
            .unwrap_or(usize::MAX)
            .min(dims.width)
            .min(head.outer());
        let extra: usize = appended.iter().map(|tokens| tokens.count).sum();
        Ok(Some(Self {
            sizes: Sizes {
                images: pixels.dim(0)?,
                side: dims.image_size,
                patch: dims.patch_size,
                tokens: 1 + dims.patches + extra,
                width: dims.width,
                heads: dims.heads,
                embed: head.outer(),
                least: SMALL_PRODUCT / narrowest.max(1) + 2,
            },
            pixels: Values::of(pixels)?,
            patch_weight: Map::of_patches(&tower.patch_weight)?,
            start: start(tower)?,
            appended,
            replaced: replaced.collect::<Result<_>>()?,
            ln_pre: tower.ln_pre.as_ref().map(Norm::of).transpose()?,
            layers,
            ln_post: Norm::of(&tower.ln_post)?,
            head,
            rope: tower.attention.rope.as_deref(),
        }))
    }
}

/// Class token and positions, with the bias of the patches: `[1 + P, D]`.
fn start(tower: &ImageTower) -> Result<Vec<f32>> {
    let mut start = Values::of(&tower.positions)?.to_vec();
    let width = tower.dims.width;
    rows::add_bias(&Values::of(&tower.class_token)?, &mut start[..width]);
    if let Some(bias) = &tower.patch_bias {
        rows::add_bias(&Values::of(bias)?, &mut start[width..]);
    }
    Ok(start)
}
