//! Image features without a graph: what the graph computes, whatever the company of an image.

use candle_core::{Tensor, Var};
use harness_backbone::{Backbone, BiasMode, ImageEdit, WeightEdit};
use proptest::prelude::*;

use crate::common::{assert_close, backbones, noise, values};

fn pixels(backbone: &Backbone, seed: u64, images: usize) -> Tensor {
    let side = backbone.dims().image.image_size;
    noise(seed, &[images, 3, side, side])
}

/// Edits of every kind that keep no gradient, for a batch.
fn edits(backbone: &Backbone, seed: u64, images: usize, layer: usize) -> Vec<ImageEdit> {
    let dims = &backbone.dims().image;
    let (width, layer) = (dims.width, layer % dims.layers);
    let bias = backbone.image().parameter("ln_post.bias").unwrap();
    vec![
        ImageEdit::AppendTokens(noise(seed, &[1, 2, width])),
        ImageEdit::AppendTokens(noise(seed + 1, &[images, 1, width])),
        ImageEdit::ReplaceTokens {
            layer,
            from_end: 3,
            tokens: noise(seed + 2, &[images, 2, width]),
        },
        ImageEdit::Weight(WeightEdit::Bias {
            name: "ln_post.bias".into(),
            mode: BiasMode::Delta,
            value: noise(seed + 3, bias.dims()),
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_graph_computes_the_same(
        which in 0usize..5, seed in 0u64..1000, images in 1usize..40, layer in 0usize..8, edited: bool,
    ) {
        let folders = backbones();
        let backbone = Backbone::load(&folders[which % folders.len()]).unwrap();
        let pixels = pixels(&backbone, seed, images);
        let edits = match edited {
            true => edits(&backbone, seed, images, layer),
            false => vec![],
        };
        let found = backbone.image().encode_edited(&pixels, &edits).unwrap();
        let expected = backbone.image().encode_by_operations(&pixels, &edits).unwrap();
        assert_close("features", &found, &expected, 1e-5);
    }
}

#[test]
fn no_bit_depends_on_the_images_beside() {
    for folder in backbones() {
        let backbone = Backbone::load(&folder).unwrap();
        let all = pixels(&backbone, 7, 70);
        let together = backbone.image().encode(&all).unwrap();
        for (first, count) in [(0, 1), (69, 1), (3, 2), (20, 31), (1, 69)] {
            let some = all.narrow(0, first, count).unwrap();
            let found = backbone.image().encode(&some).unwrap();
            let expected = together.narrow(0, first, count).unwrap();
            let what = format!("{count} images from {first} on {}", folder.display());
            assert!(values(&found) == values(&expected), "{what}");
        }
    }
}

#[test]
fn tracked_pixels_and_edits_get_their_gradient() {
    let backbone = Backbone::load(&backbones()[0]).unwrap();
    let pixels = Var::from_tensor(&pixels(&backbone, 3, 2)).unwrap();
    let width = backbone.dims().image.width;
    let tokens = Var::from_tensor(&noise(4, &[1, 2, width])).unwrap();
    let edits = [ImageEdit::AppendTokens(tokens.as_tensor().clone())];
    let features = backbone.image().encode_edited(&pixels, &edits).unwrap();
    let gradients = features
        .sqr()
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap();
    assert!(gradients.get(&pixels).is_some() && gradients.get(&tokens).is_some());
    let plain = backbone
        .image()
        .encode_edited(&pixels.detach(), &edits[..0]);
    assert!(!plain.unwrap().track_op());
}
