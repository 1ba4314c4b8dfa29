//! The image tower's pass by hand against the graph of operations: features and gradients of what
//! methods train.

use candle_core::{Tensor, Var};
use harness_backbone::{Backbone, BiasMode, Dropout, ImageEdit, WeightEdit};
use proptest::prelude::*;

use crate::common::{assert_close, backbones, noise, values, vjp};
use crate::image_forward::{Shape, pixels, shape};

/// What is trained of a tower.
#[derive(Debug, Clone, Copy)]
struct Trained {
    /// Tokens behind the patches.
    appended: bool,
    /// A block at whose input tokens are replaced.
    replaced: Option<usize>,
    /// Every so many of the named parameters, counted from the last.
    parameters: Option<usize>,
    dropout: bool,
}

fn trained() -> impl Strategy<Value = Trained> {
    let replaced = prop::option::of(0usize..8);
    let parameters = prop::option::of(1usize..9);
    (any::<bool>(), replaced, parameters, any::<bool>()).prop_map(
        |(appended, replaced, parameters, dropout)| Trained {
            appended,
            replaced,
            parameters,
            dropout,
        },
    )
}

fn edits(
    backbone: &Backbone,
    seed: u64,
    images: usize,
    trained: Trained,
) -> (Vec<ImageEdit>, Vec<Var>) {
    let dims = &backbone.dims().image;
    let (mut vars, mut next) = (Vec::new(), seed);
    let mut tensor = |shape: &[usize]| {
        next += 1;
        let var = Var::from_tensor(&noise(next, shape)).unwrap();
        vars.push(var.clone());
        var.as_tensor().clone()
    };
    let mut edits = Vec::new();
    if trained.appended {
        edits.push(ImageEdit::AppendTokens(tensor(&[1, 2, dims.width])));
        edits.push(ImageEdit::AppendTokens(tensor(&[images, 1, dims.width])));
    }
    if let Some(layer) = trained.replaced {
        let count = if trained.appended || dims.patches > 1 {
            2
        } else {
            1
        };
        edits.push(ImageEdit::ReplaceTokens {
            layer: layer % dims.layers,
            from_end: count,
            tokens: tensor(&[1, count, dims.width]),
        });
    }
    if let Some(step) = trained.parameters {
        let parameters = backbone.dims().image_parameters();
        for parameter in parameters.iter().rev().step_by(step) {
            edits.push(ImageEdit::Weight(match *parameter.shape {
                [outer, inner] => WeightEdit::LowRank {
                    weight: parameter.name.clone(),
                    a: tensor(&[2, inner]),
                    b: tensor(&[outer, 2]),
                    scale: 0.1,
                    dropout: trained.dropout.then_some(Dropout {
                        rate: 0.25,
                        seed: 9,
                    }),
                },
                _ => WeightEdit::Bias {
                    name: parameter.name.clone(),
                    mode: BiasMode::Delta,
                    value: tensor(&parameter.shape),
                },
            }));
        }
    }
    (edits, vars)
}

/// Features and the gradients of all trained tensors.
fn run(features: Tensor, vars: &[Var]) -> (Tensor, Vec<Tensor>) {
    let grads = vjp(&features, &noise(99, features.dims()));
    let grads = vars.iter().map(|var| match grads.get(var) {
        Some(grad) => grad.clone(),
        None => var.zeros_like().unwrap(),
    });
    (features, grads.collect())
}

fn agree(backbone: &Backbone, seed: u64, images: usize, trained: Trained, tolerance: f32) {
    let pixels = pixels(backbone, seed, images);
    let (edits, vars) = edits(backbone, seed, images, trained);
    if vars.is_empty() {
        return;
    }
    let tower = backbone.image();
    let (found, grads) = run(tower.encode_edited(&pixels, &edits).unwrap(), &vars);
    let expected = tower.encode_by_operations(&pixels, &edits).unwrap();
    let (expected, expected_grads) = run(expected, &vars);
    assert_close("features", &found, &expected, 1e-5);
    // Gradients as one vector: those of keys' biases are zero but for rounding.
    let all = expected_grads.iter().flat_map(values);
    let scale = all.fold(0.1f32, |m, v| m.max(v.abs()));
    for (i, (found, expected)) in grads.iter().zip(&expected_grads).enumerate() {
        assert_eq!(found.dims(), expected.dims());
        for (found, expected) in values(found).iter().zip(values(expected)) {
            let far = (found - expected).abs();
            assert!(
                far <= tolerance * scale,
                "tensor {i} is off by {far:e} of {scale:e}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn towers_of_any_shape_train_as_the_graph_does(
        shape in shape().prop_map(Shape::wide), seed in 0u64..1000, images in 1usize..6, trained in trained(),
    ) {
        // A norm may still meet a row that hardly varies, and enlarge the rounding of both ways.
        agree(&shape.backbone(seed), seed, images, trained, 3e-5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn golden_backbones_train_as_the_graph_does(
        which in 0usize..5, seed in 0u64..1000, images in 1usize..40, trained in trained(),
    ) {
        let folders = backbones();
        let backbone = Backbone::load(&folders[which % folders.len()]).unwrap();
        agree(&backbone, seed, images, trained, 1e-5);
    }
}

#[test]
fn neither_memory_nor_threads_change_a_bit_of_a_training() {
    for is_eva in [false, true] {
        let backbone = Shape::of_many_tokens(is_eva).backbone(1);
        let trained = Trained {
            appended: true,
            replaced: Some(1),
            parameters: Some(1),
            dropout: true,
        };
        let pixels = pixels(&backbone, 2, 13);
        let (edits, vars) = edits(&backbone, 3, 13, trained);
        let bits = |limit: usize, threads: usize| -> Vec<u32> {
            let pool = rayon::ThreadPoolBuilder::new();
            let pool = pool.num_threads(threads).build().unwrap();
            let backbone = backbone.clone().with_activation_limit(limit);
            let (features, grads) = pool.install(|| {
                let features = backbone.image().encode_edited(&pixels, &edits);
                run(features.unwrap(), &vars)
            });
            let all = std::iter::once(&features).chain(&grads).flat_map(values);
            all.map(f32::to_bits).collect()
        };
        let whole = bits(1 << 30, 1);
        for (limit, threads) in [(0, 1), (0, 3), (6 << 20, 2), (1 << 30, 3)] {
            let found = bits(limit, threads);
            assert!(found == whole, "{limit} bytes, {threads} threads");
        }
    }
}
