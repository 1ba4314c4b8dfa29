//! What every method must satisfy; each check panics with what it found.

#![expect(clippy::unwrap_used, reason = "checks are tests")]

use harness_abi::{
    AbiError, AbiTensor, ErrorKind, HostObject, MethodObject,
    std_types::{RSlice, RStr},
    wire::{Probe, ProbeReply, RecipeChanges, Split, TrainJob, differing_sites},
};

use super::ToyHost;
use crate::{
    Method, Parameters,
    boundary::{PluginIdentity, open_method},
    module,
};

const IDENTITY: PluginIdentity = PluginIdentity {
    name: "under-test",
    version: "0.0.0",
    license: "none",
};

fn open<M: Method>() -> MethodObject {
    open_method::<M>(IDENTITY, "{}").unwrap()
}

/// A module trained for two epochs.
fn try_train<M: Method>(
    host: HostObject,
    seed: u64,
    check_gradients: bool,
) -> Result<Vec<u8>, AbiError> {
    let job = TrainJob {
        seed,
        recipe: RecipeChanges {
            epochs: Some(2),
            batch: Some(4),
            ..RecipeChanges::default()
        },
        check_gradients,
    };
    let job = serde_json::to_string(&job).unwrap();
    let reply = open::<M>().train(host, RStr::from_str(&job));
    Ok(reply.into_result()?.bytes.into_vec())
}

/// The module of [`try_train`]. A training that fails is reported once, by
/// [`defaults_train`]; the other checks refer to it.
fn train<M: Method>(host: HostObject, seed: u64) -> Vec<u8> {
    match try_train::<M>(host, seed, false) {
        Ok(module) => module,
        Err(_) => {
            panic!("needs a trained module; the check `defaults_train` says why there is none")
        }
    }
}

fn inject<M: Method>(host: HostObject, module: &[u8]) -> Result<(AbiTensor, Vec<u8>), ErrorKind> {
    let predictor = open::<M>()
        .inject(host, RSlice::from_slice(module))
        .into_result()
        .map_err(|e| e.kind())?;
    let rows = [0, 3, 5];
    let logits = predictor.logits(RStr::from_str("test"), RSlice::from_slice(&rows));
    let module = predictor.module().into_result().unwrap().into_vec();
    Ok((logits.into_result().unwrap(), module))
}

