//! Checkpoints of full size: the names and shapes of the published ones, and what random weights
//! of a B/16 compute in every layout. `harness/fixtures/checkpoints/generate.py` made the files.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use half::f16;
use half::slice::HalfFloatSliceExt;
use harness_backbone::{Backbone, Dims};
use serde::Deserialize;
use tempfile::TempDir;

use crate::common::{assert_close, tensors};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/checkpoints")
}

/// A tensor, or the same tensor in every block.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Once(Vec<usize>),
    Each { blocks: usize, shape: Vec<usize> },
}

#[derive(Deserialize)]
struct Listing {
    config: serde_json::Value,
    tensors: BTreeMap<String, Entry>,
}

/// Configuration and tensors of a model.
struct Model {
    config: serde_json::Value,
    shapes: BTreeMap<String, Vec<usize>>,
}

impl Model {
    fn read(name: &str) -> Self {
        let text = fs_err::read(fixtures().join(format!("{name}.json"))).unwrap();
        let listing: Listing = serde_json::from_slice(&text).unwrap();
        let mut shapes = BTreeMap::new();
        for (name, entry) in listing.tensors {
            match entry {
                Entry::Once(shape) => drop(shapes.insert(name, shape)),
                Entry::Each { blocks, shape } => shapes.extend(
                    (0..blocks)
                        .map(|block| (name.replacen('*', &block.to_string(), 1), shape.clone())),
                ),
            }
        }
        Self {
            config: listing.config,
            shapes,
        }
    }

    /// The names that the EVA-CLIP repository gives to the tensors of an EVA02 model.
    fn in_eva_clips_names(&self) -> BTreeMap<String, String> {
        let rename = |name: &String| {
            let mut new = name.replace("visual.trunk.", "visual.");
            for (timm, own) in [
                ("attn.norm.", "attn.inner_attn_ln."),
                ("attn.q_proj.bias", "attn.q_bias"),
                ("attn.v_proj.bias", "attn.v_bias"),
                ("mlp.fc1_g.", "mlp.w1."),
                ("mlp.fc1_x.", "mlp.w2."),
                ("mlp.norm.", "mlp.ffn_ln."),
                ("mlp.fc2.", "mlp.w3."),
            ] {
                new = new.replace(timm, own);
            }
            (new, name.clone())
        };
        self.shapes.keys().map(rename).collect()
    }

    /// Writes the configuration and a file of half-precision tensors whose values `fill` writes.
    fn write(&self, fill: impl FnOnce(&mut BufWriter<fs_err::File>)) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let config = self.config.to_string();
        fs_err::write(folder.path().join("config.json"), config).unwrap();
        let mut header = serde_json::Map::new();
        let mut end = 0;
        for (name, shape) in &self.shapes {
            let start = end;
            end += 2 * shape.iter().product::<usize>();
            let entry = serde_json::json!({
                "dtype": "F16", "shape": shape, "data_offsets": [start, end],
            });
            header.insert(name.clone(), entry);
        }
        let header = serde_json::Value::Object(header).to_string();
        let file = fs_err::File::create(folder.path().join("model.safetensors")).unwrap();
        // What is not written is a hole and reads as zeros.
        file.set_len((8 + header.len() + end) as u64).unwrap();
        let mut out = BufWriter::new(file);
        out.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
        out.write_all(header.as_bytes()).unwrap();
        fill(&mut out);
        out.flush().unwrap();
        folder
    }

    fn hollow(&self) -> TempDir {
        self.write(|_| {})
    }
}

const MODELS: [(&str, [usize; 4]); 6] = [
    ("clip-vit-b16", [512, 512, 768, 12]),
    ("clip-vit-l14", [768, 768, 1024, 24]),
    ("open-clip-vit-b16", [512, 512, 768, 12]),
    ("open-clip-vit-l14", [768, 768, 1024, 24]),
    ("eva02-clip-b16", [512, 512, 768, 12]),
    ("eva02-clip-l14", [768, 768, 1024, 24]),
];

#[test]
fn names_and_shapes_of_the_published_checkpoints_are_accepted() {
    for (name, expected) in MODELS {
        let folder = Model::read(name).hollow();
        Backbone::check(folder.path()).unwrap();
        let dims = Dims::read(folder.path()).unwrap();
        let (text, image) = (dims.text, dims.image);
        assert_eq!(
            [dims.embed_dim, text.width, image.width, image.layers],
            expected,
            "{name}"
        );
        assert_eq!(
            (text.layers, text.context_length, text.vocab_size),
            (12, 77, 49408)
        );
        assert_eq!(
            (image.image_size, image.has_rope),
            (224, name.starts_with("eva"))
        );
    }
}

