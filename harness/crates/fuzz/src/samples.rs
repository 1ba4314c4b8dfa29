//! Small inputs that the readers accept.

use std::error::Error;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use harness_abi::wire::{MethodCard, ModuleHeader};
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// The repository, whose fixtures are samples too.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn file(name: &str) -> Vec<u8> {
    let path = repository().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn suites() -> Vec<Vec<u8>> {
    let built_in = ["micro", "clip-to-eva", "depth", "lambda"];
    let mut all: Vec<Vec<u8>> = built_in
        .iter()
        .map(|name| file(&format!("suites/{name}.yaml")))
        .collect();
    all.push(
        b"name: all\nupgrades: [{source: a, targets: [b, ./c, hf:o/r@main]}]\n\
          methods:\n- {id: coop, label: x, config: {a: [1, {b: 2}]}, recipe: {epochs: 1, lr: 0.1}}\n\
          datasets:\n- d\n- {name: e, label: f, allow_missing: true}\nshots: [1, 16]\n\
          seeds: {split: [1, 2], training: [3]}\noracle: true\ntime_limit: 60\n\
          images: {augment: random-resized-crop, scale: [0.1, 1], views: 2, precision: f16}\n\
          gate: {margin: 1.5, alpha: 0.05}\nplugins: [p.so]\ndata: d\n"
            .to_vec(),
    );
    all
}

pub(crate) fn aliases() -> Vec<Vec<u8>> {
    let digest = "0123456789abcdef".repeat(4);
    vec![
        format!(
            "mine:\n  repo: org/name\n  revision: v1\n  files:\n  - config.json\n  \
             - {{name: model.safetensors, size: 12, sha256: {digest}, optional: true}}\n\
             here:\n  path: ./folder\n"
        )
        .into_bytes(),
    ]
}

pub(crate) fn reports() -> Vec<Vec<u8>> {
    vec![
        file("harness/fixtures/reports/first-schema.json"),
        file("reports/layer-depth.json"),
    ]
}

pub(crate) fn weights() -> Vec<Vec<u8>> {
    static FILE: LazyLock<Vec<u8>> =
        LazyLock::new(|| file("harness/fixtures/golden/backbones/hf-clip/model.safetensors"));
    vec![FILE.clone()]
}

pub(crate) fn configs() -> Vec<Vec<u8>> {
    vec![file(
        "harness/fixtures/golden/backbones/hf-clip/config.json",
    )]
}

pub(crate) fn tokenizers() -> Vec<Vec<u8>> {
    let mut vocabulary = serde_json::Map::new();
    let words = ["a", "b", "ab", "a</w>", "b</w>", "ab</w>"];
    let special = ["<|startoftext|>", "<|endoftext|>"];
    for (id, word) in words.iter().chain(&special).enumerate() {
        vocabulary.insert((*word).to_owned(), id.into());
    }
    let added = special.iter().enumerate().map(|(at, word)| {
        json!({
            "id": words.len() + at, "content": word, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true,
        })
    });
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": added.collect::<Vec<_>>(),
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": null, "decoder": null,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": "<|endoftext|>",
            "continuing_subword_prefix": "", "end_of_word_suffix": "</w>", "fuse_unk": false,
            "byte_fallback": false, "vocab": vocabulary, "merges": ["a b", "a b</w>"],
        },
    });
    vec![tokenizer.to_string().into_bytes()]
}

/// Name of the pickle in a checkpoint.
const PICKLE: &str = "data.pkl";

/// Name and bytes of a file in an archive.
type Entry = (String, Vec<u8>);

/// The files in a checkpoint.
static CHECKPOINT: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let bytes = file("harness/fixtures/golden/backbones/eva-clip-rei/model.pt");
    let entries = unpack(bytes).unwrap_or_else(|error| panic!("the checkpoint: {error}"));
    assert!(entries.iter().any(|(name, _)| name.ends_with(PICKLE)));
    entries
});

fn unpack(bytes: Vec<u8>) -> Result<Vec<Entry>, Box<dyn Error>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        entries.push((name, bytes));
    }
    Ok(entries)
}

/// The pickle inside of a checkpoint; [`checkpoint`] puts it back.
pub(crate) fn pickles() -> Vec<Vec<u8>> {
    let pickle = CHECKPOINT.iter().find(|(name, _)| name.ends_with(PICKLE));
    pickle.map(|(_, bytes)| bytes.clone()).into_iter().collect()
}

/// The checkpoint with another pickle; its tensors are those of the sample.
pub(crate) fn checkpoint(pickle: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in CHECKPOINT.iter() {
        writer.start_file(name.as_str(), stored)?;
        writer.write_all(if name.ends_with(PICKLE) {
            pickle
        } else {
            bytes
        })?;
    }
    Ok(writer.finish()?.into_inner())
}

