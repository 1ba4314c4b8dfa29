//! The engine against the reference path: features and gradients of random requests.

use candle_core::{Tensor, Var};
use harness_backbone::{
    Backbone, BiasMode, Dropout, PromptBatch, Segment, TextEdit, TextTower, TokenRows, WeightEdit,
};
use proptest::prelude::*;

use crate::common::{assert_close, backbones, noise, values, vjp};

/// A request in numbers, with its trained tensors by shape.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    seed: u64,
    groups: usize,
    /// Tokens of each class's name.
    names: Vec<Vec<u32>>,
    /// Whether the first context has a row a group and a class.
    context: (bool, bool),
    length: usize,
    /// Whether a second context stands behind the first.
    twice: bool,
    /// Whether words stand for the contexts, so that nothing is trained at the input.
    words: bool,
    /// Block, whether it differs by class, of replaced tokens.
    deep: Vec<(usize, bool)>,
    /// Parameters that are changed, by their index among those that can be named.
    edited: Vec<usize>,
    dropout: bool,
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let name = prop::collection::vec(3u32..7, 0..6);
    (
        any::<u64>(),
        1usize..4,
        prop::collection::vec(name, 1..12),
        any::<(bool, bool)>(),
        1usize..5,
        any::<(bool, bool)>(),
        prop::collection::vec((0usize..3, any::<bool>()), 0..2),
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        any::<bool>(),
    )
        .prop_map(
            |(seed, groups, names, context, length, (twice, words), deep, edited, dropout)| Case {
                seed,
                groups,
                names,
                context,
                length,
                twice,
                words,
                deep,
                edited: edited.iter().map(|i| i.index(1000)).collect(),
                dropout,
            },
        )
}

fn batch(backbone: &Backbone, case: &Case, vars: &mut Vec<Var>) -> PromptBatch {
    let tower = backbone.text();
    let dims = tower.dims();
    let (classes, end) = (case.names.len(), tower.end_token());
    let mut seed = case.seed;
    let mut tensor = |shape: &[usize]| {
        seed = seed.wrapping_add(1);
        let var = Var::from_tensor(&noise(seed, shape)).unwrap();
        vars.push(var.clone());
        var.as_tensor().clone()
    };
    let rows = |many: bool, count| if many { count } else { 1 };
    let shape = [
        rows(case.context.0, case.groups),
        rows(case.context.1, classes),
        case.length,
        dims.width,
    ];
    let mut segments = vec![Segment::Tokens(TokenRows::Shared(vec![end - 1]))];
    if case.words {
        let words = (0..case.length as u32).map(|i| 3 + i % 4).collect();
        segments.push(Segment::Tokens(TokenRows::Shared(words)));
    } else {
        segments.push(Segment::Context(tensor(&shape)));
    }
    if case.twice && !case.words {
        segments.push(Segment::Context(tensor(&[1, 1, 2, dims.width])));
    }
    let names = case.names.iter().map(|name| [&name[..], &[end]].concat());
    segments.push(Segment::Tokens(TokenRows::PerClass(names.collect())));
    let mut edits = Vec::new();
    for (layer, by_class) in &case.deep {
        let tokens = tensor(&[1, rows(*by_class, classes), case.length, dims.width]);
        edits.push(TextEdit::ReplaceTokens {
            layer: layer % dims.layers,
            start: 1,
            tokens,
        });
    }
    let parameters = backbone.dims().text_parameters();
    let mut edited: Vec<_> = case.edited.iter().map(|i| i % parameters.len()).collect();
    edited.sort_unstable();
    edited.dedup();
    for index in edited {
        let parameter = &parameters[index];
        edits.push(TextEdit::Weight(match *parameter.shape {
            [outer, inner] => WeightEdit::LowRank {
                weight: parameter.name.clone(),
                a: tensor(&[2, inner]),
                b: tensor(&[outer, 2]),
                scale: 0.3,
                dropout: case.dropout.then_some(Dropout {
                    rate: 0.25,
                    seed: 3,
                }),
            },
            _ => WeightEdit::Bias {
                name: parameter.name.clone(),
                mode: BiasMode::Delta,
                value: tensor(&parameter.shape),
            },
        }));
    }
    PromptBatch {
        groups: case.groups,
        classes,
        segments,
        edits,
    }
}

