//! Memory and disk that a unit takes.

use harness_abi::wire::{DataNeed, Family};
use harness_backbone::{Dims, ImageDims, TextDims};

use super::CostModel;
use crate::images::FeaturePrecision;
use crate::job::UnitWork;
use crate::plan::Unit;

/// Bytes of a worker that has loaded a plugin and nothing else.
const WORKER: u64 = 48 << 20;
/// Backbones that a worker keeps.
const BACKBONES: u64 = 2;
/// Bytes of features that a worker keeps.
const FEATURES: u64 = 256 << 20;
/// Bytes of a stored result for each test image: two classes and two probabilities, as text.
const RESULT: u64 = 32;
/// Bytes of a number.
const NUMBER: u64 = 4;

/// Bytes that a unit needs while it runs and leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Footprint {
    pub(crate) memory: u64,
    pub(crate) disk: u64,
}

impl CostModel<'_> {
    /// Roughly: weights, features, logits and, in trainings, activations; on disk features,
    /// predictions and modules. The text tower keeps no more activations than a worker's share of
    /// the memory allows. `parameters` are the trained numbers, if they are known.
    pub(crate) fn footprint(&self, unit: &Unit, parameters: Option<u64>) -> Footprint {
        let (dims, size) = self.place(unit);
        let joint = dims.embed_dim as u64 * NUMBER;
        let (test, classes) = (size.test as u64, size.classes as u64);
        let loaded = WORKER + BACKBONES * NUMBER * weights(dims);
        let logits = test.saturating_mul(classes).saturating_mul(NUMBER);
        let evaluated = |drawn: u64| {
            let features = test.saturating_add(drawn).saturating_mul(joint);
            loaded + features.min(FEATURES) + logits
        };
        let result = test.saturating_mul(RESULT);
        match &unit.work {
            UnitWork::Survey { .. } => Footprint::default(),
            UnitWork::Features {
                portion, images, ..
            } => {
                let bytes = match images.precision {
                    FeaturePrecision::F32 => joint,
                    FeaturePrecision::F16 => joint / 2,
                };
                Footprint {
                    memory: loaded,
                    disk: (size.rows(portion) as u64).saturating_mul(bytes),
                }
            }
            UnitWork::ZeroShot { .. } | UnitWork::Inject { .. } => Footprint {
                memory: evaluated(0),
                disk: result,
            },
            UnitWork::Train { draw, .. } => {
                let drawn = size.drawn(*draw) as u64;
                let module = parameters.unwrap_or(0).saturating_mul(NUMBER);
                let kept = self.method(unit).map_or(0, |method| {
                    let tokens = classes.saturating_mul(size.longest() as u64);
                    let text = tokens.saturating_mul(text_activations(&dims.text, size.longest()));
                    let batch = (method.recipe().batch as u64).min(drawn);
                    let image = batch.saturating_mul(image_activations(&dims.image));
                    let image = image.min(self.activations / 2);
                    let text = match method.card.family {
                        Family::Features => 0,
                        _ => text.min(self.activations),
                    };
                    match method.card.data {
                        DataNeed::Pixels => text.saturating_add(image),
                        _ => text,
                    }
                });
                Footprint {
                    // The module with its gradient and two moments.
                    memory: evaluated(drawn).saturating_add(kept) + 4 * module,
                    disk: result + module,
                }
            }
        }
    }
}

/// Numbers of both towers.
fn weights(dims: &Dims) -> u64 {
    let Dims {
        embed_dim,
        text,
        image,
    } = dims;
    let inner = if image.has_rope { 3 } else { 2 };
    let text_blocks = text.layers * text.width * (4 * text.width + 2 * text.mlp);
    let image_blocks = image.layers * image.width * (4 * image.width + inner * image.mlp);
    let tokens = text.width * (text.vocab_size + text.context_length);
    let patches = image.width * (3 * image.patch_size * image.patch_size + image.patches);
    let heads = embed_dim * (text.width + image.width);
    (text_blocks + image_blocks + tokens + patches + heads) as u64
}

/// Bytes that a token leaves for the gradients in a prompt of `tokens`: the inputs of norms, maps and
/// activation, and the attention's weights.
fn text_activations(dims: &TextDims, tokens: usize) -> u64 {
    let attention = dims.heads * tokens;
    (dims.layers * (8 * dims.width + 2 * dims.mlp + 2 * attention)) as u64 * NUMBER
}

/// Bytes that an image leaves for the gradients. Attention's weights are computed again.
fn image_activations(dims: &ImageDims) -> u64 {
    let hidden = if dims.has_rope { 3 } else { 1 };
    let token = dims.layers * (6 * dims.width + hidden * dims.mlp);
    (token * (dims.patches + 1)) as u64 * NUMBER
}

#[cfg(test)]
mod tests {
    use harness_backbone::{clip_b16, clip_l14};

    use super::*;

    /// Parameters that OpenAI's model cards and open_clip's profile state, to three digits.
    #[test]
    fn weights_are_those_of_the_published_models() {
        for (dims, published) in [(clip_b16(), 149.6e6), (clip_l14(), 427.6e6)] {
            let found = weights(&dims) as f64;
            assert!((found / published - 1.0).abs() < 5e-3, "{found}");
        }
    }
}