pub(crate) fn archives() -> Vec<Vec<u8>> {
    vec![file("harness/fixtures/pickles/torchscript.pt")]
}

pub(crate) fn split_files() -> Vec<Vec<u8>> {
    let split = json!({
        "train": [["a.png", 0, "cat"], ["b.png", 1, "dog"]],
        "val": [["a.png", 0, "cat"]],
        "test": [["b.png", 1, "dog"], ["a.png", 0, "cat"]],
    });
    vec![split.to_string().into_bytes()]
}

pub(crate) fn tables() -> Vec<Vec<u8>> {
    vec![
        b"path,class,split,label\na.png,cat,train,0\nb.png,dog,train,1\na.png,cat,test,0\nb.png,dog,test,1\n"
            .to_vec(),
        b"path\tclass\na.png\tcat\nb.png\tdog\na.png\tcat\nb.png\tdog\na.png\tcat\nb.png\tdog\n".to_vec(),
    ]
}

pub(crate) fn shards() -> Vec<Vec<u8>> {
    static SHARD: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut builder = tar::Builder::new(Vec::new());
        let image = png();
        let entries: [(&str, &[u8]); 4] = [
            ("s0.png", &image),
            ("s0.cls", b"0\n"),
            ("s1.cls", b"1"),
            ("s1.png", &image),
        ];
        for (name, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            // Writing to memory does not fail.
            let _ = builder.append_data(&mut header, name, bytes);
        }
        builder.into_inner().unwrap_or_default()
    });
    vec![SHARD.clone()]
}

pub(crate) fn png() -> Vec<u8> {
    static PNG: LazyLock<Vec<u8>> = LazyLock::new(|| encoded(image::ImageFormat::Png));
    PNG.clone()
}

/// A small picture in a format.
fn encoded(format: image::ImageFormat) -> Vec<u8> {
    let picture =
        image::RgbImage::from_fn(9, 7, |x, y| image::Rgb([x as u8 * 20, y as u8 * 30, 7]));
    let mut bytes = Cursor::new(Vec::new());
    // What the build cannot write is no sample.
    let _ = picture.write_to(&mut bytes, format);
    bytes.into_inner()
}

pub(crate) fn images() -> Vec<Vec<u8>> {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Tiff, WebP};
    let formats = [Png, Jpeg, Gif, WebP, Bmp, Tiff, Pnm];
    let drawn = formats.into_iter().map(encoded);
    let found = [
        "alpha.png",
        "gray.png",
        "palette.png",
        "tiny.png",
        "cmyk.jpg",
    ]
    .map(|name| file(&format!("harness/fixtures/golden/io/{name}")));
    drawn
        .chain(found)
        .filter(|bytes| !bytes.is_empty())
        .collect()
}

pub(crate) fn modules() -> Vec<Vec<u8>> {
    let digest = "0123456789abcdef".repeat(4);
    let header = json!({
        "format": ModuleHeader::FORMAT, "plugin": "coop", "plugin_version": "0.1.0",
        "method": "coop", "config": {"context": {"length": 4}}, "source": "micro-clip",
        "dataset": "digits", "classes": ["0", "1"], "seed": 1,
        "origin": {
            "plugin_sha256": digest, "source_sha256": digest, "dataset_sha256": digest,
            "class_names": ["zero", "one"], "templates": ["a {}."], "templates_sha256": digest,
            "shots": 1, "sampler": "coop", "recipe": null,
        },
    });
    let file = json!({
        "__metadata__": {"harness": header.to_string()},
        "ctx": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]},
    });
    let mut text = file.to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    vec![[&(text.len() as u64).to_le_bytes()[..], &text, &[0; 8]].concat()]
}

pub(crate) fn plugin_records() -> Vec<Vec<u8>> {
    // Magic, ABI 1.1, panics unwind, then two texts of 64 bytes.
    let mut record = b"HARNESSP\x01\x00\x01\x00\x01\x00\x00\x00".to_vec();
    for text in ["0.1.0", "rustc 1.95.0"] {
        let end = record.len() + 64;
        record.extend_from_slice(text.as_bytes());
        record.resize(end, 0);
    }
    vec![record]
}

pub(crate) fn card() -> MethodCard {
    let card = json!({
        "id": "coop", "title": "Context", "paper": "none", "family": "input", "depth": "text input",
        "sites": ["text-input"], "needs": [], "data": "features", "carried": ["ctx"],
        "recomputed": [],
    });
    serde_json::from_value(card).unwrap_or_else(|error| panic!("a sample of a card: {error}"))
}

pub(crate) fn descriptors() -> Vec<Vec<u8>> {
    let plugin = json!({
        "name": "coop", "version": "0.1.0", "license": "MIT", "sdk": "0.1.0", "rustc": "1.95.0",
        "abi": "1.1",
    });
    let descriptor = json!({"plugin": plugin, "methods": [card()]});
    vec![descriptor.to_string().into_bytes()]
}
