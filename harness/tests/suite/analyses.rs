//! `verify`, `embed` and `analyze` from the command line.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn golden(name: &str) -> PathBuf {
    root().join("fixtures/golden/backbones").join(name)
}

fn harness(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(arguments)
        .current_dir(root())
        .env_remove("HARNESS_EMBEDDED")
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

/// Runs and asserts the exit status; gives stdout and stderr.
fn ends(code: i32, arguments: &[&str]) -> (String, String) {
    let output = harness(arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{stdout}\n{stderr}"
    );
    (stdout, stderr)
}

fn str(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A safetensors file: header and data.
struct File {
    header: Value,
    data: Vec<u8>,
}

impl File {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        Self {
            header: serde_json::from_slice(&bytes[8..8 + length]).unwrap(),
            data: bytes[8 + length..].to_vec(),
        }
    }

    fn tensor(&mut self, name: &str) -> &mut [u8] {
        let at = |i: usize| self.header[name]["data_offsets"][i].as_u64().unwrap() as usize;
        let (start, end) = (at(0), at(1));
        &mut self.data[start..end]
    }

    fn rename(&mut self, from: &str, to: &str) {
        let header = self.header.as_object_mut().unwrap();
        let entry = header.remove(from).unwrap();
        header.insert(to.to_owned(), entry);
    }

    fn write(&self, path: &Path) {
        let header = self.header.to_string();
        let length = (header.len() as u64).to_le_bytes();
        std::fs::write(path, [&length[..], header.as_bytes(), &self.data].concat()).unwrap();
    }
}

#[test]
fn golden_vectors_of_every_layout_verify() {
    for layout in [
        "hf-clip",
        "open-clip-quickgelu",
        "open-clip-gelu",
        "open-clip-eva02",
        "eva-clip-rei",
    ] {
        let folder = golden(layout);
        let vectors = folder.join("expected.safetensors");
        let (stdout, _) = ends(0, &["verify", str(&folder), "--expected", str(&vectors)]);
        for quantity in ["text features", "prompt gradients", "image features"] {
            assert!(stdout.contains(quantity), "{stdout}");
        }
        assert!(stdout.ends_with("Summary quantities=4 agreed=4 tolerance=1e-4\n"));
    }
}

#[test]
fn a_difference_is_told_by_quantity_and_ends_with_105() {
    let folder = golden("open-clip-quickgelu");
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("changed.safetensors");
    let mut file = File::read(&folder.join("expected.safetensors"));
    let gradient = file.tensor("grad_prompt_embeddings");
    gradient[..4].copy_from_slice(&9f32.to_le_bytes());
    file.write(&path);
    let verify = ["verify", str(&folder), "--expected", str(&path)];
    let (stdout, _) = ends(105, &verify);
    let differ: Vec<&str> = stdout.lines().filter(|l| l.contains("DIFFERS")).collect();
    assert!(differ.len() == 1 && differ[0].starts_with("prompt gradients"));
    assert!(stdout.contains("agreed=3"));
    ends(0, &[&verify[..], &["--tolerance", "2"]].concat());
    ends(2, &[&verify[..], &["--tolerance", "-1"]].concat());
}

#[test]
fn vectors_that_cannot_be_compared_are_named() {
    let folder = golden("open-clip-quickgelu");
    let vectors = folder.join("expected.safetensors");
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("broken.safetensors");
    let refused = |change: &dyn Fn(&mut File), reason: &str| {
        let mut file = File::read(&vectors);
        change(&mut file);
        file.write(&path);
        let (_, stderr) = ends(96, &["verify", str(&folder), "--expected", str(&path)]);
        assert!(stderr.contains("broken.safetensors"), "{stderr}");
        assert!(stderr.contains(reason), "{stderr} lacks {reason}");
    };
    refused(&|f| f.rename("pixels", "pixelz"), "unknown tensor `pixelz`");
    refused(
        &|f| f.rename("pixels", "logit_scale"),
        "`pixels` is missing",
    );
    refused(
        &|f| f.tensor("image_features")[..4].copy_from_slice(&f32::NAN.to_le_bytes()),
        "`image_features` holds NaN",
    );
    refused(
        &|f| f.tensor("token_ids")[..8].copy_from_slice(&512i64.to_le_bytes()),
        "tensor `token_ids`: expected 0 to 511, found 512",
    );
    refused(&|f| f.data.truncate(100), "not a safetensors file");
    let (_, stderr) = ends(96, &["verify", "nowhere", "--expected", str(&vectors)]);
    assert!(stderr.contains("nowhere"), "{stderr}");
}

#[cfg(not(feature = "reference"))]
#[test]
fn a_build_without_the_reference_names_the_feature() {
    let (stdout, stderr) = ends(96, &["verify", str(&golden("hf-clip")), "--reference"]);
    assert!(stdout.is_empty(), "{stdout}");
    assert!(stderr.contains("--features reference"), "{stderr}");
}

#[cfg(feature = "reference")]
#[test]
fn the_reference_of_candle_transformers_is_used_where_it_is_right() {
    let (stdout, _) = ends(0, &["verify", str(&golden("hf-clip")), "--reference"]);
    assert!(stdout.contains("vectors of candle-transformers"));
    assert!(stdout.contains("quantities=2 agreed=2"));
    let other = golden("open-clip-eva02");
    let (_, stderr) = ends(96, &["verify", str(&other), "--reference"]);
    assert!(stderr.contains("found layout open-clip-eva02"), "{stderr}");
}

#[test]
fn what_embed_writes_verifies_and_names_its_rows() {
    let work = tempfile::tempdir().unwrap();
    let texts = work.path().join("texts.txt");
    std::fs::write(
        &texts,
        "a picture of a one .\na picture of a red circle .\n",
    )
    .unwrap();
    let out = work.path().join("features.safetensors");
    let images = root().join("fixtures/golden/io");
    let embed = ["embed", "micro-clip", "-o", str(&out)];
    let text = ["--text", str(&texts)];
    let (stdout, _) = ends(
        0,
        &[&embed[..], &text, &["--images", str(&images)]].concat(),
    );
    assert!(stdout.starts_with("Summary texts=2 images=9 width=128"));
    let file = File::read(&out);
    let note = |key: &str| {
        file.header["__metadata__"][key]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let names: Vec<String> = serde_json::from_str(&note("images")).unwrap();
    assert!(names.is_sorted() && names.contains(&"cmyk.jpg".to_owned()));
    assert_eq!(note("backbone"), "micro-clip");
    assert_eq!(note("backbone_sha256").len(), 64);
    assert_eq!(
        file.header["image_features"]["shape"],
        serde_json::json!([9, 128])
    );

    // Texts alone are vectors that another machine can compare with.
    ends(0, &[&embed[..], &text].concat());
    let (stdout, _) = ends(0, &["verify", "micro-clip", "--expected", str(&out)]);
    assert!(stdout.contains("identical"), "{stdout}");
    ends(105, &["verify", "micro-eva-clip", "--expected", str(&out)]);
}

#[test]
fn unusable_images_are_counted_and_nothing_is_written() {
    let work = tempfile::tempdir().unwrap();
    let images = work.path().join("images");
    std::fs::create_dir(&images).unwrap();
    std::fs::copy(
        root().join("fixtures/golden/io/tiny.png"),
        images.join("good.png"),
    )
    .unwrap();
    for name in ["a.png", "b.jpg"] {
        std::fs::write(images.join(name), "no image").unwrap();
    }
    let out = work.path().join("features.safetensors");
    let embed = ["embed", "micro-clip", "--images", str(&images), "-o"];
    let (_, stderr) = ends(96, &[&embed[..], &[str(&out)]].concat());
    for part in ["2 of 3 images", "a.png", "b.jpg"] {
        assert!(stderr.contains(part), "{stderr}");
    }
    assert!(!out.exists());
    std::fs::remove_file(images.join("a.png")).unwrap();
    std::fs::remove_file(images.join("b.jpg")).unwrap();
    let nowhere = work.path().join("nowhere/features.safetensors");
    ends(110, &[&embed[..], &[str(&nowhere)]].concat());
    ends(2, &["embed", "micro-clip", "-o", str(&out)]);
}

/// Numbers of `found` against those of `expected`, by the same keys.
fn assert_close(found: &Value, expected: &Value, what: &str) {
    for (key, expected) in expected.as_object().unwrap() {
        let (found, expected) = (found[key].as_f64().unwrap(), expected.as_f64().unwrap());
        let far = (found - expected).abs() / expected.abs().max(0.1);
        assert!(far < 1e-5, "{what}, {key}: {found} instead of {expected}");
    }
}

/// Runs `analyze drift` and gives the JSON it writes.
fn drift(source: &str, target: &str, more: &[&str]) -> (Value, String) {
    let work = tempfile::tempdir().unwrap();
    let out = work.path().join("drift.json");
    let command = ["analyze", "drift", source, target, "-o", str(&out)];
    let (stdout, _) = ends(0, &[&command[..], more].concat());
    let json = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    (json, stdout)
}

#[test]
fn drift_is_what_pytorch_computes() {
    let expected = std::fs::read(root().join("fixtures/drift/expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let check = |found: &Value, pair: &str| {
        let expected = &expected[pair];
        let layers = expected["layers"].as_array().unwrap();
        assert_eq!(found["layers"].as_array().unwrap().len(), layers.len());
        for (layer, expected) in layers.iter().enumerate() {
            let found = &found["layers"][layer];
            assert_close(
                &found["change"],
                expected,
                &format!("{pair}, layer {layer}"),
            );
        }
        for set in found["datasets"].as_array().unwrap() {
            let name = set["name"].as_str().unwrap();
            let layers = expected["datasets"][name].as_array().unwrap();
            for (layer, expected) in layers.iter().enumerate() {
                let what = format!("{pair}, {name}, layer {layer}");
                assert_close(&set["layers"][layer], expected, &what);
            }
        }
    };
    // Split against packed attention, with transposed projections.
    let (hf, gelu) = (golden("hf-clip"), golden("open-clip-gelu"));
    let (found, stdout) = drift(str(&hf), str(&gelu), &[]);
    check(&found, "hf-clip → open-clip-gelu");
    assert!(
        stdout.contains("not compared without --datasets"),
        "{stdout}"
    );
    let sets = ["--datasets", "digits,object-colours"];
    let (found, stdout) = drift("micro-clip", "micro-eva-clip", &sets);
    check(&found, "micro-clip → micro-eva-clip");
    assert_eq!(found["datasets"][1]["prompts"], 12);
    assert!(
        stdout.ends_with("Summary layers=5 datasets=2\n"),
        "{stdout}"
    );
}

#[test]
fn a_backbone_does_not_drift_from_itself_and_others_may_not_compare() {
    let (found, _) = drift("micro-clip", "micro-clip", &["--datasets", "digits"]);
    for layer in 0..5 {
        assert_eq!(found["layers"][layer]["change"]["norm"], 0.0);
        assert_eq!(found["datasets"][0]["layers"][layer]["absolute"], 0.0);
    }
    let other = golden("hf-clip");
    let (_, stderr) = ends(96, &["analyze", "drift", "micro-clip", str(&other)]);
    assert!(stderr.contains("cannot be compared"), "{stderr}");
    assert!(stderr.contains("[934, 128]"), "{stderr}");
    let pair = ["analyze", "drift", "micro-clip", "micro-clip"];
    ends(96, &[&pair[..], &["--datasets", "digitz"]].concat());
    ends(2, &[&pair[..], &["-o", "drift.docx"]].concat());
    let nowhere = ["-o", "/nowhere/drift.svg"];
    let (stdout, _) = ends(110, &[&pair[..], &nowhere].concat());
    assert!(
        stdout.contains("block 3"),
        "results are printed all the same"
    );
}
