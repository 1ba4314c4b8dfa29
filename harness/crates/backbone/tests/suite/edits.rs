//! Edits inside the towers: equivalences, gradients, names and refusals.

use candle_core::{Tensor, Var};
use harness_backbone::{
    Backbone, BackboneError, BiasMode, Dropout, ImageEdit, PromptBatch, Segment, TextEdit,
    TokenRows, WeightEdit,
};

use crate::common::{assert_close, backbone, backbones, distance, golden, noise, tensors, values};

fn pixels(backbone: &Backbone, images: usize) -> Tensor {
    let side = backbone.dims().image.image_size;
    noise(21, &[images, 3, side, side])
}

fn low_rank(name: &str, a: &Tensor, b: &Tensor, dropout: Option<Dropout>) -> WeightEdit {
    WeightEdit::LowRank {
        weight: name.into(),
        a: a.clone(),
        b: b.clone(),
        scale: 0.7,
        dropout,
    }
}

fn bias(name: &str, mode: BiasMode, value: &Tensor) -> WeightEdit {
    WeightEdit::Bias {
        name: name.into(),
        mode,
        value: value.clone(),
    }
}

fn prompts(backbone: &Backbone, edits: Vec<TextEdit>) -> PromptBatch {
    let end = backbone.text().end_token();
    let rows = vec![vec![end - 1, 5, 6, end], vec![end - 1, 7, 8, 9, end]];
    PromptBatch {
        groups: 1,
        classes: 2,
        segments: vec![Segment::Tokens(TokenRows::PerClass(rows))],
        edits,
    }
}

fn image(backbone: &Backbone, edits: &[ImageEdit]) -> Tensor {
    let pixels = pixels(backbone, 2);
    backbone.image().encode_edited(&pixels, edits).unwrap()
}

fn text(backbone: &Backbone, edits: Vec<WeightEdit>) -> Tensor {
    let edits = edits.into_iter().map(TextEdit::Weight).collect();
    let prompts = prompts(backbone, edits);
    backbone
        .text()
        .encode(&prompts)
        .unwrap()
        .squeeze(0)
        .unwrap()
}

/// Every gradient of `sum(f(inputs) * noise)` against finite differences along itself.
fn check_gradients(what: &str, inputs: &[Tensor], f: impl Fn(&[Tensor]) -> Tensor) {
    let cotangent = noise(22, f(inputs).dims());
    let loss = |inputs: &[Tensor]| (f(inputs) * &cotangent).unwrap().sum_all().unwrap();
    let vars: Vec<Var> = inputs
        .iter()
        .map(|input| Var::from_tensor(input).unwrap())
        .collect();
    let tracked: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let grads = loss(&tracked).backward().unwrap();
    for (i, var) in vars.iter().enumerate() {
        let grad = grads.get(var).expect("a gradient");
        let size = values(&grad.sqr().unwrap().sum_all().unwrap())[0].sqrt();
        let direction = (grad / f64::from(size)).unwrap();
        let h = 0.02;
        let at = |k: f64| {
            let mut moved = inputs.to_vec();
            moved[i] = (&moved[i] + (&direction * (k * h)).unwrap()).unwrap();
            f64::from(values(&loss(&moved))[0])
        };
        let slope = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h);
        let error = (slope - f64::from(size)).abs() / f64::from(size);
        assert!(error < 5e-3, "{what}, input {i}: {slope} against {size}");
    }
}

#[test]
fn golden_appended_tokens_are_not_rotated() {
    let folder = golden().join("methods/inject-eva02-image-tokens.safetensors");
    let case = tensors(&folder);
    let loaded = Backbone::load(&golden().join("backbones/open-clip-eva02")).unwrap();
    let batched = |name: &str| case[name].unsqueeze(0).unwrap();
    let edits = [
        ImageEdit::AppendTokens(batched("tokens")),
        ImageEdit::ReplaceTokens {
            layer: 1,
            from_end: 2,
            tokens: batched("layer1"),
        },
    ];
    let found = loaded.image().encode_edited(&case["pixels"], &edits);
    assert_close("tokens", &found.unwrap(), &case["image_features"], 1e-4);
}