/// Features and the gradients of all trained tensors.
fn run(
    batch: &PromptBatch,
    vars: &[Var],
    encode: impl Fn(&PromptBatch) -> Tensor,
) -> (Tensor, Vec<Option<Tensor>>) {
    let features = encode(batch);
    let grads = vjp(&features, &noise(99, features.dims()));
    let grads = vars.iter().map(|var| grads.get(var).cloned()).collect();
    (features, grads)
}

fn agree(case: &Case) {
    compare(case, Clone::clone, TextTower::encode_reference, 1e-5);
}

/// Features and gradients of a request on every backbone, as `place` gives it, against those of
/// another way.
pub(crate) fn compare(
    case: &Case,
    place: impl Fn(&Backbone) -> Backbone,
    other: impl Fn(&TextTower, &PromptBatch) -> harness_backbone::Result<Tensor>,
    tolerance: f32,
) {
    for folder in backbones() {
        let loaded = Backbone::load(&folder).unwrap();
        let mut vars = Vec::new();
        let batch = batch(&loaded, case, &mut vars);
        let placed = place(&loaded);
        let (features, grads) = run(&batch, &vars, |b| placed.text().encode(b).unwrap());
        // Again, with what the first step left of the blocks below everything that is trained.
        let again = run(&batch, &vars, |b| placed.text().encode(b).unwrap());
        assert_eq!(bits_of(&again), bits_of(&(features.clone(), grads.clone())));
        let (expected, expected_grads) = run(&batch, &vars, |b| other(loaded.text(), b).unwrap());
        let what = folder.display().to_string();
        assert_close(&what, &features, &expected, tolerance);
        // Gradients as one vector: those of keys' biases are zero but for rounding.
        let largest = |grads: &[Option<Tensor>]| {
            let all = grads.iter().flatten().flat_map(values);
            all.fold(0f32, |m, v| m.max(v.abs()))
        };
        // Where they alone are trained, that is all there is, of cotangents of about 1.
        let scale = largest(&expected_grads).max(0.1);
        for (i, (found, expected)) in grads.iter().zip(&expected_grads).enumerate() {
            let (Some(found), Some(expected)) = (found, expected) else {
                assert!(
                    expected
                        .as_ref()
                        .is_none_or(|e| largest(&[Some(e.clone())]) == 0.0),
                    "{what}: tensor {i} got no gradient"
                );
                continue;
            };
            let far = values(found)
                .iter()
                .zip(values(expected))
                .fold(0f32, |m, (f, e)| m.max((f - e).abs()));
            assert!(
                far <= tolerance * scale,
                "{what}: tensor {i} is off by {far:e} of {scale:e}"
            );
        }
    }
}

/// Bits of the features and gradients of a tower in some threads.
fn bits(tower: &TextTower, batch: &PromptBatch, vars: &[Var], threads: usize) -> Vec<u32> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    bits_of(&pool.install(|| run(batch, vars, |b| tower.encode(b).unwrap())))
}

fn bits_of((features, grads): &(Tensor, Vec<Option<Tensor>>)) -> Vec<u32> {
    let all = std::iter::once(features).chain(grads.iter().flatten());
    all.flat_map(values).map(f32::to_bits).collect()
}

#[test]
fn neither_memory_nor_threads_change_a_bit() {
    let names = (0..90u32).map(|i| vec![3 + i / 30, 4, 4, 5, 6 + i % 30, 7]);
    let names: Vec<Vec<u32>> = names.collect();
    for (context, words) in [
        ((false, false), false),
        ((false, true), false),
        ((true, false), false),
        ((false, false), true),
    ] {
        let case = Case {
            seed: 11,
            groups: 3,
            names: names.clone(),
            context,
            length: 4,
            twice: false,
            words,
            deep: vec![(2, true)],
            edited: if words { Vec::new() } else { vec![2, 9] },
            // Dropout takes the sharing away.
            dropout: context.1,
        };
        let loaded = Backbone::load(&backbones()[0]).unwrap();
        let mut vars = Vec::new();
        let batch = batch(&loaded, &case, &mut vars);
        let whole = bits(loaded.text(), &batch, &vars, 1);
        for (limit, threads) in [(0, 1), (0, 3), (1 << 20, 2), (1 << 30, 3)] {
            let tower = loaded.text().clone().with_activation_limit(limit);
            let found = bits(&tower, &batch, &vars, threads);
            assert!(found == whole, "{limit} bytes, {threads} threads");
        }
    }
}

