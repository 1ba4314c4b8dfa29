//! Prompt batches: equivalences, gradients and refusals.

use candle_core::{Tensor, Var};
use harness_backbone::{
    Backbone, BackboneError, PromptBatch, Segment, TextEdit, TextTower, TokenRows,
};

use crate::common::{assert_close, backbone, backbones, noise, values, vjp};

fn load() -> Backbone {
    Backbone::load(&backbone("open-clip-quickgelu")).unwrap()
}

/// Start token, names of different lengths, end token.
fn names(tower: &TextTower) -> Vec<Vec<u32>> {
    let end = tower.end_token();
    vec![vec![5, 6, end], vec![7, end], vec![8, 9, 10, 11, end]]
}

fn coop(tower: &TextTower, context: &Tensor, groups: usize) -> PromptBatch {
    PromptBatch {
        groups,
        classes: 3,
        segments: vec![
            Segment::Tokens(TokenRows::Shared(vec![tower.end_token() - 1])),
            Segment::Context(context.clone()),
            Segment::Tokens(TokenRows::PerClass(names(tower))),
        ],
        edits: Vec::new(),
    }
}

fn replace(layer: usize, start: usize, tokens: &Tensor) -> TextEdit {
    TextEdit::ReplaceTokens {
        layer,
        start,
        tokens: tokens.clone(),
    }
}

/// Directional derivative of `f` at `x` by the fourth-order central difference.
fn slope(x: &Tensor, direction: &Tensor, f: impl Fn(&Tensor) -> Tensor) -> f64 {
    let h = 0.02;
    let at = |k: f64| {
        let moved = (x + (direction * (k * h)).unwrap()).unwrap();
        f64::from(values(&f(&moved))[0])
    };
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h)
}

/// Compares the gradient that `f` gives for `x` with finite differences along a few directions.
fn check_gradient(x: &Tensor, f: impl Fn(&Tensor) -> Tensor) {
    let var = Var::from_tensor(x).unwrap();
    let grads = f(&var).backward().unwrap();
    let grad = grads.get(&var).expect("a gradient");
    let size = values(&grad.sqr().unwrap().sum_all().unwrap())[0].sqrt();
    for seed in 1..5 {
        let direction = noise(seed, x.dims());
        let along = values(&(grad * &direction).unwrap().sum_all().unwrap())[0];
        let found = slope(x, &direction, &f);
        let error = (found - f64::from(along)).abs() / f64::from(size);
        assert!(error < 2e-3, "direction {seed}: {found} against {along}");
    }
}

#[test]
fn segments_equal_flat_token_rows() {
    let loaded = load();
    let tower = loaded.text();
    let (start, end) = (tower.end_token() - 1, tower.end_token());
    let batch = PromptBatch {
        groups: 2,
        classes: 2,
        segments: vec![
            Segment::Tokens(TokenRows::Shared(vec![start, 4])),
            Segment::Tokens(TokenRows::PerClass(vec![vec![], vec![9, 10, 11]])),
            Segment::Tokens(TokenRows::Shared(vec![3, end])),
        ],
        edits: Vec::new(),
    };
    let flat = [vec![start, 4, 3, end], vec![start, 4, 9, 10, 11, 3, end]];
    let found = tower.encode(&batch).unwrap();
    let expected = tower.encode_ids(&flat).unwrap();
    assert_eq!(found.dims(), [2, 2, loaded.dims().embed_dim]);
    for group in 0..2 {
        assert_close("group", &found.get(group).unwrap(), &expected, 1e-6);
    }
}

#[test]
fn a_context_of_token_embeddings_equals_those_tokens() {
    for folder in backbones() {
        let loaded = Backbone::load(&folder).unwrap();
        let tower = loaded.text();
        let context = tower.embed_tokens(&[20, 21]).unwrap();
        let context = context.reshape((1, 1, 2, ())).unwrap();
        let found = tower.encode(&coop(tower, &context, 1)).unwrap();
        let start = tower.end_token() - 1;
        let flat: Vec<Vec<u32>> = names(tower)
            .into_iter()
            .map(|name| [vec![start, 20, 21], name].concat())
            .collect();
        let expected = tower.encode_ids(&flat).unwrap();
        assert_close("context", &found.get(0).unwrap(), &expected, 1e-6);
    }
}

#[test]
fn an_edit_at_layer_0_equals_a_context_at_the_input() {
    let loaded = load();
    let tower = loaded.text();
    let width = loaded.dims().text.width;
    for shape in [
        [1, 1, 2, width],
        [2, 1, 2, width],
        [1, 3, 2, width],
        [2, 3, 2, width],
    ] {
        let context = noise(3, &shape);
        let direct = tower.encode(&coop(tower, &context, 2)).unwrap();
        let mut batch = coop(tower, &noise(4, &[1, 1, 2, width]), 2);
        batch.edits.push(replace(0, 1, &context));
        let edited = tower.encode(&batch).unwrap();
        assert_close("edit", &edited, &direct, 1e-6);
    }
}