#[test]
fn every_listed_parameter_can_be_edited_and_a_change_of_nothing_gives_the_same_bits() {
    for folder in backbones() {
        let loaded = Backbone::load(&folder).unwrap();
        let (plain_text, plain_image) = (text(&loaded, vec![]), image(&loaded, &[]));
        let nothing = |name: &str, shape: &[usize]| match *shape {
            [outer, inner] => low_rank(
                name,
                &noise(1, &[2, inner]),
                &Tensor::zeros(
                    (outer, 2),
                    candle_core::DType::F32,
                    &candle_core::Device::Cpu,
                )
                .unwrap(),
                None,
            ),
            _ => bias(
                name,
                BiasMode::Delta,
                &noise(1, shape).zeros_like().unwrap(),
            ),
        };
        let something = |name: &str, shape: &[usize]| match *shape {
            [outer, inner] => low_rank(name, &noise(1, &[2, inner]), &noise(2, &[outer, 2]), None),
            _ => bias(name, BiasMode::Delta, &noise(1, shape)),
        };
        let (texts, images) = (
            loaded.dims().text_parameters(),
            loaded.dims().image_parameters(),
        );
        let all = |list: &[harness_backbone::NamedParameter]| -> Vec<WeightEdit> {
            list.iter().map(|p| nothing(&p.name, &p.shape)).collect()
        };
        assert_eq!(values(&text(&loaded, all(&texts))), values(&plain_text));
        let edits: Vec<_> = all(&images).into_iter().map(ImageEdit::Weight).collect();
        assert_eq!(values(&image(&loaded, &edits)), values(&plain_image));
        for p in &texts {
            let changed = text(&loaded, vec![something(&p.name, &p.shape)]);
            let invisible = p.name.ends_with("attn.k.bias");
            assert_eq!(
                distance(&changed, &plain_text) < 1e-5,
                invisible,
                "text {}",
                p.name
            );
        }
        for p in &images {
            let edit = ImageEdit::Weight(something(&p.name, &p.shape));
            let changed = image(&loaded, &[edit]);
            // A bias of the keys moves all scores of a query alike.
            let invisible = p.name.ends_with("attn.k.bias");
            assert_eq!(
                distance(&changed, &plain_image) < 1e-5,
                invisible,
                "image {}",
                p.name
            );
        }
    }
}

#[test]
fn gradients_of_image_edits_match_finite_differences() {
    for folder in backbones() {
        let loaded = Backbone::load(&folder).unwrap();
        let dims = &loaded.dims().image;
        let (d, m) = (dims.width, dims.mlp);
        let hidden = if dims.has_rope { "mlp.up" } else { "mlp.fc" };
        let inputs = [
            noise(1, &[1, 2, d]),
            noise(2, &[2, 1, d]),
            noise(3, &[2, d]),
            noise(4, &[d, 2]),
            noise(5, &[3, d]),
            noise(6, &[m, 3]),
            noise(7, &[d]),
            noise(8, &[d]),
            noise(9, &[d]),
        ];
        check_gradients(&folder.display().to_string(), &inputs, |t| {
            let dropout = Some(Dropout { rate: 0.3, seed: 5 });
            let edits = [
                ImageEdit::AppendTokens(t[0].clone()),
                ImageEdit::ReplaceTokens {
                    layer: 1,
                    from_end: 1,
                    tokens: t[1].clone(),
                },
                ImageEdit::Weight(low_rank("blocks.0.attn.q.weight", &t[2], &t[3], dropout)),
                ImageEdit::Weight(low_rank(
                    &format!("blocks.1.{hidden}.weight"),
                    &t[4],
                    &t[5],
                    dropout,
                )),
                ImageEdit::Weight(bias("blocks.1.attn.v.bias", BiasMode::Replace, &t[6])),
                ImageEdit::Weight(bias("blocks.0.ln_2.weight", BiasMode::Delta, &t[7])),
                ImageEdit::Weight(bias("ln_post.bias", BiasMode::Delta, &t[8])),
            ];
            image(&loaded, &edits)
        });
    }
}

