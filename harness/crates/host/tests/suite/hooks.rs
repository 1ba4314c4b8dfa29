//! The hooks of a method do what they say, and what the zero-init invariances ask.

use candle_core::Tensor;
use harness_abi::wire::{RecipeChanges, Split, TrainJob};
use harness_host::{boundary::HostBench, plugin::MethodHandle};
use serde_json::{Value, json};

use crate::{
    plugins::{plugin, recipe},
    reference::{MethodTask, assert_close},
};

fn open(package: &str, id: &str, config: &Value) -> MethodHandle {
    plugin(package).open(id, config).unwrap()
}

fn fixture(id: &str, config: &Value) -> MethodHandle {
    open("harness-fixture-methods", id, config)
}

/// The module, and its carried tensors without the header.
fn train(method: &MethodHandle, task: &MethodTask, recipe: RecipeChanges) -> (Vec<u8>, Vec<u8>) {
    train_on(method, &task.training(), recipe)
}

fn train_on(method: &MethodHandle, bench: &HostBench, recipe: RecipeChanges) -> (Vec<u8>, Vec<u8>) {
    let job = TrainJob {
        seed: 3,
        recipe,
        check_gradients: false,
    };
    let trained = method.train(bench.object(), &job).unwrap();
    let header = u64::from_le_bytes(trained.module[..8].try_into().unwrap());
    let tensors = trained.module[8 + header as usize..].to_vec();
    (trained.module, tensors)
}

fn logits(method: &MethodHandle, task: &MethodTask, module: &[u8]) -> Vec<f32> {
    let predictor = method.inject(task.evaluation().object(), module).unwrap();
    let rows: Vec<u32> = (0..task.batch() as u32).collect();
    predictor
        .logits(Split::Test, &rows, task.classes())
        .unwrap()
}

#[test]
fn the_average_over_epochs_is_the_weighted_mean_of_the_modules() {
    let task = MethodTask::load();
    let at = |weights: Value| {
        let method = fixture("averaged", &json!({"weights": weights}));
        train(
            &method,
            &task,
            recipe(json!({"epochs": 3, "batch": 4, "lr": 0.5})),
        )
        .1
    };
    let plain = at(Value::Null);
    assert_eq!(at(json!([0.0, 0.0, 1.0])), plain);
    let values = |bytes: &[u8]| -> Vec<f32> {
        let (chunks, _) = bytes.as_chunks::<4>();
        chunks.iter().map(|b| f32::from_le_bytes(*b)).collect()
    };
    let (first, last) = (at(json!([1.0, 0.0, 0.0])), values(&plain));
    let mean: Vec<f32> = values(&first)
        .iter()
        .zip(&last)
        .map(|(a, b)| 0.25 * a + 0.75 * b)
        .collect();
    assert_ne!(first, plain);
    assert_close("mean", &values(&at(json!([0.25, 0.0, 0.75]))), &mean);
}

#[test]
fn epochs_take_turns_with_the_views_of_the_images() {
    let task = MethodTask::load();
    let coop = open("harness-plugin-coop", "coop", &json!({}));
    let plain = task.features().clone();
    let other = plain.affine(-1.0, 0.1).unwrap();
    let after = |views: &[&Tensor], epochs: usize| {
        let views = views.iter().map(|view| (*view).clone()).collect();
        let recipe = recipe(json!({"epochs": epochs, "batch": 4}));
        train_on(&coop, &task.training_with(views), recipe).1
    };
    assert_eq!(after(&[&plain, &other], 1), after(&[&plain], 1));
    assert_ne!(after(&[&plain, &other], 2), after(&[&plain], 2));
    assert_eq!(after(&[&plain, &plain], 3), after(&[&plain], 3));
    // The third epoch is back at the first view.
    let three = after(&[&plain, &other], 3);
    assert_eq!(three, after(&[&plain, &other, &plain], 3));
    assert_ne!(three, after(&[&plain, &other, &other], 3));
}

#[test]
fn two_gradients_combine_like_one_of_their_sum() {
    let task = MethodTask::load();
    let recipe = recipe(json!({"epochs": 2, "batch": 4, "lr": 0.2}));
    let run = |config: Value| {
        let method = fixture("two-gradients", &config);
        let (module, tensors) = train(&method, &task, recipe.clone());
        (logits(&method, &task, &module), tensors)
    };
    let (apart, _) = run(json!({"share": 2.0}));
    let (summed, _) = run(json!({"share": 2.0, "summed": true}));
    assert_close("sum", &apart, &summed);
    let (_, none) = run(json!({"share": 0.0}));
    let coop = open("harness-plugin-coop", "coop", &json!({}));
    assert_eq!(none, train(&coop, &task, recipe).1);
}

#[test]
fn a_module_built_at_once_takes_no_step() {
    let task = MethodTask::load();
    let method = fixture("one-shot", &json!({}));
    let (module, tensors) = train(&method, &task, RecipeChanges::default());
    assert!(tensors.iter().any(|&b| b != 0));
    let logits = logits(&method, &task, &module);
    assert_eq!(logits.len(), task.batch() * task.classes());
}

#[test]
fn kgcoop_without_weight_is_coop() {
    let task = MethodTask::load();
    let recipe = recipe(json!({"epochs": 2, "batch": 4}));
    let kgcoop = open("harness-plugin-kgcoop", "kgcoop", &json!({"weight": 0.0}));
    let coop = open("harness-plugin-coop", "coop", &json!({}));
    let (_, a) = train(&kgcoop, &task, recipe.clone());
    let (_, b) = train(&coop, &task, recipe);
    assert_eq!(a, b);
}

#[test]
fn prograd_without_lambda_is_coop() {
    let task = MethodTask::load();
    let recipe = recipe(json!({"epochs": 2, "batch": 4}));
    let context = json!({"length": 4});
    let config = json!({"lambda": 0.0, "context": context});
    let prograd = open("harness-plugin-prograd", "prograd", &config);
    let coop = open("harness-plugin-coop", "coop", &json!({}));
    let (_, a) = train(&prograd, &task, recipe.clone());
    let (_, b) = train(&coop, &task, recipe);
    assert_eq!(a, b);
}

#[test]
fn a_context_deeper_than_the_tower_is_not_injectable() {
    let task = MethodTask::load();
    let job = TrainJob {
        seed: 1,
        recipe: recipe(json!({"epochs": 1, "batch": 4})),
        check_gradients: false,
    };
    let at = |layer: usize| {
        let method = open(
            "harness-plugin-coop",
            "coop",
            &json!({"context": {"layer": layer}}),
        );
        method.train(task.training().object(), &job)
    };
    assert!(at(1).is_ok());
    assert!(at(2).is_ok());
    let error = at(3).unwrap_err();
    assert!(
        matches!(&error, harness_host::plugin::PluginError::NotInjectable(_)),
        "{error}"
    );
    assert!(
        error.to_string().contains("has 3 text blocks (0 to 2)"),
        "{error}"
    );
}

#[test]
fn class_features_are_computed_once_for_all_tasks_of_a_backbone() {
    let task = MethodTask::load();
    let first = task.training().class_embeddings().unwrap();
    let second = task.evaluation().class_embeddings().unwrap();
    // A tensor that is computed again has an identity of its own.
    assert_eq!(first.id(), second.id());
    let other = MethodTask::load().evaluation().class_embeddings().unwrap();
    assert_ne!(first.id(), other.id());
    let values = |features: &Tensor| features.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(values(&first), values(&other));
}
