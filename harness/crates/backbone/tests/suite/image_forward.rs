//! Image features without a graph: what the graph computes, whatever the company of an image.

use candle_core::{Tensor, Var};
use harness_backbone::{Backbone, BiasMode, ImageEdit, WeightEdit};
use proptest::prelude::*;

use crate::common::{assert_close, backbones, noise, values};

pub(crate) fn pixels(backbone: &Backbone, seed: u64, images: usize) -> Tensor {
    let side = backbone.dims().image.image_size;
    noise(seed, &[images, 3, side, side])
}

/// Edits of every kind that keep no gradient, for a batch.
pub(crate) fn edits(backbone: &Backbone, seed: u64, images: usize, layer: usize) -> Vec<ImageEdit> {
    let dims = &backbone.dims().image;
    let (width, layer) = (dims.width, layer % dims.layers);
    let mut edits = vec![
        ImageEdit::AppendTokens(noise(seed, &[1, 2, width])),
        ImageEdit::AppendTokens(noise(seed + 1, &[images, 1, width])),
        ImageEdit::ReplaceTokens {
            layer,
            from_end: 3,
            tokens: noise(seed + 2, &[images, 2, width]),
        },
    ];
    // A third of the parameters, each time others.
    let parameters = backbone.dims().image_parameters();
    let chosen = parameters.iter().skip(seed as usize % 3).step_by(3);
    edits.extend(chosen.zip(seed..).map(|(parameter, seed)| {
        ImageEdit::Weight(match *parameter.shape {
            [outer, inner] => WeightEdit::LowRank {
                weight: parameter.name.clone(),
                a: noise(seed, &[2, inner]),
                b: noise(seed + 1, &[outer, 2]),
                scale: 0.1,
                dropout: None,
            },
            _ => WeightEdit::Bias {
                name: parameter.name.clone(),
                mode: BiasMode::Delta,
                value: noise(seed, &parameter.shape),
            },
        })
    }));
    edits
}

/// Sizes of a tower.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    is_eva: bool,
    heads: usize,
    /// A quarter of a head's width.
    quarter: usize,
    layers: usize,
    hidden: usize,
    patch: usize,
    grid: usize,
    embed: usize,
    quick_gelu: bool,
}

pub(crate) fn shape() -> impl Strategy<Value = Shape> {
    let numbers = (1usize..4, 1usize..6, 1usize..4, 1usize..90);
    let rest = (1usize..6, 1usize..9, 1usize..40);
    (any::<bool>(), numbers, rest, any::<bool>()).prop_map(
        |(is_eva, (heads, quarter, layers, hidden), (patch, grid, embed), quick_gelu)| Shape {
            is_eva,
            heads,
            quarter,
            layers,
            hidden,
            patch,
            grid,
            embed,
            quick_gelu,
        },
    )
}

impl Shape {
    /// The same with norms over 16 values or more: those over two or four enlarge rounding without bound.
    pub(crate) fn wide(self) -> Self {
        Self {
            quarter: self.quarter.max(4),
            hidden: self.hidden.max(16),
            ..self
        }
    }

    /// Images of several groups.
    pub(crate) fn of_many_tokens(is_eva: bool) -> Self {
        Self {
            is_eva,
            heads: 3,
            quarter: 5,
            layers: 3,
            hidden: 130,
            patch: 2,
            grid: 14,
            embed: 24,
            quick_gelu: false,
        }
    }