/// An unknown configuration key is an error that names it.
pub fn unknown_config_is_rejected<M: Method>() {
    let error = open_method::<M>(IDENTITY, r#"{"no_such_key": 1}"#)
        .err()
        .unwrap();
    assert!(error.to_string().contains("no_such_key"), "{error}");
}

/// The default configuration trains, gives finite logits on a target and releases its tapes.
pub fn defaults_train<M: Method>() {
    let host = ToyHost::source().unwrap();
    let module = match try_train::<M>(host.object(), 1, true) {
        Ok(module) => module,
        Err(error) => panic!("the training fails: {error}"),
    };
    let (logits, _) = inject::<M>(ToyHost::target().unwrap().object(), &module).unwrap();
    assert_eq!(logits.checked_shape().unwrap(), [3, 3]);
    assert!(logits.values.iter().all(|v| v.is_finite()), "{logits:?}");
    assert_eq!(host.open_tapes(), 0, "tapes were not released");
}

/// What the method edits in the towers with the default configuration is what its card names.
pub fn sites_are_those_of_the_card<M: Method>() {
    let host = ToyHost::source().unwrap();
    let module = train::<M>(host.object(), 1);
    let target = ToyHost::target().unwrap();
    inject::<M>(target.object(), &module).unwrap();
    let mut edited = host.edited_sites();
    edited.extend(target.edited_sites());
    if let Some(difference) = differing_sites(M::card().sites, &edited) {
        panic!("{difference}");
    }
}

/// The same seed gives the same bytes, another seed different ones.
pub fn seed_determines_module<M: Method>() {
    let at = |seed| train::<M>(ToyHost::source().unwrap().object(), seed);
    assert_eq!(at(1), at(1), "the same seed gave different modules");
    assert_ne!(at(1), at(2), "two seeds gave the same module");
}

/// Injecting leaves the module unchanged and gives the same logits each time.
pub fn module_round_trip<M: Method>() {
    let module = train::<M>(ToyHost::source().unwrap().object(), 1);
    let target = || ToyHost::target().unwrap().object();
    let (first, after) = inject::<M>(target(), &module).unwrap();
    assert_eq!(after, module, "the module was changed");
    let (second, _) = inject::<M>(target(), &after).unwrap();
    assert_eq!(first, second);
}

/// A row that does not exist is an error, not a prediction.
pub fn rows_out_of_range_are_rejected<M: Method>() {
    let module = train::<M>(ToyHost::source().unwrap().object(), 1);
    let predictor = open::<M>()
        .inject(
            ToyHost::target().unwrap().object(),
            RSlice::from_slice(&module),
        )
        .into_result()
        .unwrap();
    for row in [12, u32::MAX] {
        let logits = predictor.logits(RStr::from_str("test"), RSlice::from_slice(&[row]));
        let error = logits.into_result().err();
        let kind = error.map(|error| error.kind());
        assert!(kind.is_some(), "row {row} of 12 gave logits");
        assert_ne!(kind, Some(ErrorKind::Panicked), "row {row} of 12");
    }
}

/// Empty, truncated and non-finite modules and those of other methods are errors, never
/// panics.
pub fn damaged_modules_are_rejected<M: Method>() {
    let module = train::<M>(ToyHost::source().unwrap().object(), 1);
    let (mut header, parameters) = module::load(&module).unwrap();
    header.method = "another-method".to_owned();
    let other = module::save(&header, &parameters).unwrap();
    let mut not_finite = module.clone();
    let end = not_finite.len();
    not_finite[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let cases: [(&str, &[u8]); 4] = [
        ("empty", &[]),
        ("truncated", &module[..module.len() - 3]),
        ("another method's", &other),
        ("not finite", &not_finite),
    ];
    for (name, bytes) in cases {
        let result = inject::<M>(ToyHost::target().unwrap().object(), bytes);
        let kind = result.err().unwrap_or_else(|| panic!("{name}: accepted"));
        assert_ne!(kind, ErrorKind::Panicked, "{name}");
    }
}

/// A module for another text width is not injectable, unless the method's parameters do
/// not depend on it.
pub fn other_shapes_are_not_injectable<M: Method>() {
    let (source, wider) = (ToyHost::source().unwrap(), ToyHost::wider().unwrap());
    let shapes = |host: &ToyHost| {
        let parameters = M::parameters(&M::Config::default(), host.facts()).unwrap();
        parameters.iter().map(|p| p.shape()).collect::<Vec<_>>()
    };
    let module = train::<M>(source.object(), 1);
    let result = inject::<M>(wider.object(), &module);
    if shapes(&source) == shapes(&wider) {
        assert!(result.is_ok());
    } else {
        assert_eq!(result.unwrap_err(), ErrorKind::NotInjectable);
    }
}

/// A module works, unchanged, on some of its classes in another order. With a class that
/// it was not trained on, a module with entries per class is not injectable.
pub fn classes_are_matched_by_id<M: Method>() {
    let source = ToyHost::source().unwrap();
    let declared = M::parameters(&M::Config::default(), source.facts()).unwrap();
    let is_per_class = declared.iter().any(|p| p.shape().class_axis.is_some());
    let module = train::<M>(source.object(), 1);
    let other = |unknown| ToyHost::other_classes(unknown).unwrap().object();
    let (logits, after) = inject::<M>(other(false), &module).unwrap();
    assert_eq!(logits.checked_shape().unwrap(), [3, 2]);
    assert_eq!(after, module, "the module was changed");
    let unknown = inject::<M>(other(true), &module);
    if is_per_class {
        assert_eq!(unknown.unwrap_err(), ErrorKind::NotInjectable);
    } else {
        assert!(unknown.is_ok(), "{:?}", unknown.err());
    }
}

/// Every gradient agrees with finite differences of the loss in its own direction, unless the
/// method [stops gradients](Method::STOPS_GRADIENTS).
pub fn gradients_are_correct<M: Method>() {
    if M::STOPS_GRADIENTS {
        return;
    }
    let host = ToyHost::source().unwrap();
    let module = train::<M>(host.object(), 1);
    let (header, parameters) = module::load(&module).unwrap();
    let (_, gradients) = probe::<M>(&host, &module);
    for (name, gradient) in &gradients {
        let norm = gradient
            .iter()
            .map(|g| f64::from(g * g))
            .sum::<f64>()
            .sqrt();
        if norm < 1e-4 {
            continue;
        }
        let at = |by: f64| {
            let moved = parameters.iter().map(|(n, value)| {
                let mut tensor = value.clone();
                if n == name {
                    let step: Vec<f32> = gradient
                        .iter()
                        .map(|g| (by * f64::from(*g) / norm) as f32)
                        .collect();
                    let step = crate::Tensor::from_vec(step, value.shape(), value.device());
                    tensor = (value + step.unwrap()).unwrap();
                }
                (n.to_owned(), tensor)
            });
            let moved = Parameters::new(moved.collect());
            probe::<M>(&host, &module::save(&header, &moved).unwrap()).0
        };
        // Fourth-order stencil; in its own direction the slope is the gradient's norm. Small
        // steps suffer from rounding, large ones from kinks such as ReLU's.
        let slope = |h: f64| (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
        let slopes = [0.02, 0.005].map(slope);
        let agrees = |slope: &f64| (slope - norm).abs() <= 2e-2 * norm + 1e-4;
        assert!(
            slopes.iter().any(agrees),
            "gradient of `{name}`: its norm is {norm}, finite differences give {slopes:?}"
        );
    }
}

/// Loss and named gradients on a few training rows.
fn probe<M: Method>(host: &ToyHost, module: &[u8]) -> (f64, Vec<(String, Vec<f32>)>) {
    let probe = Probe {
        split: Split::Train,
        rows: (0..6).collect(),
    };
    let probe = serde_json::to_string(&probe).unwrap();
    let reply = open::<M>()
        .probe(
            host.object(),
            RSlice::from_slice(module),
            RStr::from_str(&probe),
        )
        .into_result()
        .unwrap();
    let answer: ProbeReply = serde_json::from_str(reply.json.as_str()).unwrap();
    let gradients = reply
        .tensors
        .into_iter()
        .skip(1)
        .map(|t| t.values.into_vec());
    (
        answer.loss,
        answer.gradients.into_iter().zip(gradients).collect(),
    )
}
