//! Whatever a method does wrong, the host gets an error value.

use harness_abi::wire::{Split, TrainJob};
use harness_host::plugin::{MethodHandle, PluginError};
use serde_json::json;

use crate::{
    plugins::{plugin, recipe},
    reference::MethodTask,
};

fn open(misbehaviour: &str) -> MethodHandle {
    let plugin = plugin("harness-fixture-methods");
    let config = json!({"misbehaviour": misbehaviour});
    plugin.open("misbehaving", &config).unwrap()
}

fn train(method: &MethodHandle, task: &MethodTask) -> Result<Vec<u8>, PluginError> {
    train_checked(method, task, false)
}

fn train_checked(
    method: &MethodHandle,
    task: &MethodTask,
    check_gradients: bool,
) -> Result<Vec<u8>, PluginError> {
    let job = TrainJob {
        seed: 1,
        recipe: recipe(json!({"epochs": 1, "batch": 4})),
        check_gradients,
    };
    let trained = method.train(task.training().object(), &job)?;
    Ok(trained.module)
}

#[test]
fn a_panic_in_any_entry_is_an_error_with_its_place() {
    let task = MethodTask::load();
    for entry in ["parameters", "setup", "classifier", "loss"] {
        let method = open(&format!("panic-in-{entry}"));
        let error = train(&method, &task).unwrap_err().to_string();
        let says = format!("the plugin panicked: misbehaving in {entry}");
        assert!(error.contains(&says), "{error}");
        assert!(error.contains("misbehaving.rs:"), "{error}");
    }
}

#[test]
fn a_panic_leaves_other_plugins_and_later_calls_working() {
    let task = MethodTask::load();
    assert!(train(&open("panic-in-loss"), &task).is_err());
    let coop = plugin("harness-plugin-coop");
    let method = coop.open("coop", &json!({})).unwrap();
    assert!(train(&method, &task).is_ok());
}

#[test]
fn no_tape_is_left_after_a_training_or_a_panic() {
    let task = MethodTask::load();
    let job = TrainJob {
        seed: 1,
        recipe: recipe(json!({"epochs": 1, "batch": 4})),
        check_gradients: false,
    };
    for misbehaviour in ["print-to-stdout", "panic-in-loss", "no-gradient"] {
        let bench = task.training();
        let trained = open(misbehaviour).train(bench.object(), &job);
        assert_eq!(trained.is_ok(), misbehaviour == "print-to-stdout");
        assert_eq!(bench.open_tapes(), 0, "{misbehaviour}");
    }
}

#[test]
fn bad_predictions_are_errors_that_name_the_place() {
    let task = MethodTask::load();
    for (misbehaviour, says) in [
        ("panic-in-predict", "misbehaving in predict"),
        ("nan-logits", "the logits hold NaN (row 0, class 0)"),
        (
            "wrong-shape",
            "expected logits of shape [9, 6], found [6, 9]",
        ),
    ] {
        let method = open(misbehaviour);
        let module = train(&method, &task).unwrap();
        let predictor = method.inject(task.evaluation().object(), &module).unwrap();
        let rows: Vec<u32> = (0..task.batch() as u32).collect();
        let error = predictor.logits(Split::Test, &rows, task.classes());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_parameter_without_gradient_stops_the_training() {
    let error = train(&open("no-gradient"), &MethodTask::load()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("parameter `ctx` got no gradient"),
        "{error}"
    );
}

#[test]
fn a_partial_gradient_trains_unless_it_is_compared_with_the_loss() {
    let task = MethodTask::load();
    assert!(train(&open("partial-gradient"), &task).is_ok());
    let error = train_checked(&open("partial-gradient"), &task, true).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("step 0") && error.contains("the gradient of parameter `ctx` disagrees"),
        "{error}"
    );
    // The plain method passes.
    train_checked(&open("print-to-stdout"), &task, true).unwrap();
}

#[test]
fn errors_of_tensors_and_gradients_say_where_they_occurred() {
    let task = MethodTask::load();
    for (misbehaviour, says) in [
        (
            "shape-mismatch",
            "in `logits` of `misbehaving`, step 0: shape mismatch in matmul",
        ),
        (
            "infinite-gradient",
            "in step 0: the gradient of parameter `ctx` is NaN at element 0 of",
        ),
    ] {
        let error = train(&open(misbehaviour), &task).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn an_unknown_weight_is_not_offered_rather_than_unfit() {
    let error = train(&open("unknown-weight"), &MethodTask::load()).unwrap_err();
    assert!(matches!(error, PluginError::NotOffered(_)), "{error}");
    assert!(error.to_string().contains("blocks.0.attn.qq.weight"));
}

#[test]
fn the_test_split_is_closed_during_training() {
    let error = train(&open("read-test"), &MethodTask::load()).unwrap_err();
    assert!(
        error.to_string().contains("the test split is closed"),
        "{error}"
    );
}

#[test]
fn mistakes_in_a_configuration_are_named() {
    let coop = plugin("harness-plugin-coop");
    for (config, says) in [
        (json!({"contxt": {}}), "unknown field `contxt`"),
        (json!({"context": {"length": "four"}}), "invalid type"),
        (
            json!({"context": {"class_token_position": "middle"}}),
            "unknown variant `middle`",
        ),
    ] {
        let error = coop.open("coop", &config).err().unwrap().to_string();
        assert!(error.contains(says), "{error}");
        assert!(error.contains("config of method `coop`"), "{error}");
    }
    let error = coop.open("cocoop", &json!({})).err().unwrap().to_string();
    assert!(
        error.contains("has no method `cocoop`, only coop"),
        "{error}"
    );
}