    /// A backbone of random weights, in open_clip's layout or EVA-CLIP's.
    pub(crate) fn backbone(self, seed: u64) -> Backbone {
        let Self {
            hidden,
            patch,
            embed,
            ..
        } = self;
        let (width, tokens) = (4 * self.quarter * self.heads, 1 + self.grid * self.grid);
        let mut list = Vec::new();
        let mut put = |name: String, shape: &[usize]| list.push((name, shape.to_vec()));
        let text = if self.is_eva { "text." } else { "" };
        for (name, shape) in [
            ("token_embedding.weight", vec![4, 8]),
            ("positional_embedding", vec![4, 8]),
            ("ln_final.weight", vec![8]),
            ("ln_final.bias", vec![8]),
            ("text_projection", vec![8, embed]),
        ] {
            put(format!("{text}{name}"), &shape);
        }
        put("logit_scale".into(), &[]);
        let mut plain = |at: String, width: usize, hidden: usize| {
            for (name, shape) in [
                ("attn.in_proj_weight", vec![3 * width, width]),
                ("attn.in_proj_bias", vec![3 * width]),
                ("attn.out_proj.weight", vec![width, width]),
                ("attn.out_proj.bias", vec![width]),
                ("mlp.c_fc.weight", vec![hidden, width]),
                ("mlp.c_fc.bias", vec![hidden]),
                ("mlp.c_proj.weight", vec![width, hidden]),
                ("mlp.c_proj.bias", vec![width]),
            ] {
                put(format!("{at}.{name}"), &shape);
            }
            for norm in ["ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias"] {
                put(format!("{at}.{norm}"), &[width]);
            }
        };
        plain(format!("{text}transformer.resblocks.0"), 8, 16);
        if !self.is_eva {
            for block in 0..self.layers {
                plain(
                    format!("visual.transformer.resblocks.{block}"),
                    width,
                    hidden,
                );
            }
            for (name, shape) in [
                ("class_embedding", vec![width]),
                ("positional_embedding", vec![tokens, width]),
                ("conv1.weight", vec![width, 3, patch, patch]),
                ("proj", vec![width, embed]),
            ] {
                put(format!("visual.{name}"), &shape);
            }
            for norm in [
                "ln_pre.weight",
                "ln_pre.bias",
                "ln_post.weight",
                "ln_post.bias",
            ] {
                put(format!("visual.{norm}"), &[width]);
            }
        } else {
            for block in 0..self.layers {
                for (name, shape) in [
                    ("attn.q_proj.weight", vec![width, width]),
                    ("attn.k_proj.weight", vec![width, width]),
                    ("attn.v_proj.weight", vec![width, width]),
                    ("attn.proj.weight", vec![width, width]),
                    ("mlp.w1.weight", vec![hidden, width]),
                    ("mlp.w2.weight", vec![hidden, width]),
                    ("mlp.w3.weight", vec![width, hidden]),
                ] {
                    put(format!("visual.blocks.{block}.{name}"), &shape);
                }
                let vectors = [
                    "norm1.weight",
                    "norm1.bias",
                    "norm2.weight",
                    "norm2.bias",
                    "attn.q_bias",
                    "attn.v_bias",
                    "attn.proj.bias",
                    "attn.inner_attn_ln.weight",
                    "attn.inner_attn_ln.bias",
                    "mlp.w3.bias",
                ];
                for name in vectors {
                    put(format!("visual.blocks.{block}.{name}"), &[width]);
                }
                for name in [
                    "mlp.w1.bias",
                    "mlp.w2.bias",
                    "mlp.ffn_ln.weight",
                    "mlp.ffn_ln.bias",
                ] {
                    put(format!("visual.blocks.{block}.{name}"), &[hidden]);
                }
            }
            for (name, shape) in [
                ("cls_token", vec![1, 1, width]),
                ("pos_embed", vec![1, tokens, width]),
                ("patch_embed.proj.weight", vec![width, 3, patch, patch]),
                ("patch_embed.proj.bias", vec![width]),
                ("norm.weight", vec![width]),
                ("norm.bias", vec![width]),
                ("head.weight", vec![embed, width]),
                ("head.bias", vec![embed]),
            ] {
                put(format!("visual.{name}"), &shape);
            }
        }
        let mut vision = serde_json::json!({"head_width": 4 * self.quarter});
        if self.is_eva {
            vision["eva_model_name"] = "random".into();
            vision["rope"] = true.into();
            vision["pt_hw_seq_len"] = 16.into();
            vision["intp_freq"] = true.into();
            vision["naiveswiglu"] = true.into();
            vision["subln"] = true.into();
        }
        let config = serde_json::json!({
            "embed_dim": embed,
            "quick_gelu": self.quick_gelu,
            "text_cfg": {"heads": 2},
            "vision_cfg": vision,
        });
        let drawn = list.into_iter().zip(seed..);
        let state = drawn.map(|((name, shape), seed)| (name, noise(seed, &shape)));
        Backbone::from_tensors(state.collect(), &config, None).unwrap()
    }
}

fn agree(backbone: &Backbone, seed: u64, images: usize, edits: &[ImageEdit]) {
    let pixels = pixels(backbone, seed, images);
    let found = backbone.image().encode_edited(&pixels, edits).unwrap();
    let expected = backbone
        .image()
        .encode_by_operations(&pixels, edits)
        .unwrap();
    assert_close("features", &found, &expected, 1e-5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_graph_computes_the_same(
        which in 0usize..5, seed in 0u64..1000, images in 1usize..40, layer in 0usize..8, edited: bool,
    ) {
        let folders = backbones();
        let backbone = Backbone::load(&folders[which % folders.len()]).unwrap();
        let edits = match edited {
            true => edits(&backbone, seed, images, layer),
            false => vec![],
        };
        agree(&backbone, seed, images, &edits);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_graph_of_any_shape_computes_the_same(
        shape in shape(), seed in 0u64..1000, images in 1usize..6, layer in 0usize..8, edited: bool,
    ) {
        let backbone = shape.backbone(seed);
        let edits = match edited {
            true => edits(&backbone, seed, images, layer),
            false => vec![],
        };
        agree(&backbone, seed, images, &edits);
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

/// Features of some images in some threads, as bits.
pub(crate) fn bits(backbone: &Backbone, pixels: &Tensor, threads: usize) -> Vec<u32> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let features = pool.install(|| backbone.image().encode(pixels).unwrap());
    values(&features).into_iter().map(f32::to_bits).collect()
}

#[test]
fn no_bit_depends_on_the_threads_that_share_an_image() {
    for is_eva in [false, true] {
        let backbone = Shape::of_many_tokens(is_eva).backbone(1);
        for images in [1, 5] {
            let pixels = pixels(&backbone, 2, images);
            let expected = bits(&backbone, &pixels, 1);
            for threads in [2, 3, 4, 7] {
                let found = bits(&backbone, &pixels, threads);
                assert!(found == expected, "{images} images, {threads} threads");
            }
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
