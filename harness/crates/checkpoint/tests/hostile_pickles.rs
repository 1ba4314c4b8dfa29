//! Checkpoints that were made to do harm.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use harness_checkpoint::{Options, convert};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A checkpoint with these entries.
fn archive(path: &Path, entries: &[(&str, &[u8])], method: CompressionMethod) {
    let mut zip = ZipWriter::new(std::fs::File::create(path).unwrap());
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in entries {
        zip.start_file(format!("x/{name}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// What is said of a checkpoint with this pickle and one storage of four numbers.
fn refusal(pickle: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    let entries = [("data.pkl", pickle), ("data/0", &[0; 16])];
    archive(&path, &entries, CompressionMethod::Stored);
    let start = Instant::now();
    let output = folder.path().join("out.safetensors");
    let error = convert(&path, &output, &Options::default()).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(!output.exists());
    error.to_string()
}

/// `{"w": tensor}` with a shape and a stride, each a tuple of 32-bit numbers.
fn tensor(count: i32, offset: i32, shape: &[i32], stride: &[i32]) -> Vec<u8> {
    let number = |value: i32| [b"J".as_slice(), &value.to_le_bytes()].concat();
    let tuple = |values: &[i32]| {
        let numbers: Vec<u8> = values.iter().flat_map(|value| number(*value)).collect();
        [b"(".as_slice(), &numbers, b"t"].concat()
    };
    [
        b"\x80\x02}(\x8c\x01wctorch._utils\n_rebuild_tensor_v2\n((".as_slice(),
        b"\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpu",
        &number(count),
        b"tQ",
        &number(offset),
        &tuple(shape),
        &tuple(stride),
        b"\x89NtRu.",
    ]
    .concat()
}

#[test]
fn a_call_of_anything_is_refused_by_name_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("was-run");
    let command = format!("touch {}", mark.display());
    for (module, name) in [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("torch.storage", "_load_from_bytes"),
        ("torch.hub", "load"),
    ] {
        let length = (command.len() as u32).to_le_bytes();
        let pickle = [
            format!("c{module}\n{name}\n").as_bytes(),
            b"(X",
            &length,
            command.as_bytes(),
            b"tR.",
        ]
        .concat();
        let text = refusal(&pickle);
        assert!(text.contains(&format!("{module}.{name}")), "{text}");
        assert!(text.contains("byte "), "{text}");
    }
    let text = refusal(b"\x8c\x02os\x8c\x06system\x93.");
    assert!(text.contains("os.system"), "{text}");
    assert!(!mark.exists());
    // Classes that may be mentioned are never called either: this gives no tensors.
    let text = refusal(b"ctorch.optim\nSGD\n)R.");
    assert!(text.contains("no tensor"), "{text}");
}

#[test]
fn nothing_larger_than_the_file_is_believed() {
    for (pickle, expected) in [
        (&b"X\xff\xff\xff\x7fab."[..], "more bytes, found"),
        (
            b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffab.",
            "more bytes, found",
        ),
        (b"\x8b\xff\xff\xff\x7f.", "more bytes, found"),
        (b"\x80\x02}(\x8c\x01w", "more bytes, found"),
        (b"", "more bytes, found"),
        (b"c os", "a line without an end"),
        (b"\x80\x00.", "protocol 0"),
        (b"h\x07.", "slot 7 of the memo is empty"),
        (b"a.", "an empty stack"),
        (b"(0.", "an empty stack"),
        (b"t.", "no mark"),
        (b"}K\x01s.", "an empty stack"),
        (b"}(K\x01u.", "a key without a value"),
        (b"K\x01(K\x02a.", "an empty stack"),
        (b"I1\n.", "opcode 0x49"),
        (b"i os\nsystem\n.", "opcode 0x69"),
        (b"\x82\x01.", "opcode 0x82"),
        (b"Pid\n.", "opcode 0x50"),
        (b"K\x01Q.", "outside the pickle"),
        (b"K\x01.", "the number 1"),
        (b"}.", "none of"),
        (b"}(\x8c\x01wK\x01u.", "none of"),
        (b"\x8c\x02\xff\xfe.", "not UTF-8"),
    ] {
        let text = refusal(pickle);
        assert!(text.contains(expected), "{expected} in {text}");
    }
}

#[test]
fn depth_and_repetition_cost_nothing() {
    // Lists in lists, a hundred thousand deep.
    let text = refusal(&[b"]".repeat(100_000), b"a".repeat(99_999), b".".to_vec()].concat());
    assert!(text.contains("a list"), "{text}");
    // A list of ten of a list of ten of ... sixty times.
    let mut bomb = b"]q\x00".to_vec();
    for _ in 0..60 {
        bomb.extend(b"](");
        bomb.extend(b"h\x00".repeat(10));
        bomb.extend(b"eq\x00");
    }
    bomb.push(b'.');
    let text = refusal(&bomb);
    assert!(text.contains("a list"), "{text}");
    // A dict that is its own state dict.
    let text = refusal(b"}q\x00(\x8c\x05modelh\x00u.");
    assert!(text.contains("expected a dict of tensors"), "{text}");
    // A module inside itself.
    let text = refusal(b"c__torch__\nM\n)\x81q\x00}(\x8c\x01mh\x00ub.");
    assert!(text.contains("64 deep"), "{text}");
    // More values than any checkpoint has.
    let text = refusal(&[b"N0".repeat(4_100_000), b".".to_vec()].concat());
    assert!(text.contains("more than 4000000"), "{text}");
}

#[test]
fn tensors_lie_inside_their_storage() {
    for (pickle, expected) in [
        (tensor(4, 0, &[5], &[1]), "reaches beyond its storage of 4"),
        (tensor(4, 1, &[2, 2], &[2, 1]), "reaches beyond"),
        (tensor(4, 0, &[2], &[i32::MAX]), "reaches beyond"),
        (
            tensor(5, 0, &[5], &[1]),
            "data/0: expected 20 bytes, found 16",
        ),
        (tensor(4, 0, &[-1], &[1]), "is not a count"),
        (
            tensor(4, 0, &[2], &[1, 1]),
            "of shape [2] and stride [1, 1]",
        ),
        (tensor(4, 0, &[i32::MAX; 4], &[0; 4]), "has no size"),
        // One number, repeated without end.
        (
            tensor(4, 0, &[i32::MAX, 8], &[0, 0]),
            "would take more than",
        ),
    ] {
        let text = refusal(&pickle);
        assert!(text.contains(expected), "{expected} in {text}");
    }
}

#[test]
fn a_zip_bomb_is_not_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    let zeros = vec![0; 50 << 20];
    let entries = [
        ("data.pkl", &tensor(4, 0, &[4], &[1])[..]),
        ("data/0", &zeros),
    ];
    archive(&path, &entries, CompressionMethod::Deflated);
    let output = folder.path().join("out.safetensors");
    let error = convert(&path, &output, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("it is compressed"), "{error}");
    // A pickle alone that is larger than any.
    let entries = [("data.pkl", &vec![b'N'; 65 << 20][..])];
    archive(&path, &entries, CompressionMethod::Stored);
    let error = convert(&path, &output, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("more than the limit"), "{error}");
}

#[test]
fn entries_that_are_no_weights_are_named() {
    // {"w": 1, "v": <tensor>}: a state dict with something else in it.
    let mut pickle = tensor(4, 0, &[4], &[1]);
    pickle.truncate(pickle.len() - 2);
    pickle.extend(b"\x8c\x01vK\x01u.");
    let text = refusal(&pickle);
    assert!(
        text.contains("v: the number 1, expected a tensor"),
        "{text}"
    );
    // {"model": {}, "secret": 1}
    let text = refusal(b"}(\x8c\x05model}\x8c\x06secretK\x01u.");
    assert!(
        text.contains("secret: not known to be dispensable"),
        "{text}"
    );
}