#[test]
fn a_context_differs_by_group_and_class_where_it_says_so() {
    let loaded = load();
    let tower = loaded.text();
    let width = loaded.dims().text.width;
    let all = noise(5, &[2, 3, 2, width]);
    let whole = tower.encode(&coop(tower, &all, 2)).unwrap();
    for group in 0..2 {
        let one = all.narrow(0, group, 1).unwrap();
        let alone = tower.encode(&coop(tower, &one, 1)).unwrap();
        let found = whole.narrow(0, group, 1).unwrap();
        assert_close("group", &found, &alone, 1e-6);
    }
}

#[test]
fn a_class_alone_equals_the_class_among_others() {
    let loaded = load();
    let tower = loaded.text();
    let context = noise(6, &[1, 1, 3, loaded.dims().text.width]);
    let whole = tower.encode(&coop(tower, &context, 1)).unwrap();
    for (class, name) in names(tower).into_iter().enumerate() {
        let mut batch = coop(tower, &context, 1);
        batch.classes = 1;
        batch.segments[2] = Segment::Tokens(TokenRows::PerClass(vec![name]));
        let alone = tower.encode(&batch).unwrap();
        let found = whole.narrow(1, class, 1).unwrap();
        assert_close("class", &found, &alone, 2e-6);
    }
}

#[test]
fn what_follows_the_end_token_changes_nothing() {
    let loaded = load();
    let tower = loaded.text();
    let dims = tower.dims();
    let x = noise(7, &[4, dims.context_length, dims.width]);
    let ends = [3, 9, 5, 7];
    let whole = tower.encode_embeddings(&x, &ends).unwrap();
    let cut = x.narrow(1, 0, 10).unwrap();
    let cut = tower.encode_embeddings(&cut, &ends).unwrap();
    assert_eq!(values(&whole), values(&cut));
    // The same rows inside a full-length batch, where nothing can be cut.
    let last = dims.context_length - 1;
    let longer = tower.encode_embeddings(&x, &[3, 9, 5, last]).unwrap();
    for row in 0..3 {
        let (found, expected) = (whole.get(row).unwrap(), longer.get(row).unwrap());
        assert_close("row", &found, &expected, 2e-6);
    }
}

#[test]
fn gradients_of_contexts_match_finite_differences() {
    let loaded = load();
    let tower = loaded.text();
    let width = loaded.dims().text.width;
    let cotangent = noise(8, &[2, 3, loaded.dims().embed_dim]);
    for shape in [
        [1, 1, 2, width],
        [2, 1, 2, width],
        [1, 3, 2, width],
        [2, 3, 2, width],
    ] {
        check_gradient(&noise(9, &shape), |context| {
            let features = tower.encode(&coop(tower, context, 2)).unwrap();
            (features * &cotangent).unwrap().sum_all().unwrap()
        });
    }
}

#[test]
fn gradients_of_deep_replacements_match_finite_differences() {
    for name in ["open-clip-quickgelu", "open-clip-gelu"] {
        let loaded = Backbone::load(&backbone(name)).unwrap();
        let tower = loaded.text();
        let width = loaded.dims().text.width;
        let context = noise(10, &[1, 1, 3, width]);
        let cotangent = noise(11, &[1, 3, loaded.dims().embed_dim]);
        for (layer, classes) in [(0, 1), (1, 1), (1, 3), (loaded.dims().text.layers - 1, 1)] {
            check_gradient(&noise(12, &[1, classes, 2, width]), |tokens| {
                let mut batch = coop(tower, &context, 1);
                batch.edits.push(replace(layer, 2, tokens));
                let features = tower.encode(&batch).unwrap();
                (features * &cotangent).unwrap().sum_all().unwrap()
            });
        }
    }
}

#[test]
fn a_replacement_cuts_off_what_it_replaces() {
    let loaded = load();
    let tower = loaded.text();
    let width = loaded.dims().text.width;
    let context = Var::from_tensor(&noise(13, &[1, 1, 2, width])).unwrap();
    let deep = Var::from_tensor(&noise(14, &[1, 1, 2, width])).unwrap();
    let mut batch = coop(tower, &context, 1);
    batch.edits.push(replace(1, 1, &deep));
    let features = tower.encode(&batch).unwrap();
    let grads = vjp(&features, &noise(15, features.dims()));
    let size = |v: &Var| {
        let grad = grads.get(v).expect("a gradient");
        values(&grad.sqr().unwrap().sum_all().unwrap())[0]
    };
    // Tokens after the context saw it in block 0, so some of its gradient remains.
    assert!(size(&deep) > 0.0 && size(&context) > 0.0);
}

