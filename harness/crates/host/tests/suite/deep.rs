//! Modules with sites in the image tower, across architectures and beside each other.

use harness_abi::wire::{RecipeChanges, Split, TrainJob};
use harness_host::plugin::MethodHandle;
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
use serde_json::{Value, json};

use crate::{
    plugins::{plugin, recipe},
    reference::{MethodTask, assert_close, committed, tensors, values},
};

fn open(package: &str, id: &str, config: &Value) -> MethodHandle {
    let plugin = plugin(&format!("harness-plugin-{package}"));
    plugin.open(id, config).unwrap()
}

fn train(method: &MethodHandle, task: &MethodTask, recipe: RecipeChanges) -> Vec<u8> {
    let job = TrainJob {
        seed: 3,
        recipe,
        check_gradients: false,
    };
    let trained = method.train(task.training().object(), &job).unwrap();
    trained.module
}

fn inject(method: &MethodHandle, task: &MethodTask, module: &[u8]) -> (Vec<f32>, Vec<u8>) {
    let predictor = method.inject(task.evaluation().object(), module).unwrap();
    let rows: Vec<u32> = (0..task.batch() as u32).collect();
    let logits = predictor.logits(Split::Test, &rows, task.classes());
    (logits.unwrap(), predictor.module().unwrap())
}

/// The carried tensors without their header, by name.
fn carried(module: &[u8]) -> Vec<(String, Vec<u8>)> {
    let file = SafeTensors::deserialize(module).unwrap();
    let mut tensors: Vec<_> = file
        .iter()
        .map(|(name, view)| (name.to_owned(), view.data().to_vec()))
        .collect();
    tensors.sort();
    tensors
}

/// Tokens of VPT in EVA02's image tower, which leaves them unrotated.
#[test]
fn golden_image_tokens_injected_into_eva02() {
    let path = committed().join("methods/inject-eva02-image-tokens.safetensors");
    let case = tensors(&path);
    let task = MethodTask::of(&committed(), "open-clip-eva02")
        .with_images(&case["pixels"], &case["image_features"]);
    let method = open("deep-prompts", "vpt", &json!({"tokens": 2, "depth": 2}));
    let template = train(&method, &task, recipe(json!({"epochs": 0})));
    let (_, metadata) = SafeTensors::read_metadata(&template).unwrap();
    let buffers: Vec<_> = ["layer1", "tokens"]
        .iter()
        .map(|name| {
            let bytes: Vec<u8> = values(&case[*name])
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect();
            (*name, case[*name].dims().to_vec(), bytes)
        })
        .collect();
    let views = buffers.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (*name, view)
    });
    let module = serialize(views, metadata.metadata().clone()).unwrap();
    let predictor = method.inject(task.evaluation().object(), &module).unwrap();
    let rows: Vec<u32> = (0..case["pixels"].dim(0).unwrap() as u32).collect();
    let found = predictor
        .logits(Split::Test, &rows, task.classes())
        .unwrap();
    let bench = task.evaluation();
    let classes = bench.class_embeddings().unwrap();
    let expected = bench.zero_shot(&case["image_features"], &classes).unwrap();
    assert_close("logits", &found, &values(&expected));
}

#[test]
fn what_has_no_counterpart_stays_out_and_in_the_module() {
    let clip = MethodTask::of(&committed(), "open-clip-quickgelu");
    let eva = MethodTask::of(&committed(), "open-clip-eva02");
    for (id, config) in [
        ("bitfit", json!({"towers": "both"})),
        ("bitfit", json!({"towers": "both", "mode": "delta"})),
        ("clipfit", json!({})),
    ] {
        let method = open("bitfit", id, &config);
        let recipe = recipe(json!({"epochs": 1, "batch": 4}));
        let module = train(&method, &clip, recipe.clone());
        let names: Vec<_> = carried(&module).into_iter().map(|(n, _)| n).collect();
        assert!(names.contains(&"image.ln_pre.bias".to_owned()), "{names:?}");
        let (logits, after) = inject(&method, &eva, &module);
        assert!(logits.iter().all(|v| v.is_finite()));
        assert_eq!(after, module, "{id}: changed on the target");
        // And back: what EVA02 alone has stays out of CLIP.
        let module = train(&method, &eva, recipe);
        let (_, after) = inject(&method, &clip, &module);
        assert_eq!(after, module, "{id}: changed on the way back");
    }
}

#[test]
fn promptsrc_without_regularisation_is_ivlp() {
    let task = MethodTask::load();
    let recipe = recipe(json!({"epochs": 2, "batch": 4, "lr": 0.01}));
    let promptsrc = json!({
        "text_tokens": 2, "image_tokens": 2, "depth": 3, "average": null,
        "teacher_templates": ["a photo of a {}."],
        "text_weight": 0.0, "image_weight": 0.0, "logit_weight": 0.0,
    });
    let promptsrc = open("promptsrc", "promptsrc", &promptsrc);
    let ivlp = open("deep-prompts", "ivlp", &json!({}));
    let one = carried(&train(&promptsrc, &task, recipe.clone()));
    let other = carried(&train(&ivlp, &task, recipe));
    assert_eq!(one, other);
}

#[test]
fn deltas_and_replacements_are_the_same_on_the_source() {
    let task = MethodTask::load();
    let logits = |mode: &str| {
        let config = json!({"towers": "both", "mode": mode});
        let method = open("bitfit", "bitfit", &config);
        let module = train(&method, &task, recipe(json!({"epochs": 2, "batch": 4})));
        inject(&method, &task, &module).0
    };
    assert_close("delta", &logits("delta"), &logits("replace"));
}