/// Other weights, another block and other words each have lower blocks of their own.
#[test]
fn what_lower_blocks_left_serves_the_same_request_alone() {
    let case = Case {
        seed: 5,
        groups: 1,
        names: vec![vec![3, 4], vec![5], vec![4, 4, 6]],
        context: (false, false),
        length: 2,
        twice: false,
        words: true,
        deep: vec![(2, false)],
        edited: Vec::new(),
        dropout: false,
    };
    let loaded = Backbone::load(&backbones()[0]).unwrap();
    let parameters = loaded.dims().text_parameters();
    let bias = parameters
        .iter()
        .find(|p| p.name == "blocks.0.mlp.proj.bias");
    let mut others = Vec::new();
    for change in 0..4 {
        let mut case = case.clone();
        match change {
            1 => case.deep = vec![(1, false)],
            2 => case.names[1] = vec![6],
            _ => {}
        }
        let mut vars = Vec::new();
        let mut batch = batch(&loaded, &case, &mut vars);
        if change == 3 {
            let bias = bias.expect("a bias of the first block");
            batch.edits.push(TextEdit::Weight(WeightEdit::Bias {
                name: bias.name.clone(),
                mode: BiasMode::Delta,
                value: noise(8, &bias.shape),
            }));
        }
        others.push((batch, vars));
    }
    for (batch, vars) in others.iter().chain(&others) {
        let found = run(batch, vars, |b| loaded.text().encode(b).unwrap());
        let expected = run(batch, vars, |b| loaded.text().encode_reference(b).unwrap());
        assert_close("features", &found.0, &expected.0, 1e-5);
        let pair = (&found.1[0], &expected.1[0]);
        let (Some(found), Some(expected)) = pair else {
            panic!("no gradient")
        };
        assert_close("gradient", found, expected, 1e-4);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn engine_and_reference_agree(case in case()) {
        agree(&case);
    }
}

#[test]
fn many_classes_with_common_beginnings_agree() {
    for case in many_classes() {
        agree(&case);
    }
}

/// Enough rows for several chunks and for nodes below the context.
pub(crate) fn many_classes() -> impl Iterator<Item = Case> {
    let names = (0..90u32).map(|i| vec![3 + i / 30, 4, 4, 5, 6 + i % 30, 7]);
    let names: Vec<Vec<u32>> = names.collect();
    let contexts = [(false, false), (false, true), (true, false)];
    contexts.into_iter().map(move |context| Case {
        seed: 7,
        groups: 2,
        names: names.clone(),
        context,
        length: 4,
        twice: false,
        words: false,
        deep: vec![(1, false)],
        edited: vec![],
        dropout: false,
    })
}

#[test]
fn tensors_that_begin_alike_get_gradients_of_their_own() {
    // Class-specific contexts are often equal before the first step; they are not one context.
    let loaded = Backbone::load(&backbones()[0]).unwrap();
    let tower = loaded.text();
    let (width, end) = (tower.dims().width, tower.end_token());
    let one = noise(5, &[1, 1, 2, width]);
    let context = Var::from_tensor(&Tensor::cat(&[&one, &one], 1).unwrap()).unwrap();
    let names = vec![vec![5, end], vec![9, 4, end]];
    let batch = PromptBatch {
        groups: 1,
        classes: 2,
        segments: vec![
            Segment::Tokens(TokenRows::Shared(vec![end - 1])),
            Segment::Context(context.as_tensor().clone()),
            Segment::Tokens(TokenRows::PerClass(names)),
        ],
        edits: Vec::new(),
    };
    let features = tower.encode(&batch).unwrap();
    let grads = vjp(&features, &noise(6, features.dims()));
    let grad = grads.get(&context).unwrap();
    let (first, second) = (grad.narrow(1, 0, 1).unwrap(), grad.narrow(1, 1, 1).unwrap());
    assert_ne!(values(&first), values(&second));
}
