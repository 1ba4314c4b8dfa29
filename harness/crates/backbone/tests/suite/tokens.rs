//! The tokenizer, on a small byte-pair vocabulary made here.

use std::path::Path;

use harness_backbone::{Backbone, Tokenizer};

use crate::common::backbone;

/// Letters, word-final letters, two merges, and the pair of special tokens.
fn write(path: &Path, start: &str, end: &str) {
    let mut vocabulary = serde_json::Map::new();
    let letters = ('a'..='z').map(String::from);
    let finals = ('a'..='z').map(|c| format!("{c}</w>"));
    let rest = ["ca", "cat</w>", ".</w>", start, end].map(String::from);
    for (id, token) in letters.chain(finals).chain(rest).enumerate() {
        vocabulary.insert(token, id.into());
    }
    let special = |name: &str| {
        serde_json::json!({
            "id": vocabulary[name], "content": name, "special": true, "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false,
        })
    };
    let file = serde_json::json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
        "padding": null,
        "added_tokens": [special(start), special(end)],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": null,
        "decoder": null,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false,
            "vocab": vocabulary, "merges": ["c a", "ca t</w>"],
        },
    });
    fs_err::write(path, file.to_string()).unwrap();
}

#[test]
fn prompts_start_end_and_are_cut_to_the_context() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    for (start, end) in [
        ("<start_of_text>", "<end_of_text>"),
        ("<|startoftext|>", "<|endoftext|>"),
    ] {
        write(&path, start, end);
        let tokenizer = Tokenizer::load(&path).unwrap();
        let cat = tokenizer.encode("cat").unwrap();
        assert_eq!(cat.len(), 1);
        assert_eq!(tokenizer.encode("Cat").unwrap(), cat);
        let long = tokenizer.encode("a cat.").unwrap();
        assert_eq!(long.len(), 3, "a saved truncation must not apply");
        let (sot, eot) = (tokenizer.sot(), tokenizer.eot());
        assert_ne!(sot, eot);
        let whole = tokenizer.prompt("a cat.", 77).unwrap();
        assert_eq!(whole, [vec![sot], long.clone(), vec![eot]].concat());
        let cut = tokenizer.prompt("a cat.", 4).unwrap();
        assert_eq!(cut, [sot, long[0], long[1], eot]);
        assert_eq!(tokenizer.prompt("", 2).unwrap(), [sot, eot]);
        assert!(tokenizer.prompt("", 1).is_err());
        let message = tokenizer
            .encode(&format!("cat {end}"))
            .unwrap_err()
            .to_string();
        assert!(message.contains(end), "{message}");
    }
}

#[test]
fn files_without_the_special_tokens_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    write(&path, "[CLS]", "[SEP]");
    let message = Tokenizer::load(&path).unwrap_err().to_string();
    assert!(message.contains("tokenizer.json") && message.contains("<|endoftext|>"));
    fs_err::write(&path, "{}").unwrap();
    let message = Tokenizer::load(&path).unwrap_err().to_string();
    assert!(message.contains("not a tokenizer"), "{message}");
}

#[test]
fn a_backbone_takes_its_end_token_from_the_tokenizer_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.safetensors", "config.json"] {
        let source = backbone("open-clip-gelu").join(name);
        fs_err::copy(source, folder.path().join(name)).unwrap();
    }
    write(
        &folder.path().join("tokenizer.json"),
        "<start_of_text>",
        "<end_of_text>",
    );
    let loaded = Backbone::load(folder.path()).unwrap();
    let tokenizer = loaded.tokenizer().unwrap();
    assert_eq!(loaded.text().end_token(), tokenizer.eot());
    let prompt = tokenizer
        .prompt("a cat", loaded.dims().text.context_length)
        .unwrap();
    assert!(loaded.text().encode_ids(&[prompt]).is_ok());
}