#[test]
fn repeated_runs_give_the_same_bits() {
    let loaded = load();
    let tower = loaded.text();
    let context = Var::from_tensor(&noise(16, &[1, 1, 4, loaded.dims().text.width])).unwrap();
    let run = || {
        let features = tower.encode(&coop(tower, &context, 1)).unwrap();
        let grads = vjp(&features, &noise(17, features.dims()));
        (values(&features), values(grads.get(&context).unwrap()))
    };
    assert_eq!(run(), run());
}

/// The message of a refused batch.
fn refusal(change: impl FnOnce(&mut PromptBatch)) -> String {
    let loaded = load();
    let tower = loaded.text();
    let context = noise(18, &[1, 1, 2, loaded.dims().text.width]);
    let mut batch = coop(tower, &context, 1);
    change(&mut batch);
    match tower.encode(&batch) {
        Err(BackboneError::Request(message)) => message,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

#[test]
fn requests_that_do_not_fit_are_refused_by_name() {
    let width = load().dims().text.width;
    let long = |n: usize| Segment::Tokens(TokenRows::Shared(vec![1; n]));
    let cases: [(String, &[&str]); 12] = [
        (
            refusal(|b| b.segments[1] = long(76)),
            &["class 0", "80 tokens", "77"],
        ),
        (
            refusal(|b| b.segments[0] = Segment::Tokens(TokenRows::Shared(vec![512]))),
            &["segment 0", "token id 512", "512 tokens"],
        ),
        (
            refusal(|b| b.classes = 4),
            &["segment 2", "4 classes", "found 3"],
        ),
        (refusal(|b| b.groups = 0), &["at least one group"]),
        (
            refusal(|b| b.segments[1] = Segment::Context(noise(1, &[1, 2, 2, width]))),
            &["context in segment 1", "3 or 1", "[1, 2, 2, 32]"],
        ),
        (
            refusal(|b| b.segments[1] = Segment::Context(noise(1, &[1, 1, 2, width + 1]))),
            &["context in segment 1", "33"],
        ),
        (
            refusal(|b| b.segments.truncate(2)),
            &["class 0", "end token 511", "found none"],
        ),
        (
            refusal(|b| b.segments.push(long(1))),
            &["class 0", "end token 511 at position 5 of 7"],
        ),
        (
            refusal(|b| b.edits.push(replace(3, 1, &noise(1, &[1, 1, 1, width])))),
            &["replacement at block 3", "0..3"],
        ),
        (
            refusal(|b| b.edits.push(replace(1, 3, &noise(1, &[1, 1, 2, width])))),
            &["positions 3..5", "end token", "5 tokens"],
        ),
        (
            refusal(|b| {
                b.edits
                    .push(replace(1, usize::MAX, &noise(1, &[1, 1, 2, width])))
            }),
            &["end token"],
        ),
        (
            refusal(|b| {
                b.edits.push(replace(1, 1, &noise(1, &[1, 1, 2, width])));
                b.edits.push(replace(1, 2, &noise(1, &[1, 1, 1, width])));
            }),
            &["overlap", "1..3"],
        ),
    ];
    for (message, parts) in cases {
        for part in parts {
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
    }
}

#[test]
fn embeddings_and_pixels_that_do_not_fit_are_refused() {
    let loaded = load();
    let tower = loaded.text();
    let width = loaded.dims().text.width;
    let messages = [
        tower.encode_embeddings(&noise(1, &[1, 78, width]), &[0]),
        tower.encode_embeddings(&noise(1, &[1, 4, width]), &[4]),
        tower.encode_embeddings(&noise(1, &[2, 4, width]), &[1]),
        tower.encode_embeddings(&noise(1, &[4, width]), &[1]),
        tower.embed_tokens(&[]),
        tower.embed_tokens(&[512]),
        tower.encode_ids(&[]),
        loaded.image().encode(&noise(1, &[1, 3, 32, 31])),
        loaded.image().encode(&noise(1, &[3, 32, 32])),
    ];
    for (i, result) in messages.into_iter().enumerate() {
        assert!(
            matches!(result, Err(BackboneError::Request(_))),
            "case {i}: {result:?}"
        );
    }
}

#[test]
fn image_gradients_match_finite_differences() {
    for folder in backbones() {
        let loaded = Backbone::load(&folder).unwrap();
        let side = loaded.dims().image.image_size;
        let cotangent = noise(20, &[2, loaded.dims().embed_dim]);
        check_gradient(&noise(19, &[2, 3, side, side]), |pixels| {
            let features = loaded.image().encode(pixels).unwrap();
            (features * &cotangent).unwrap().sum_all().unwrap()
        });
    }
}