#[test]
fn gradients_of_text_edits_match_finite_differences() {
    for folder in backbones() {
        let loaded = Backbone::load(&folder).unwrap();
        let d = loaded.dims().text.width;
        let inputs = [
            noise(1, &[2, d]),
            noise(2, &[d, 2]),
            noise(3, &[d]),
            noise(4, &[d]),
            noise(5, &[d]),
        ];
        check_gradients(&folder.display().to_string(), &inputs, |t| {
            let edits = vec![
                low_rank("blocks.1.attn.v.weight", &t[0], &t[1], None),
                bias("blocks.0.attn.q.bias", BiasMode::Replace, &t[2]),
                bias("blocks.2.mlp.proj.bias", BiasMode::Delta, &t[3]),
                bias("ln_final.weight", BiasMode::Delta, &t[4]),
            ];
            text(&loaded, edits)
        });
    }
}

#[test]
fn tokens_at_the_input_equal_their_replacement_at_block_0() {
    for folder in backbones() {
        let loaded = Backbone::load(&folder).unwrap();
        let d = loaded.dims().image.width;
        let (first, second) = (noise(1, &[1, 2, d]), noise(2, &[1, 2, d]));
        let appended = image(&loaded, &[ImageEdit::AppendTokens(second.clone())]);
        let replaced = image(
            &loaded,
            &[
                ImageEdit::AppendTokens(first),
                ImageEdit::ReplaceTokens {
                    layer: 0,
                    from_end: 2,
                    tokens: second,
                },
            ],
        );
        assert_eq!(values(&appended), values(&replaced));
    }
}

#[test]
fn an_image_alone_equals_the_image_among_others() {
    let loaded = Backbone::load(&backbone("open-clip-eva02")).unwrap();
    let tokens = noise(3, &[3, 2, loaded.dims().image.width]);
    let pixels = pixels(&loaded, 3);
    let encode = |pixels: &Tensor, tokens: &Tensor| {
        let edits = [ImageEdit::AppendTokens(tokens.clone())];
        loaded.image().encode_edited(pixels, &edits).unwrap()
    };
    let whole = encode(&pixels, &tokens);
    for row in 0..3 {
        let part = |t: &Tensor| t.narrow(0, row, 1).unwrap();
        assert_close(
            "row",
            &part(&whole),
            &encode(&part(&pixels), &part(&tokens)),
            2e-6,
        );
    }
}

#[test]
fn edits_that_do_not_fit_are_refused_by_name() {
    let eva = Backbone::load(&backbone("open-clip-eva02")).unwrap();
    let d = eva.dims().image.width;
    let refusal = |edit: ImageEdit| match eva.image().encode_edited(&pixels(&eva, 2), &[edit]) {
        Err(BackboneError::Request(message) | BackboneError::NotOffered(message)) => message,
        other => panic!("expected a refusal, found {other:?}"),
    };
    let named = |name: &str, width: usize| {
        ImageEdit::Weight(bias(name, BiasMode::Replace, &noise(1, &[width])))
    };
    let replace = |layer, from_end| ImageEdit::ReplaceTokens {
        layer,
        from_end,
        tokens: noise(1, &[1, 2, d]),
    };
    let rank = |name: &str, a: [usize; 2], b: [usize; 2]| {
        ImageEdit::Weight(low_rank(name, &noise(1, &a), &noise(1, &b), None))
    };
    let places = 1 + eva.dims().image.patches;
    let q = "blocks.0.attn.q.weight";
    let cases: [(ImageEdit, &[&str]); 10] = [
        (
            named("blocks.0.attn.k.bias", d),
            &["no parameter `blocks.0.attn.k.bias`"],
        ),
        (
            named("blocks.0.mlp.fc.bias", d),
            &["no parameter `blocks.0.mlp.fc.bias`"],
        ),
        (named("ln_pre.bias", d), &["no parameter `ln_pre.bias`"]),
        (
            named("ln_post.bias", d + 1),
            &["ln_post.bias", "expected f32 [64]", "[65]"],
        ),
        (named(q, d), &["found the weight of a linear map"]),
        (
            rank("ln_post.weight", [2, d], [d, 2]),
            &["needs the weight of a linear map"],
        ),
        (
            rank(q, [2, d], [d, 3]),
            &["expected f32 [64, 2]", "[64, 3]"],
        ),
        (replace(9, 2), &["image block 9", "blocks 0.."]),
        (replace(0, 1), &["2 tokens that start 1 before the end"]),
        (replace(0, places), &["do not fit between the class token"]),
    ];
    for (edit, parts) in cases {
        let message = refusal(edit);
        for part in parts {
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
    }
}
