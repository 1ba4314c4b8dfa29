//! Weights held as variables: same features, right gradients, saved and read back.

use std::collections::HashMap;

use candle_core::{Tensor, Var};
use harness_backbone::Backbone;

use crate::common::{assert_close, backbones, config, noise, tensors, values};

fn is_table(name: &str) -> bool {
    name.contains("rope.freqs")
}

/// A backbone whose every weight is a variable, and the variables.
fn trainable(folder: &std::path::Path) -> (Backbone, HashMap<String, Var>) {
    let vars: HashMap<String, Var> = tensors(&folder.join("model.safetensors"))
        .into_iter()
        .filter(|(name, _)| !is_table(name))
        .map(|(name, tensor)| (name, Var::from_tensor(&tensor).unwrap()))
        .collect();
    let tracked = vars
        .iter()
        .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
        .collect();
    let backbone = Backbone::from_tensors(tracked, &config(folder), None).unwrap();
    (backbone, vars)
}

fn rows(backbone: &Backbone) -> Vec<Vec<u32>> {
    let end = backbone.text().end_token();
    vec![vec![end - 1, 3, 4, end], vec![end - 1, 5, end]]
}

/// A scalar that every weight enters.
fn objective(backbone: &Backbone) -> Tensor {
    let side = backbone.dims().image.image_size;
    let embed = backbone.dims().embed_dim;
    let images = backbone
        .image()
        .encode(&noise(1, &[2, 3, side, side]))
        .unwrap();
    let texts = backbone.text().encode_ids(&rows(backbone)).unwrap();
    let scale = backbone.log_logit_scale().exp().unwrap();
    let dot = |x: &Tensor, seed| (x * noise(seed, &[2, embed])).unwrap().sum_all().unwrap();
    let total = (dot(&images, 2) + dot(&texts, 3)).unwrap();
    (total * scale).unwrap()
}

#[test]
fn frozen_and_trainable_weights_give_the_same_features() {
    for folder in backbones() {
        let frozen = Backbone::load(&folder).unwrap();
        let (trained, _) = trainable(&folder);
        let side = frozen.dims().image.image_size;
        let pixels = noise(4, &[2, 3, side, side]);
        let what = folder.display().to_string();
        assert_close(
            &what,
            &trained.image().encode(&pixels).unwrap(),
            &frozen.image().encode(&pixels).unwrap(),
            1e-6,
        );
        assert_close(
            &what,
            &trained.text().encode_ids(&rows(&trained)).unwrap(),
            &frozen.text().encode_ids(&rows(&frozen)).unwrap(),
            1e-6,
        );
        assert_eq!(
            frozen.logit_scale().unwrap(),
            trained.logit_scale().unwrap()
        );
    }
}

#[test]
fn every_weight_gets_the_gradient_of_finite_differences() {
    for folder in backbones() {
        let (backbone, vars) = trainable(&folder);
        let grads = objective(&backbone).backward().unwrap();
        let mut names: Vec<&String> = vars.keys().collect();
        names.sort();
        for name in names {
            let var = &vars[name];
            let grad = grads
                .get(var)
                .unwrap_or_else(|| panic!("no gradient for {name}"));
            assert_eq!(grad.dims(), var.dims(), "{name}");
            // Along the gradient itself the slope is its norm, well above the noise of f32.
            let norm = values(&grad.sqr().unwrap().sum_all().unwrap())[0].sqrt();
            // Attention does not see a constant that is added to every key.
            assert!(
                norm > 1e-3 || name.ends_with("k_proj.bias"),
                "{name}: {norm:e}"
            );
            let origin = var.as_tensor().copy().unwrap();
            let unit = (grad / f64::from(norm.max(1e-3))).unwrap();
            // A step that moves the objective by about 0.3.
            let h = (0.3 / f64::from(norm)).min(0.05);
            let at = |k: f64| {
                var.set(&(&origin + (&unit * (k * h)).unwrap()).unwrap())
                    .unwrap();
                f64::from(values(&objective(&backbone))[0])
            };
            let found = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h);
            var.set(&origin).unwrap();
            let error = (found - f64::from(norm)).abs();
            assert!(
                error < 1e-2 * f64::from(norm) + 1e-4,
                "{}: {name}: {found} against {norm}",
                folder.display()
            );
        }
    }
}

#[test]
fn one_trained_bias_among_frozen_weights_gets_its_gradient() {
    let folder = crate::common::backbone("open-clip-quickgelu");
    let name = "transformer.resblocks.1.mlp.c_fc.bias";
    let mut tensors = tensors(&folder.join("model.safetensors"));
    let var = Var::from_tensor(&tensors[name]).unwrap();
    tensors.insert(name.into(), var.as_tensor().clone());
    let partly = Backbone::from_tensors(tensors, &config(&folder), None).unwrap();
    let (wholly, vars) = trainable(&folder);
    let found = objective(&partly).backward().unwrap();
    let expected = objective(&wholly).backward().unwrap();
    let expected = expected.get(&vars[name]).unwrap();
    assert_close(name, found.get(&var).unwrap(), expected, 1e-6);
}

#[test]
fn a_trained_state_dict_is_read_back() {
    for folder in backbones() {
        let (backbone, vars) = trainable(&folder);
        for var in vars.values() {
            let grown = (var.as_tensor() * 1.01).unwrap();
            var.set(&grown).unwrap();
        }
        let target = tempfile::tempdir().unwrap();
        let state: HashMap<String, Tensor> = vars
            .iter()
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect();
        candle_core::safetensors::save(&state, target.path().join("model.safetensors")).unwrap();
        fs_err::copy(
            folder.join("config.json"),
            target.path().join("config.json"),
        )
        .unwrap();
        let read = Backbone::load(target.path()).unwrap();
        let expected = backbone.text().encode_ids(&rows(&backbone)).unwrap();
        let found = read.text().encode_ids(&rows(&read)).unwrap();
        assert_close("read back", &found, &expected, 1e-6);
    }
}
