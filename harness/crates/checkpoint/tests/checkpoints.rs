//! Checkpoints that PyTorch wrote, against what PyTorch reads from them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harness_checkpoint::{ConvertError, Converted, Options, convert};
use safetensors::SafeTensors;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// Type, shape and bytes of every tensor.
fn tensors(bytes: &[u8]) -> BTreeMap<String, (String, Vec<usize>, Vec<u8>)> {
    let file = SafeTensors::deserialize(bytes).unwrap();
    file.iter()
        .map(|(name, view)| {
            let dtype = format!("{:?}", view.dtype());
            let tensor = (dtype, view.shape().to_vec(), view.data().to_vec());
            (name.to_owned(), tensor)
        })
        .collect()
}

/// Converts a fixture and compares the result with the safetensors file beside it.
fn agrees(checkpoint: &str, expected: &str, options: &Options) -> Converted {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.safetensors");
    let converted = convert(&fixtures().join(checkpoint), &output, options).unwrap();
    let found = std::fs::read(&output).unwrap();
    assert_eq!(converted.bytes, found.len() as u64);
    let expected = std::fs::read(fixtures().join(expected)).unwrap();
    let (found, expected) = (tensors(&found), tensors(&expected));
    let names = |of: &BTreeMap<String, _>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected));
    for (name, tensor) in &expected {
        assert_eq!(&found[name], tensor, "{name}");
    }
    converted
}

#[test]
fn eva_clips_own_file_gives_its_safetensors() {
    let folder = "golden/backbones/eva-clip-rei";
    let converted = agrees(
        &format!("{folder}/model.pt"),
        &format!("{folder}/model.safetensors"),
        &Options::default(),
    );
    assert!(converted.left_out.is_empty(), "{:?}", converted.left_out);
}

#[test]
fn a_scripted_module_gives_its_state() {
    // What PyTorch calls no state, a plain tensor attribute, is in the archive too.
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.safetensors");
    let input = fixtures().join("pickles/torchscript.pt");
    let converted = convert(&input, &output, &Options::default()).unwrap();
    let found = tensors(&std::fs::read(&output).unwrap());
    let expected = std::fs::read(fixtures().join("pickles/torchscript.safetensors")).unwrap();
    for (name, tensor) in &tensors(&expected) {
        assert_eq!(found.get(name), Some(tensor), "{name}");
    }
    let beyond = found.keys().filter(|name| !name.ends_with("attn_mask"));
    assert_eq!(beyond.count(), tensors(&expected).len());
    assert!(converted.left_out.contains(&"training".to_owned()));
}

#[test]
fn a_prompt_learner_gives_what_it_carries() {
    let options = Options {
        leave_out: vec!["token_prefix".to_owned(), "token_suffix".to_owned()],
        widen: true,
        ..Options::default()
    };
    let converted = agrees(
        "pickles/model.pth.tar-50",
        "pickles/model.pth.tar-50.safetensors",
        &options,
    );
    for name in [
        "epoch",
        "optimizer",
        "scheduler",
        "val_result",
        "token_prefix",
    ] {
        assert!(converted.left_out.iter().any(|left| left == name), "{name}");
    }
}

#[test]
fn views_tied_and_empty_tensors_come_out_whole() {
    agrees(
        "pickles/nested.pt",
        "pickles/nested.safetensors",
        &Options::default(),
    );
}

#[test]
fn metadata_comes_along_and_a_failure_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.safetensors");
    let mut options = Options {
        metadata: BTreeMap::from([("harness".to_owned(), "{}".to_owned())]),
        ..Options::default()
    };
    let input = fixtures().join("pickles/nested.pt");
    convert(&input, &output, &options).unwrap();
    let before = std::fs::read(&output).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&before).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["harness"], "{}");

    options.leave_out = vec!["no-such-entry".to_owned()];
    let error = convert(&input, &output, &options).unwrap_err();
    assert!(
        error.to_string().contains("no-such-entry: to be left out"),
        "{error}"
    );
    assert_eq!(std::fs::read(&output).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_checkpoint_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.safetensors");
    let refused = |input: &Path| -> ConvertError {
        convert(input, &output, &Options::default()).unwrap_err()
    };
    let legacy = refused(&fixtures().join("pickles/legacy.pt")).to_string();
    assert!(legacy.contains("before PyTorch 1.6"), "{legacy}");
    for (bytes, expected) in [
        (&b""[..], "an empty file"),
        (b"<html>404</html>", "what a failed download left"),
        (b"PK\x03\x04 and nothing", "damaged or truncated"),
    ] {
        let path = folder.path().join("x.pt");
        std::fs::write(&path, bytes).unwrap();
        let error = refused(&path).to_string();
        assert!(
            error.contains("x.pt: ") && error.contains(expected),
            "{error}"
        );
    }
    let whole = std::fs::read(fixtures().join("pickles/nested.pt")).unwrap();
    let path = folder.path().join("cut.pt");
    for length in (0..whole.len()).step_by(97) {
        std::fs::write(&path, &whole[..length]).unwrap();
        refused(&path);
    }
    assert!(!output.exists());
}

/// The names that a training loop's checkpoint gives with some options.
fn lightning(options: &Options) -> Result<Converted, String> {
    let folder = tempfile::tempdir().unwrap();
    let input = fixtures().join("pickles/lightning.ckpt");
    let converted = convert(&input, &folder.path().join("out.safetensors"), options);
    converted.map_err(|error| error.to_string())
}

#[test]
fn everything_in_the_way_of_a_training_loops_checkpoint_is_named_at_once() {
    let message = lightning(&Options::default()).unwrap_err();
    for part in [
        "3 entries",
        "model_ema: perhaps the weights, as is state_dict",
        "--leave-out ours",
        "loss.weight: beside the weights under `model._orig_mod.`",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
}

#[test]
fn a_training_loops_checkpoint_gives_the_names_of_a_layout() {
    let names = ["token_embedding.weight", "visual.conv1.weight"];
    let converted = lightning(&Options {
        leave_out: vec!["model_ema".to_owned(), "ours".to_owned()],
        drop: vec!["loss.*".to_owned()],
        ..Options::default()
    })
    .unwrap();
    assert!(converted.tensors.keys().eq(&names));
    assert!(converted.left_out.contains(&"loss.weight".to_owned()));
    assert!(converted.notes[0].contains("`model._orig_mod.`"));
    // An entry that is asked for is taken, whatever lies beside it.
    let converted = lightning(&Options {
        key: Some("model_ema".to_owned()),
        rename: vec![("token_".to_owned(), "text.token_".to_owned())],
        ..Options::default()
    })
    .unwrap();
    assert!(
        converted
            .tensors
            .keys()
            .eq(&["text.token_embedding.weight"])
    );
    for (options, part) in [
        (
            Options {
                key: Some("state_dict.none".to_owned()),
                ..Options::default()
            },
            "state_dict.none: not there",
        ),
        (
            Options {
                key: Some("state_dict".to_owned()),
                drop: vec!["los?".to_owned()],
                ..Options::default()
            },
            "matches no tensor",
        ),
    ] {
        let message = lightning(&options).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
}
