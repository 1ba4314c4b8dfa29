//! The image transform that configuration files describe, against transformers' and open_clip's own.

use std::path::{Path, PathBuf};

use harness_backbone::Backbone;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{backbone, config, golden, tensors, values};

#[derive(Deserialize)]
struct Case {
    key: String,
    form: String,
    file: String,
    config: Value,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/preprocess")
}

/// A backbone of 32 pixels whose files say `options` of the image transform.
fn folder(form: &str, options: &Value) -> TempDir {
    let source = backbone(match form {
        "transformers" => "hf-clip",
        _ => "open-clip-quickgelu",
    });
    let folder = tempfile::tempdir().unwrap();
    let weights = "model.safetensors";
    fs_err::copy(source.join(weights), folder.path().join(weights)).unwrap();
    let mut model = config(&source);
    let mut preprocessor = json!({
        "size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32},
        "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": true, "resample": 3,
    });
    if form == "transformers" {
        let options = options.as_object().unwrap().clone();
        preprocessor.as_object_mut().unwrap().extend(options);
        let path = folder.path().join("preprocessor_config.json");
        fs_err::write(path, preprocessor.to_string()).unwrap();
    } else {
        model = json!({"model_cfg": model, "preprocess_cfg": options});
    }
    fs_err::write(folder.path().join("config.json"), model.to_string()).unwrap();
    folder
}

#[test]
fn golden_pixels_of_every_configuration() {
    let cases = fs_err::read(fixtures().join("cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&cases).unwrap();
    let expected = tensors(&fixtures().join("expected.safetensors"));
    assert_eq!(cases.len(), expected.len());
    let mut beyond = vec![];
    for Case {
        key,
        form,
        file,
        config,
    } in &cases
    {
        let path = Some(fixtures().join(file)).filter(|path| path.is_file());
        let path = path.unwrap_or_else(|| golden().join("io").join(file));
        let bytes = fs_err::read(path).unwrap();
        let loaded = Backbone::load(folder(form, config).path()).unwrap();
        let transform = loaded.transform();
        // Alpha is dropped, not blended.
        let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
        let found = transform.apply(&image).unwrap();
        let difference = (found - &expected[key]).unwrap().abs().unwrap();
        let far = values(&difference).into_iter().fold(0f32, f32::max);
        // A level is 1/255 at least.
        beyond.extend((far > 2e-6).then(|| format!("{key}: {far}")));
    }
    assert!(beyond.is_empty(), "{beyond:#?}");
}

#[test]
fn what_is_not_computed_is_refused_by_name() {
    for (form, options, key) in [
        ("transformers", json!({"resample": 9}), "`resample`"),
        ("transformers", json!({"resample": "bicubic"}), "`resample`"),
        (
            "transformers",
            json!({"size": {"longest_edge": 32}}),
            "`size`",
        ),
        (
            "transformers",
            json!({"size": {"height": 32, "width": 30}}),
            "`size`",
        ),
        (
            "transformers",
            json!({"size": {"shortest_edge": 32, "longest_edge": 64}}),
            "`size`",
        ),
        ("transformers", json!({"crop_size": 28}), "`crop_size`"),
        (
            "transformers",
            json!({"do_center_crop": false}),
            "`do_center_crop`",
        ),
        ("transformers", json!({"do_pad": true}), "`do_pad`"),
        (
            "transformers",
            json!({"do_normalize": "yes"}),
            "`do_normalize`",
        ),
        (
            "transformers",
            json!({"rescale_factor": 0}),
            "`rescale_factor`",
        ),
        (
            "transformers",
            json!({"image_processor_type": "SiglipImageProcessor"}),
            "`image_processor_type`",
        ),
        (
            "transformers",
            json!({"image_std": [1, 0, 1]}),
            "`image_std`",
        ),
        (
            "open_clip",
            json!({"interpolation": "nearest"}),
            "`preprocess_cfg.interpolation`",
        ),
        (
            "open_clip",
            json!({"resize_mode": "fit"}),
            "`preprocess_cfg.resize_mode`",
        ),
        (
            "open_clip",
            json!({"resize_mode": "longest", "fill_color": 300}),
            "`preprocess_cfg.fill_color`",
        ),
        ("open_clip", json!({"mode": "L"}), "`preprocess_cfg.mode`"),
        (
            "open_clip",
            json!({"size": [64, 64]}),
            "`preprocess_cfg.size`",
        ),
    ] {
        let folder = folder(form, &options);
        let message = Backbone::check(folder.path()).unwrap_err().to_string();
        assert!(message.contains(key), "{options}: {message}");
    }
}

#[test]
fn an_image_that_is_not_resized_must_be_of_the_towers_size() {
    let options = json!({"do_resize": false, "do_center_crop": false});
    let loaded = Backbone::load(folder("transformers", &options).path()).unwrap();
    let transform = loaded.transform();
    assert!(transform.apply(&image::RgbImage::new(32, 32)).is_ok());
    let message = transform.apply(&image::RgbImage::new(40, 32));
    let message = message.unwrap_err().to_string();
    assert!(
        message.contains("40 x 32") && message.contains("takes 32 x 32"),
        "{message}"
    );
}

#[test]
fn a_processors_configuration_contains_the_image_processors() {
    let folder = folder("transformers", &json!({}));
    let plain = folder.path().join("preprocessor_config.json");
    fs_err::remove_file(plain).unwrap();
    let nested = json!({"image_processor": {"resample": 2, "size": 32, "crop_size": 32}, "processor_class": "CLIPProcessor"});
    let path = folder.path().join("processor_config.json");
    fs_err::write(path, format!("\u{feff}{nested}")).unwrap();
    let loaded = Backbone::load(folder.path()).unwrap();
    assert_eq!(
        loaded.transform().filter,
        harness_backbone::Filter::Bilinear
    );
}