#[test]
fn other_names_and_shapes_are_refused_without_reading_a_value() {
    for (name, _) in MODELS {
        let model = || Model::read(name);
        let refused = |model: Model| {
            let error = Backbone::check(model.hollow().path());
            error.expect_err(name).to_string()
        };
        let last = model()
            .shapes
            .keys()
            .rev()
            .find(|n| n.contains(".11."))
            .cloned()
            .unwrap();
        let mut without = model();
        without.shapes.remove(&last);
        let message = refused(without);
        assert!(
            message.contains(&last) && message.contains("no such tensor"),
            "{message}"
        );
        let mut surplus = model();
        surplus.shapes.insert("visual.extra.weight".into(), vec![3]);
        let message = refused(surplus);
        assert!(message.contains("visual.extra.weight"), "{message}");
        let mut reshaped = model();
        reshaped.shapes.insert(last.clone(), vec![7, 7]);
        let message = refused(reshaped);
        assert!(
            message.contains(&last) && message.contains("[7, 7]"),
            "{message}"
        );
    }
    // A buffer of older transformers is no tensor of the model.
    let mut old = Model::read("clip-vit-b16");
    let ids = "text_model.embeddings.position_ids";
    old.shapes.insert(ids.into(), vec![1, 77]);
    Backbone::check(old.hollow().path()).unwrap();
}

/// FNV-1a, 64 bits.
fn fnv(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |value, byte| {
        (value ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The number at a place of a drawn tensor: mean 0, variance 1, nearly normal.
fn drawn(seed: u64, index: usize) -> f32 {
    // SplitMix64.
    let step = 0x9e37_79b9_7f4a_7c15u64;
    let mut x = seed.wrapping_add((index as u64 + 1).wrapping_mul(step));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    let total = (x & 0xffff) + (x >> 16 & 0xffff) + (x >> 32 & 0xffff) + (x >> 48);
    (total as i64 - 2 * 65535) as f32 * (3f64.sqrt() / 65536.0) as f32
}

/// Writes a weight: gains near 1, small biases, matrices that keep variance.
fn write_weight(out: &mut impl Write, name: &str, shape: &[usize]) {
    const PIECE: usize = 1 << 14;
    let seed = fnv(name);
    let scale = |inner: &[usize]| (1.0 / (inner.iter().product::<usize>() as f64).sqrt()) as f32;
    let (offset, factor) = match shape {
        [] => (4.6052, 0.0),
        [_] if name.ends_with(".weight") => (1.0, 0.1),
        [_] => (0.0, 0.02),
        [_, inner @ ..] => (0.0, scale(inner)),
    };
    let count: usize = shape.iter().product();
    let mut halves = [f16::ZERO; PIECE];
    for first in (0..count).step_by(PIECE) {
        let piece = first..count.min(first + PIECE);
        let numbers: Vec<f32> = piece.map(|at| offset + factor * drawn(seed, at)).collect();
        let halves = &mut halves[..numbers.len()];
        halves.convert_from_f32_slice(&numbers);
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        out.write_all(&bytes).unwrap();
    }
}

/// Loads the model and compares its features with the stored ones.
fn assert_features(folder: &Path, name: &str) {
    let expected = tensors(&fixtures().join(format!("{name}.features.safetensors")));
    let backbone = Backbone::load(folder).unwrap();
    let side = 224;
    let seed = fnv("pixels");
    let pixels: Vec<f32> = (0..3 * side * side).map(|at| drawn(seed, at)).collect();
    let pixels = Tensor::from_vec(pixels, (1, 3, side, side), &Device::Cpu).unwrap();
    let found = backbone.image().encode(&pixels).unwrap();
    assert_close(name, &found, &expected["image_features"], 1e-3);
    // No tokenizer lies beside the weights: CLIP's own is used.
    let tokenizer = backbone.tokenizer().unwrap();
    let texts = ["a photo of a cat.", "dog"].map(|text| tokenizer.prompt(text, 77).unwrap());
    let found = backbone.text().encode_ids(&texts).unwrap();
    assert_close(name, &found, &expected["text_features"], 1e-3);
}

#[test]
fn random_weights_of_full_size_compute_what_the_packages_compute() {
    for name in ["clip-vit-b16", "open-clip-vit-b16", "eva02-clip-b16"] {
        let model = Model::read(name);
        let folder = model.write(|out| {
            for (name, shape) in &model.shapes {
                write_weight(out, name, shape);
            }
        });
        assert_features(folder.path(), name);
    }
}

#[test]
fn eva_clips_own_layout_of_full_size_computes_the_same() {
    let timm = Model::read("eva02-clip-b16");
    let names = timm.in_eva_clips_names();
    let shapes = names
        .iter()
        .map(|(own, timm_name)| (own.clone(), timm.shapes[timm_name].clone()));
    let own = Model {
        config: serde_json::json!({
            "embed_dim": 512,
            "vision_cfg": {
                "image_size": 224, "layers": 12, "width": 768, "head_width": 64, "patch_size": 16,
                "mlp_ratio": 2.6667, "eva_model_name": "eva-clip-b-16-X", "drop_path_rate": 0.0,
                "xattn": true, "fusedLN": true, "rope": true, "pt_hw_seq_len": 16,
                "intp_freq": true, "naiveswiglu": true, "subln": true,
            },
            "text_cfg": {
                "context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12,
                "xattn": true, "fusedLN": true,
            },
        }),
        shapes: shapes.collect(),
    };
    let folder = own.write(|out| {
        for (own_name, shape) in &own.shapes {
            write_weight(out, &names[own_name], shape);
        }
    });
    assert_features(folder.path(), "eva02-clip-b16");
}
